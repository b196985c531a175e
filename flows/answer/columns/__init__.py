"""The decision for many enterprises at once, in columns: what `flows.answer.decide` says of each.

The second of two engines for one set of rules; `tests/property/test_batch.py` holds them equal.
One step goes row by row, through the row engine's own function: whether a penalty that may name a
licence does so (`stopped`), for those enterprises alone that have such a penalty. Pure.
"""
