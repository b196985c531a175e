"""The catalogue: which papers a matter asks for, and what may stand in for each. Declarative."""
