"""What becomes of messages, files and questions; some of it run by Prefect."""

import os

# Before anything here imports Prefect, whose client otherwise tells its makers of its use.
os.environ["DO_NOT_TRACK"] = "1"
