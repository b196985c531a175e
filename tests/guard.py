"""Stops the local stack of a home when the process at the other end of stdin has gone.

Run as `python tests/guard.py HOME`: however the test run ends, no server of its outlives it.
"""

import sys
from pathlib import Path

from connectors.settings import Settings
from deploy.local.lifecycle import down

if __name__ == "__main__":
    sys.stdin.buffer.read()
    down(Settings(mianti_home=Path(sys.argv[1])))
