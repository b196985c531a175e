"""What must be where, once more: slow, row by row, in plain Python; it owes the product nothing.

It shares no code with the product (`tests/unit/test_oracle_alone.py`), so that a mistake in the
product is not a mistake here too. `layout` reads a small licence layout, `publishing` says what
comes of each row of a file, `state` what is known of each record on a day. `installation` examines
all of an exchange: files, Kafka, logs, what was settled, the window's replica, ledgers, receipts.
"""
