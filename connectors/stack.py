"""What runs for one MIANTI_HOME: the file that says so, and whether it is still true."""

import os
import subprocess
from pathlib import Path

from pydantic import BaseModel, ValidationError

from connectors.errors import MiantiError

PROC = Path("/proc")


class BadStack(MiantiError):
    """What says which servers run cannot be read."""


class Server(BaseModel):
    """One process of the local stack, and the address it answers on.

    A stopped server keeps its address, so that it comes back on the same port.
    """

    address: str
    pid: int | None = None
    started: str | None = None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a recycled pid is not it."""
        if self.pid is None or self.started is None:
            return False
        return start_mark(self.pid) == self.started


class Stack(BaseModel):
    """The servers of one home, as `mianti up` left them; None where one was never started."""

    kafka: Server | None = None
    prefect: Server | None = None
    serve: Server | None = None
    follow: Server | None = None
    replica: Server | None = None
    window: Server | None = None

    @classmethod
    def read(cls, home: Path) -> "Stack":
        """The state in `home`/stack.json; an empty one where there is none. Raises BadStack."""
        file = home / "stack.json"
        try:
            return cls.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError:
            raise BadStack(
                f"{file}, which says what runs here, cannot be read (a power cut, or a full disk): end "
                "what still runs of this home, remove that file, and run `mianti up`. Data are not "
                "touched by it.",
                f"无法读取 {file}（该文件记录本机运行的服务，可能因断电或磁盘写满而损坏）：请结束本目录仍在运行的"
                "进程，删除该文件，再执行 `mianti up`。数据不受影响。",
            ) from None

    def write(self, home: Path) -> None:
        """Put the state in place whole, so that a reader never sees half of it."""
        part = home / "stack.json.part"
        part.write_text(self.model_dump_json(indent=2) + "\n")
        part.replace(home / "stack.json")


def start_mark(pid: int) -> str | None:
    """When the process started, in its system's own spelling; None when it has ended.

    Linux: clock ticks since boot (field 22 of /proc/PID/stat, proc(5)). Elsewhere: what ps says.
    """
    return _proc_mark(pid) if (PROC / "self").exists() else _ps_mark(pid)


def _proc_mark(pid: int) -> str | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        threads = len(list((PROC / str(pid) / "task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name, may hold blanks and brackets: count from its end.
    fields = stat.rpartition(")")[2].split()
    # A killed JVM's first thread is a zombie while others still hold its port and its locks.
    return None if fields[0] in "ZX" and threads <= 1 else fields[19]


def _ps_mark(pid: int) -> str | None:
    ps = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = ps.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()
