"""The law of publishing, landing and folding once more: slow, row by row, in plain Python.

It shares no code with the product and imports nothing but the standard library, so that a mistake
in the product is not a mistake here too. `layout` reads a small licence layout, `publishing` says
what comes of each row of a file, `state` what is known of each record on a day.
"""
