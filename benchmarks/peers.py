"""The same topic landed by other programs, so that a reader can judge: no checks, no quarantine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.events import FAMILY, TOPIC
from benchmarks.record import Record
from benchmarks.server import topic
from deploy.local.prerequisites import maven
from schemas.avro import event_schema

TITLE = "The same topic, landed by others"
_HERE = Path(__file__).parent / "programs"
#: Each has packages of its own, which would not go with the project's.
_VENVS = Path(__file__).parents[1] / ".mianti" / "bench"
PROGRAMS = ("dlt_arrow", "spark_local")


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """Run fastavro one by one, and each program that can be installed here."""
    schema = folder / "event.avsc"
    schema.write_text(json.dumps(event_schema(FAMILY)), "utf-8")
    with topic(address, folder, count, **{"compression.type": "lz4"}):
        for key, name in (
            ("land (by Mianti)", "land_whole"),
            ("fastavro one by one", "one_by_one"),
        ):
            record.measure(key, name, address, folder / name, count)
            shutil.rmtree(folder / name)
        for program in PROGRAMS:
            try:
                python = _installed(program)
            except (OSError, subprocess.CalledProcessError) as error:
                record.lack(program, f"could not be installed: {error}")
                continue
            target = folder / program
            what = [address, TOPIC, str(count), str(schema), str(target)]
            command = [str(python), str(_HERE / f"{program}.py"), *what]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                record.lack(program, f"ended with {done.returncode}")
                continue
            for key, found in json.loads(done.stdout.splitlines()[-1]).items():
                record.note(key, found)
            shutil.rmtree(target)


def _installed(program: str) -> Path:
    """Return the Python of a program's own virtual environment, made the first time."""
    venv, wanted = _VENVS / program, _HERE / f"{program}.txt"
    python, mark = venv / "bin" / "python", venv / wanted.name
    if not mark.exists() or mark.read_text() != wanted.read_text():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(wanted)], check=True)
        if (jars := wanted.with_suffix(".xml")).exists():
            fetch = [maven(), "-q", "-B", "-f", str(jars), "dependency:copy-dependencies"]
            where = [f"-DoutputDirectory={venv / 'jars'}", "-DincludeScope=runtime"]
            subprocess.run([*fetch, *where], check=True)
        shutil.copy(wanted, mark)
    return python
