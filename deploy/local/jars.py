"""Apache Kafka's jars, fetched once by Maven into the home."""

import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from connectors.errors import MiantiError
from deploy.local.prerequisites import UTF8, maven

POM = Path(str(files("deploy") / "kafka" / "pom.xml"))
SECONDS = 600


class NotFetched(MiantiError):
    """Maven could not bring the jars."""


def jars_are_here(libs: Path) -> bool:
    """Whether `libs` holds the jars of the present pom.xml; a copy of it marks a whole fetch."""
    mark = libs / POM.name
    return mark.exists() and mark.read_bytes() == POM.read_bytes()


def fetch_jars(libs: Path) -> None:
    """Have Maven fill `libs` with the 46 jars (43 MB), whole or not at all.

    Raises Missing where there is no Maven, NotFetched when it fails.
    """
    part = libs.with_name(libs.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    command = [maven(), "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
               "-DincludeScope=runtime", f"-DoutputDirectory={part}"]  # fmt: skip
    try:
        subprocess.run(
            command,
            env={**os.environ, **UTF8},
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
    except subprocess.CalledProcessError as failed:
        raise _not_fetched(_first_error(failed.stdout)) from failed
    except subprocess.TimeoutExpired as late:
        raise _not_fetched(f"no end after {SECONDS} s") from late
    shutil.copy(POM, part)
    shutil.rmtree(libs, ignore_errors=True)
    part.rename(libs)


def _first_error(output: str) -> str:
    lines = (line for line in output.splitlines() if line.startswith("[ERROR]"))
    return next(lines, "[ERROR] no reason given").removeprefix("[ERROR] ")


def _not_fetched(why: str) -> NotFetched:
    return NotFetched(
        f"Maven could not fetch Kafka; check the network and Maven's settings. It said: {why}",
        f"Maven 无法获取 Kafka，请检查网络和 Maven 配置。Maven 的提示：{why}",
    )
