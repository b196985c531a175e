"""How Mianti is run: the local stack and the command line."""
