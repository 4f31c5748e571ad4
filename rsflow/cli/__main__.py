"""`python -m rsflow.cli`: the same as the command `rsflow`."""

from rsflow.cli import run

run()
