"""The programs of others that the local Kafka needs, checked before anything is started.

Runs by itself on the standard library alone, so that `make` can ask before it installs anything.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from connectors.errors import MiantiError

JAVA_AT_LEAST = 17
# For every Java: in the C locale it cannot open a directory with a Chinese name.
UTF8 = {"LC_ALL": "C.UTF-8"}


class Missing(MiantiError):
    """A program is not there, or too old."""


def java() -> str:
    """The Java to run Kafka with: JAVA_HOME's, else the one on PATH.

    Raises Missing when there is none of version 17 or later (Kafka 4's servers need it).
    """
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    version = _java_version(found) if found else None
    if found is None or version is None or version < JAVA_AT_LEAST:
        raise Missing(
            f"Java {JAVA_AT_LEAST} or newer is needed to run Kafka here: "
            "`apt-get install openjdk-17-jre-headless` or `brew install openjdk@17`; "
            "or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of yours.",
            f"在本机运行 Kafka 需要 Java {JAVA_AT_LEAST} 或更高版本："
            "`apt-get install openjdk-17-jre-headless` 或 `brew install openjdk@17`；"
            "也可以用 KAFKA_BOOTSTRAP_SERVERS 指定已有的 Kafka。",
        )
    return found


def maven() -> str:
    """The Maven to fetch Kafka's jars with. Raises Missing when there is none."""
    found = shutil.which("mvn")
    if found is None:
        raise Missing(
            "Maven is needed once, to fetch Kafka: `apt-get install maven` or "
            "`brew install maven`; or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of yours.",
            "首次获取 Kafka 需要 Maven：`apt-get install maven` 或 `brew install maven`；"
            "也可以用 KAFKA_BOOTSTRAP_SERVERS 指定已有的 Kafka。",
        )
    return found


def _java_version(java: str) -> int | None:
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r'version "(\d+)', told.stderr)  # "17.0.15", "25-ea"; "1.8.0" is Java 8
    return int(number[1]) if number else None


if __name__ == "__main__" and not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
    try:
        java(), maven()
    except Missing as missing:
        sys.exit(str(missing))
