"""Publishing a file in a process of its own, with bounded memory and time: a file may need any amount.

Readers hold a bounded number of cells; but what an allocation that fails does to a process is not
ours to say (Rust ends it), and the files of a drop zone are anyone's. So one that is not small is
published by a process beside this one, which is started when the first such file comes and takes
the others in turn. If it dies, or has worked on a file for longer than a file of that size may take,
its file has failed, and the next file has a new process. It ends with this one: after the file it is
at, since then its pipe is closed.

To the ledger a process that dies is a run that was killed: publishing again doubles nothing.
"""

from __future__ import annotations

import logging
import math
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias

from connectors.clients import kept
from connectors.errors import MiantiError
from connectors.ledger import LedgerBusy
from connectors.settings import Settings
from flows.publish.failed import (
    FAILURES,
    Elsewhere,
    TooLong,
    TooMuch,
    Unexpected,
    hold,
    is_elsewhere,
    publish_path,
    trace,
    unexpected,
)
from flows.publish.job import Progress, Request, Step, no_progress
from flows.publish.outcome import Outcome

_log = logging.getLogger(__name__)
#: What a file may take at most, and what share of what the machine (or its container) has.
_MOST: Final = 4 << 30
_SHARE: Final = 0.5
#: Seconds of the processor that any file may take, and more for each MiB of it: ten times what
#: workbooks of real rows do.
_SECONDS: Final = 60
_SECONDS_A_MIB: Final = 30
#: By the clock ten times as much: what waits for Kafka or the disk uses no processor.
_WAITING: Final = 10
#: Beyond either a file is not small: a small one is of so few rows and columns that it takes neither
#: much memory nor much time.
_SMALL: Final = 16 << 10
_SMALL_UNPACKED: Final = 128 << 10
_CONTAINER: Final = Path("/sys/fs/cgroup/memory.max")
_SERVE: Final = "from flows.apart import serve; serve()"
#: Signals by which a person ends a run: no fault of the file's.
_ENDED: Final = {-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
#: Seconds in which the process ends by itself, once its pipe is closed.
_PATIENCE: Final = 5.0
#: What is told while it is at work: a step, and how much of it is done, of how much.
_Step: TypeAlias = tuple[Step, int, int]


@dataclass(frozen=True)
class _Failure:
    """What an error says, as it passes between processes: not every kind of error can."""

    of: Literal["file", "elsewhere", "busy"]
    said: tuple[str, str]
    notes: tuple[str, ...]
    trace: str | None


def is_small(path: Path) -> bool:
    """Whether a file takes so little, read whole, that it needs no process of its own."""
    try:
        if path.stat().st_size > _SMALL:
            return False
        with zipfile.ZipFile(path) as packed:
            return sum(part.file_size for part in packed.infolist()) <= _SMALL_UNPACKED
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return True  # no workbook, or not to be read; readers say what it is


def memory_given() -> int:
    """Return how many bytes of its own a process that publishes a file may have."""
    has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        has = min(has, int(_CONTAINER.read_text()))
    return min(_MOST, int(has * _SHARE))


def seconds_given(size: int) -> int:
    """Return how many seconds of the processor a file of so many bytes may take."""
    return _SECONDS + (size * _SECONDS_A_MIB >> 20)


class Apart:
    """The process beside this one, started when it is first needed."""

    def __init__(self, memory: int | None = None) -> None:
        """`memory`: bytes it may have; `memory_given` otherwise."""
        self._memory = memory_given() if memory is None else memory
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._late = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def publish(
        self,
        path: Path,
        request: Request,
        settings: Settings,
        progress: Progress = no_progress,
    ) -> Outcome:
        """Do what `publish_path` does; a process that dies holds everyone, as any file that failed.

        Raises LedgerBusy, Elsewhere, or what is wrong with the file, as a MiantiError.
        """
        told = self._asked(path, request, settings, progress)
        if isinstance(told, Outcome):
            return told
        if told is None:
            raise self._died(path, request, settings)
        if told.trace is not None:
            _log.error("%s", told.trace)
            self._end()  # what an error nobody foresaw has left in it is not known
        error = _error(told)
        lacks = isinstance(error, Unexpected) and not (told.notes or request.dry_run)
        if lacks:  # nor had it memory left to hold
            error.add_note(hold(path, request, settings, Unexpected.__name__))
        raise error

    def publish_any(
        self,
        path: Path,
        request: Request,
        settings: Settings,
        progress: Progress = no_progress,
    ) -> Outcome:
        """Publish a file here where it is small, or none, and beside this process otherwise.

        Raises what `publish_path` and `publish` raise.
        """
        here = not path.is_file() or is_small(path)
        publish = publish_path if here else self.publish
        return publish(path, request, settings, progress)

    def _asked(
        self, path: Path, request: Request, settings: Settings, progress: Progress
    ) -> Outcome | _Failure | None:
        """Return what the process answers; None where it ended, or was at it for too long."""
        seconds = seconds_given(path.stat().st_size)
        ends = time.monotonic() + _WAITING * seconds
        try:
            pipe = self._started()
            pipe.send((path, request, settings, seconds))
            while pipe.poll(max(ends - time.monotonic(), 0)):
                told: Outcome | _Failure | _Step = pipe.recv()
                if not isinstance(told, tuple):
                    return told
                progress(*told)
        except (EOFError, ConnectionError):
            return None
        self._late = True
        return None

    def _started(self) -> Connection:
        if self._pipe is None:
            self._pipe, theirs = Pipe()
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE, number, str(self._memory)],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "RUST_BACKTRACE": "0"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            theirs.close()
        return self._pipe

    def _died(self, path: Path, request: Request, settings: Settings) -> MiantiError:
        late, self._late = self._late, False
        code = self._end(0 if late else _PATIENCE)
        _log.error("the process that published a file ended: %s", "too late" if late else code)
        if code in _ENDED and not late:
            return Elsewhere(
                "Publishing was ended; the file is published by the next run.",
                "发布过程被终止；该文件将在下次运行时发布。",
            )
        error = TooLong() if late or code == -signal.SIGXCPU else TooMuch()
        if not request.dry_run:
            error.add_note(hold(path, request, settings, type(error).__name__))
        return error

    def _end(self, patience: float = _PATIENCE) -> int | None:
        """End the process where there is one; return how it ended. A file it is at is given up.

        `patience`: seconds in which it may end by itself.
        """
        if self._pipe is None or self._process is None:
            return None
        self._pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.kill()
        code = self._process.wait()
        self._pipe = self._process = None
        return code


