"""Receipts: what a window answered, to whom and on what, in a chain that nobody can mend."""
