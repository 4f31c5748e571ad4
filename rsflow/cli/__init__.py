"""The command `rsflow`: one file per group of commands, one row per command in the table of rsflow.cli.app."""

from rsflow.cli.app import main, run

__all__ = ["main", "run"]
