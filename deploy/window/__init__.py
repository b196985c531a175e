"""The window: its HTTP API and the clerk's page, on the local replica."""
