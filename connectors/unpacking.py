"""Decompressing record batches up to a bound, because a few kilobytes can unpack to gigabytes."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from typing import Final

import lz4.frame
import snappy
import zstandard

#: Bytes unpacked at a time.
_PIECE: Final = 1 << 20
#: The header of snappy's framing in Kafka's Java client (xerial), and where its blocks begin.
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_BLOCKS: Final = 16


class TooLarge(Exception):
    """The unpacked bytes exceed the bound; no more than the bound was unpacked."""


def unpack(codec: int, packed: bytes, limit: int) -> bytes:
    """Return the unpacked bytes of a batch; `codec` is Kafka's number of the compression (1 to 4).

    Raises TooLarge beyond `limit` bytes; KeyError for a codec that Kafka does not define; whatever
    the codec's library raises for bytes that are not its own.
    """
    return _CODECS[codec](packed, limit)


def _gzip(packed: bytes, limit: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as source:
        return _bounded(source.read(limit + 1), limit)


def _zstd(packed: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as source:
        pieces, size = [], 0
        while piece := source.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise TooLarge
    return b"".join(pieces)


def _lz4(packed: bytes, limit: int) -> bytes:
    source = lz4.frame.LZ4FrameDecompressor()
    pieces = [source.decompress(packed, max_length=_PIECE)]
    size = len(pieces[0])
    while not source.eof:
        if size > limit:
            raise TooLarge
        piece = source.decompress(b"", max_length=_PIECE)
        if not piece and not source.eof:
            raise EOFError("the frame ends too early")
        pieces.append(piece)
        size += len(piece)
    return _bounded(b"".join(pieces), limit)


def _snappy(packed: bytes, limit: int) -> bytes:
    """Unpack by the sizes that the blocks state: snappy unpacks no block beyond its own size."""
    blocks = [*_xerial_blocks(packed)] if packed.startswith(_XERIAL) else [packed]
    if sum(map(_stated_size, blocks)) > limit:
        raise TooLarge
    return b"".join(map(snappy.decompress, blocks))


def _xerial_blocks(packed: bytes) -> Iterator[bytes]:
    at = _XERIAL_BLOCKS
    while at < len(packed):
        end = at + 4 + int.from_bytes(packed[at : at + 4], "big")
        yield packed[at + 4 : end]
        at = end


def _stated_size(block: bytes) -> int:
    """Return the unpacked size that a snappy block begins with, a varint of 32 bits."""
    size = 0
    for place, byte in enumerate(block[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return size
    raise ValueError("no size of a snappy block")


def _bounded(unpacked: bytes, limit: int) -> bytes:
    if len(unpacked) > limit:
        raise TooLarge
    return unpacked


_CODECS: Final[dict[int, Callable[[bytes, int], bytes]]] = {
    1: _gzip,
    2: _snappy,
    3: _lz4,
    4: _zstd,
}