def _error(told: _Failure) -> MiantiError:
    kinds: dict[str, type[MiantiError]] = {"busy": LedgerBusy, "elsewhere": Elsewhere}
    error = kinds.get(told.of, MiantiError if told.trace is None else Unexpected)(*told.said)
    for note in told.notes:
        error.add_note(note)
    return error


def serve() -> None:
    """Publish files as they are asked for, until nobody can ask any more."""
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a person ends both at once; one of them says so
    pipe = Connection(int(sys.argv[1]))
    _bound(int(sys.argv[2]))

    def tell(step: Step, done: int, of: int) -> None:
        pipe.send((step, done, of))

    with kept(), suppress(EOFError):
        while True:
            path, request, settings, seconds = pipe.recv()
            told: Outcome | _Failure
            try:
                _bound_time(seconds)
                told = publish_path(path, request, settings, tell)
            except FAILURES as error:
                told = _failure(error)
            pipe.send(told)


def _failure(error: BaseException) -> _Failure:
    of: Literal["file", "elsewhere", "busy"] = "elsewhere" if is_elsewhere(error) else "file"
    foreseen = isinstance(error, MiantiError)
    said = error if isinstance(error, MiantiError) else unexpected(error)
    return _Failure(
        "busy" if isinstance(error, LedgerBusy) else of,
        (said.message_en, said.message_zh),
        tuple(getattr(error, "__notes__", ())),
        None if foreseen else trace(error),
    )


def _bound(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what it leaves behind would hold rows
    with suppress(OSError):  # where the machine itself has no more, this process is ended first
        Path("/proc/self/oom_score_adj").write_text("500")


def _bound_time(seconds: int) -> None:
    """Have this process ended (SIGXCPU) once it has used the processor for so long from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = math.ceil(used.ru_utime + used.ru_stime) + seconds
    soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, most))
