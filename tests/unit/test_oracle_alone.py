"""The oracle owes the product nothing: it imports none of it, nor anything the product is made of."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests import oracle

FOLDER = Path(oracle.__file__).parent
#: Readers of formats and protocols; none of them decides anything of ours.
ALLOWED = {*sys.stdlib_module_names, "cryptography", "duckdb", "fastavro", "kafka", "yaml"}
MODULES = sorted(FOLDER.rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Return the names of all modules that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they lead"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Name):
            assert node.id not in ("__import__", "exec", "eval"), "an import that nobody sees"
    return found


def foreign(names: set[str]) -> set[str]:
    """Return those that are neither the oracle's own nor allowed."""
    own = {name for name in names if name.startswith("tests.oracle")}
    return {name for name in names - own if name.partition(".")[0] not in ALLOWED - {"importlib"}}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_oracle_imports_nothing_of_the_product(path: Path) -> None:
    assert foreign(imported(ast.parse(path.read_text("utf-8")))) == set()


def test_an_import_of_the_product_is_seen() -> None:
    assert len(MODULES) > 10
    for text in (
        "import flows.check",
        "from connectors import lake",
        "def f():\n    from schemas.canonical import event_id",
        "import polars",
        "import importlib",
        "from tests.support import window",
    ):
        assert foreign(imported(ast.parse(text)))
