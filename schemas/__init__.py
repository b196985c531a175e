"""The contract: event and dataset schemas, identifiers, dialects and publishers."""
