"""Which bucket of a dataset and which topic partition a subject belongs to.

Both come from Kafka's own murmur2 of the subject's 18 bytes, so that a topic's partitions and a
dataset's buckets divide the enterprises alike in every language.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: Fixed: another number would put every subject elsewhere.
BUCKETS: Final = 64

_LENGTH: Final = 18
_SEED: Final = 0x9747B28C
# Columns of 32 bits, so that every product wraps as Kafka's does.
_MULTIPLIER: Final = pl.Series([0x5BD1E995], dtype=pl.UInt32)


def bucket(expr: pl.Expr) -> pl.Expr:
    """The bucket 0…63 of each subject; Int64, null where `murmur2` is null."""
    return partition(expr, BUCKETS)


def partition(expr: pl.Expr, partitions: int) -> pl.Expr:
    """The topic partition that Kafka's default partitioner gives each subject as key; Int64."""
    return murmur2(expr).cast(pl.Int64) % 2**31 % partitions


def murmur2(expr: pl.Expr) -> pl.Expr:
    """Kafka's murmur2 of each string of 18 bytes; UInt32, null for any other string.

    A subject has passed the check of its code by then, so its 18 characters are 18 bytes.
    """
    return expr.map_batches(_murmur2, return_dtype=pl.UInt32, is_elementwise=True)


def _murmur2(subjects: pl.Series) -> pl.Series:
    data = subjects.cast(pl.Binary)
    fits = pl.select(pl.when(data.bin.size() == _LENGTH).then(data)).to_series()
    words = fits.bin.slice(0, 16).bin.reinterpret(dtype=pl.Array(pl.UInt32, 4))
    rest = fits.bin.slice(16, 2).bin.reinterpret(dtype=pl.UInt16).cast(pl.UInt32)
    state = pl.Series([_SEED ^ _LENGTH], dtype=pl.UInt32)
    for place in range(4):
        word = _shift_in(words.arr.get(place) * _MULTIPLIER, 24) * _MULTIPLIER
        state = (state * _MULTIPLIER) ^ word
    state = _shift_in((state ^ rest) * _MULTIPLIER, 13) * _MULTIPLIER
    return _shift_in(state, 15).alias(subjects.name)


def _shift_in(word: pl.Series, bits: int) -> pl.Series:
    """`word ^ (word >> bits)`; Polars has no shift."""
    return word ^ (word // (1 << bits))
