"""The command line: a table of commands, parsed by Typer.

One idea: a command is a plain function in this folder that returns its exit code; its parameters are its arguments, its
docstring is its help. It imports what it runs only when called, so that `rsflow --help` loads no heavy library.

Exit codes: 0 done, 1 failed, 2 wrong use (of the command or the configuration), 130 interrupted by Ctrl-C or SIGTERM; a second
signal ends it at once, with 128 and its number.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, NoReturn, cast

import typer
from typer.core import TyperGroup

from rsflow import __version__
from rsflow.cli import (
    building,
    demo,
    exchange,
    labeller,
    lake,
    quality,
    reporting,
    selection,
    start,
    streaming,
    training,
    viewing,
)
from rsflow.cli.signals import interruptible
from rsflow.errors import ConfigError, RsflowError

Command = Callable[..., int]


class LogFormat(enum.StrEnum):
    """What stderr gets: lines for people, or one JSON object per line."""

    text = "text"
    json = "json"


COMMANDS: dict[str, Command] = {
    "init": start.init,
    "build": building.build,
    "label": building.label,
    "generate": building.generate,
    "select": building.select,
    "shard": building.shard,
    "plan": building.plan,
    "sources": exchange.sources,
    "status": lake.status,
    "costs": lake.costs,
    "verify": lake.verify,
    "vacuum": lake.vacuum,
    "relocate": lake.relocate,
    "show": lake.show,
    "view": viewing.view,
    "review": viewing.review,
    "report": reporting.report,
    "explain": selection.explain,
    "replay": selection.replay,
    "rejects": selection.rejects,
    "diff": selection.diff,
    "fingerprint": selection.fingerprint,
    "train": training.train,
    "evaluate": quality.evaluate,
    "evaluate-labels": quality.evaluate_labels,
    "audit": quality.audit,
    "train-labeller": labeller.train_labeller,
    "suggest": labeller.suggest,
    "import": exchange.import_set,
    "export": exchange.export,
    "stream-bench": streaming.stream_bench,
    "demo-scenes": demo.demo_scenes,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. A user's mistake is one line on stderr; a bug keeps its traceback."""
    # What `--log-format` puts in its place ends with the command.
    with interruptible(), contextlib.redirect_stderr(sys.stderr):
        try:
            return int(_command_group()(argv, prog_name="rsflow", standalone_mode=False) or 0)
        except typer.TyperException as error:
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "rsflow"
            _print_error(f"{error.format_message().rstrip('.')} (see `{command} --help`)")
            return error.exit_code


def run(argv: Sequence[str] | None = None) -> NoReturn:
    """The command as a process: it ends without Python's own finalisation.

    Threads of the native libraries (Arrow, Delta) may still need the interpreter then, and abort a process that did its work.
    """
    code = main(argv)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


@functools.cache
def _command_group() -> TyperGroup:
    """All commands with their parsers: made once, because that takes longer than many a command."""
    settings = {"help_option_names": ["-h", "--help"], "terminal_width": min(110, shutil.get_terminal_size((110, 24)).columns)}
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=settings)
    app.callback(epilog=_epilog(_start.__doc__), help=_help(_start.__doc__))(_start)
    for name, command in COMMANDS.items():
        app.command(name, help=_help(command.__doc__), epilog=_epilog(command.__doc__))(_with_error_lines(command))
    return cast(TyperGroup, typer.main.get_command(app))


def _print_version(requested: bool) -> None:
    if requested:
        print(f"rsflow {__version__}")
        raise typer.Exit


def _set_log_format(chosen: LogFormat) -> None:
    if chosen is LogFormat.json:
        from rsflow.engine.json_log import JsonLog

        sys.stderr = JsonLog(sys.stderr)


def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(callback=_set_log_format, envvar="RSFLOW_LOG_FORMAT", help="How progress and messages go to stderr."),
    ] = LogFormat.text,
) -> None:
    """Remote-sensing scenes and annotated sets in; one instruction dataset out, streamed into training.

    Examples:
      rsflow demo-scenes demo-out/scenes          write small scenes of three sensors and a configuration for them
      rsflow plan demo-out/scenes/demo.yaml       what a build would do
      rsflow build demo-out/scenes/demo.yaml      label, select and shard; run again, it does only what is missing
      rsflow show demo-out/scenes/lake -o s.png   draw samples with their boxes and text
      rsflow verify demo-out/scenes/lake          read every shard again and compare it with its manifest
    """


def _help(docstring: str | None) -> str:
    return inspect.cleandoc(docstring or "").partition("Examples:\n")[0].strip()


def _epilog(docstring: str | None) -> str:
    """The examples of a docstring; the control character \\b keeps their lines from being wrapped."""
    examples = inspect.cleandoc(docstring or "").partition("Examples:\n")[2]
    return f"\b\nExamples:\n{examples}"


def _with_error_lines(command: Command) -> Command:
    """The command with errors turned into one line on stderr and an exit code."""

    @functools.wraps(command)
    def run_command(*arguments: object, **options: object) -> int:
        try:
            return command(*arguments, **options)
        except RsflowError as error:
            # YAML's and pydantic's messages have several lines.
            _print_error(" ".join(str(error).split()) if isinstance(error, ConfigError) else str(error))
            return error.exit_code
        except KeyboardInterrupt:
            _print_error("interrupted: what was committed stays; run the same command to go on")
            return 130
        except BrokenPipeError:
            # The reader of our output closed it (`| head`). Python would complain again when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    return run_command


def _print_error(message: str) -> None:
    from rsflow.files.storage import mask_secrets

    print(f"rsflow: {mask_secrets(message)}", file=sys.stderr)
