"""What an operator sees: the flows that Prefect runs, and what they tell of their work."""
