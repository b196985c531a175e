"""Working on several pieces at once, in order: the next are read while the last is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Made = TypeVar("Made")


def ahead(
    pieces: Iterator[Piece], work: Callable[[Piece], Made], workers: int
) -> Generator[tuple[Piece, Made], None, None]:
    """Yield each piece with what `work` made of it, in the order of the pieces.

    Pieces are read in a thread of their own and worked on in `workers` others, so some `workers`
    and two more are held at a time. An error is raised where its piece would come. Close it
    (`contextlib.closing`) when it is left early: its threads have ended then.
    """
    going: deque[tuple[Piece, Future[Made]]] = deque()
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(workers) as crew:
        coming = reader.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, pieces, None)
            going.append((piece, crew.submit(work, piece)))
            if len(going) > workers:
                first, made = going.popleft()
                yield first, made.result()
        for first, made in going:
            yield first, made.result()
