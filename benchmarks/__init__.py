"""Measures anyone can repeat: `make bench`. Each figure stands beside its limit, from the same run."""
