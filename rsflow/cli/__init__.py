"""The command `rsflow`."""

from rsflow.cli.app import main, run

__all__ = ["main", "run"]
