"""Valid input, and what damage makes of it: most of what goes wrong begins with something right."""

from __future__ import annotations

from hypothesis import strategies as st

#: Bytes at which many readers turn another way.
_TELLING = (
    b"\0",
    b"\x01",
    b"\x02",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff\xff\xff\x0f",
    b"\xef\xbb\xbf",
)


@st.composite
def damaged(draw: st.DrawFn, sound: bytes, pieces: tuple[bytes, ...] = (), most: int = 4) -> bytes:
    """Return bytes changed in one to `most` places; `pieces`: what may also be put in."""
    data = sound
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(("flip", "cut", "insert", "twice", "swap", "end")))
        length = draw(st.sampled_from((1, 1, 2, 4, 9, 40, 200)))
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at] + data[at + length :]
        elif kind == "insert":
            put = draw(st.sampled_from(_TELLING + pieces) | st.binary(min_size=1, max_size=9))
            data = data[:at] + put + data[at:]
        elif kind == "twice":
            data = data[:at] + data[at : at + length] + data[at:]
        elif kind == "swap":
            data = data[: at + length] + data[at : at + length] + data[at + 2 * length :]
        else:
            data = data[:at]
    return data
