"""Files as departments export them: read in chunks, and given back with what was refused."""

from connectors.files.columns import FAULT, REFUSED_COLUMNS, REFUSED_KEYS, ROW
from connectors.files.open import open_source
from connectors.files.refused import RefusedFile
from connectors.files.sheets import Sheets
from connectors.files.source import FAULTS, Chunk, Sheet, Source
from connectors.files.unreadable import Unreadable

__all__ = [
    "FAULT",
    "FAULTS",
    "REFUSED_COLUMNS",
    "REFUSED_KEYS",
    "ROW",
    "Chunk",
    "RefusedFile",
    "Sheet",
    "Sheets",
    "Source",
    "Unreadable",
    "open_source",
]
