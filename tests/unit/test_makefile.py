"""What `make clean` and `make distclean` remove, and what they leave."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = "kafka/libs/kafka.jar"
DATA = ["kafka/data/meta.properties", "kafka/log.txt", "lake/log/a.parquet", "stack.json"]
KEPT = ["settings.toml", "operators.yaml", "zone/fire/list/a.csv"]


@pytest.mark.parametrize(
    ("target", "kept"),
    [("clean", [*KEPT, FETCHED]), ("distclean", KEPT)],
    ids=["clean", "distclean"],
)
def test_data_go_what_a_person_wrote_stays_and_kafka_is_not_fetched_again(
    tmp_path: Path, target: str, kept: list[str]
) -> None:
    home, venv = tmp_path / "a home", tmp_path / "venv"
    for name in (FETCHED, *DATA, *KEPT):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    words = ["make", target, f"MIANTI_HOME={home}", f"VENV={venv}"]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    left = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(kept)


def test_both_are_among_the_targets_that_are_listed() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "make clean " in told.stdout
    assert "make distclean " in told.stdout
