"""The command `rsflow`: parses, calls, prints.

Exit codes: 0 done, 1 failed, 2 wrong use (of the command or the configuration), 130 interrupted by Ctrl-C or SIGTERM; a second
signal ends it at once, with 128 and its number.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from rsflow import __version__
from rsflow.cli import exchange
from rsflow.cli import lake as commands
from rsflow.errors import ConfigError, RsflowError
from rsflow.files.storage import mask_secrets
from rsflow.sensors import SENSOR_NAMES

EXAMPLE = """examples:
  rsflow demo-scenes demo-out/scenes          write small scenes of three sensors and a configuration for them
  rsflow plan demo-out/scenes/demo.yaml       what a build would do
  rsflow build demo-out/scenes/demo.yaml      label, select and shard; run it again and it does only what is missing
  rsflow show demo-out/scenes/lake -o s.png   look at samples, with boxes and text
  rsflow verify demo-out/scenes/lake          re-read every shard and check that nothing was lost
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; user mistakes are told in words, bugs keep their traceback."""
    arguments = _parsed(_parser(), argv)
    # A job that is stopped gets SIGTERM: it should end as Ctrl-C does, with what is finished committed. Who ignores one (a job
    # in the background ignores Ctrl-C) goes on ignoring it.
    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in heard.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except RsflowError as error:
        text = mask_secrets(str(error))
        # YAML's and pydantic's complaints come in several lines.
        print(f"rsflow: {' '.join(text.split()) if isinstance(error, ConfigError) else text}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("rsflow: interrupted: what was committed stays; run the same command to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`). Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    arguments, rest = parser.parse_known_args(argv)
    # argparse ends a list of words at the first option: `CONFIG --retry-rejects key=value` leaves the last one over.
    if rest and not (hasattr(arguments, "overrides") and all("=" in word and word[0] != "-" for word in rest)):
        parser.error(f"unrecognised arguments: {' '.join(rest)}")
    if rest:
        arguments.overrides = [*arguments.overrides, *rest]
    return arguments


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, _end)
    # Not through sys.stderr: the signal may have come in the middle of a write to it.
    with contextlib.suppress(OSError):
        os.write(2, b"\nrsflow: ending: what is finished is being committed; a second signal ends it at once\n")
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rsflow",
        description="Remote-sensing scenes and annotated sets in; one instruction dataset out, streamed into training.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rsflow {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _phase(verbs, "build", "run label, select and shard, and say what exists then", ("label", "select", "shard"))
    _phase(verbs, "label", "cut scenes into tiles, label them, make instructions", ("label",))
    _phase(verbs, "select", "drop duplicates, deal splits, apply quotas", ("select",))
    _phase(verbs, "shard", "write the selected samples as shards and a snapshot", ("shard",))
    plan = _command(verbs, "plan", "tell what a build would do, without doing it", commands.plan)
    _config(plan)
    measured = "first label N scenes for real, to tell what models will take for the rest (the work is kept)"
    plan.add_argument("--sample", type=int, metavar="N", help=measured)
    status = _command(verbs, "status", "tell what a lake holds, its balance, and what a build would do", commands.status)
    _root(status)
    verify = _command(verbs, "verify", "re-read all shards of the latest snapshot; exit 1 on any difference", commands.verify)
    _root(verify)
    verify.add_argument("--deep", action="store_true", help="also re-read all tables and tile files of the lake")
    show = _command(verbs, "show", "draw samples with their boxes and text as a contact sheet", commands.show)
    _root(show)
    show.add_argument("--tile", metavar="ID", help="only this tile (its id or sample key)")
    show.add_argument("--task", metavar="T", help="only samples with an instruction of this task, and just these instructions")
    show.add_argument("--sensor", metavar="S", help="only samples of this sensor")
    show.add_argument("--split", metavar="NAME", help="only samples of this split")
    show.add_argument("-n", type=int, default=12, metavar="N", help="how many samples (default 12)")
    show.add_argument("-o", "--output", default="sheet.png", metavar="FILE", help="the picture to write (default sheet.png)")
    _foreign(verbs)
    _choices(verbs)
    bench = _command(
        verbs, "stream-bench", "measure how fast a snapshot's samples stream on this machine", commands.stream_bench
    )
    bench.add_argument("url", metavar="URL", help="a root or a manifest, a folder or an address")
    bench.add_argument("--split", default="train", metavar="NAME", help="(default train)")
    bench.add_argument("--workers", type=int, default=2, metavar="N", help="DataLoader workers (default 2)")
    bench.add_argument("--batch", type=int, default=32, metavar="N", help="samples of a batch (default 32)")
    bench.add_argument("--decode", action="store_true", help="decode pictures, each at its own size")
    bench.add_argument("--size", type=int, metavar="PX", help="decode and resize pictures into shared batches of this size")
    bench.add_argument("--cache", metavar="DIR", help="keep shards of a remote root here")
    bench.add_argument("--seconds", type=float, default=30.0, metavar="S", help="stop after so long (default 30)")
    demo = _command(verbs, "demo-scenes", "write the demo's scenes, annotations and configuration", commands.demo_scenes)
    demo.add_argument("folder", metavar="DIR")
    demo.add_argument("--seed", type=int, default=7, help="another place for another number (default 7)")
    return parser


def _foreign(verbs: _Commands[argparse.ArgumentParser]) -> None:
    """The commands that read and write other people's forms."""
    sources = _command(verbs, "sources", "tell which sources of a recipe are there, how to get the rest", exchange.sources)
    _config(sources)
    export = _command(verbs, "export", "write the latest snapshot as another project's loader reads it", exchange.export)
    _root(export)
    export.add_argument("--format", required=True, metavar="F", help="coco, geochat, hf, llava, mmrs or qwen")
    export.add_argument("--split", metavar="NAME", help="only this split (default: all)")
    export.add_argument("--dialect", metavar="D", help="spell boxes so instead of as the format does")
    export.add_argument("-o", "--output", required=True, metavar="DIR", help="a new or empty folder, or a former export's")
    import_set = _command(verbs, "import", "make a source of an instruction set that others wrote", exchange.import_set)
    import_set.add_argument("path", metavar="PATH", help="its JSON or JSON lines")
    import_set.add_argument("--format", required=True, metavar="F", help="mmrs, llava, geochat, qwen, qwen2, qwen3 or internvl")
    import_set.add_argument("--pictures", metavar="DIR", help="the folder its picture paths start from (default: the file's)")
    import_set.add_argument(
        "--sensor", choices=SENSOR_NAMES, help="of all its pictures (default: as its records or paths tell)"
    )
    import_set.add_argument("--licence", default="unknown", metavar="L", help="of the set (default unknown)")
    outside = "follow paths in the set that lead out of that folder (default: they are refused)"
    import_set.add_argument("--allow-outside", action="store_true", help=outside)
    import_set.add_argument("-o", "--output", required=True, metavar="DIR", help="where the annotations and config.yaml go")
    audit = _command(verbs, "audit", "tell what is wrong with a set of anybody's; exit 1 on any fault", exchange.audit)
    audit.add_argument(
        "path", nargs="?", metavar="PATH", help="an instruction set's JSON, or annotations (a file, folder or pattern)"
    )
    leak = "tell instead how much of TEST is also in TRAIN: folders of pictures, fingerprint files, lakes as ROOT@SPLIT"
    audit.add_argument("--leak", nargs=2, metavar=("TRAIN", "TEST"), help=leak)
    audit.add_argument("--format", metavar="F", help="its boxes' spelling, or its annotation format (default: told from it)")
    audit.add_argument("--pictures", metavar="DIR", help="the folder of its pictures, to check them too")
    audit.add_argument("--allow-outside", action="store_true", help=outside)
    audit.add_argument("--json", metavar="FILE", help="write the report as JSON as well")


def _choices(verbs: _Commands[argparse.ArgumentParser]) -> None:
    """The commands about what is in, what is out, and what must be."""
    explain = _command(verbs, "explain", "tell why a tile or an instruction is in or out, and by which rule", commands.explain)
    _root(explain)
    explain.add_argument("subject", metavar="TILE|INSTRUCTION", help="its id, or the sample key of a tile")
    explain.add_argument("-o", "--output", metavar="FILE", help="draw the tile and its duplicates side by side")
    diff = _command(verbs, "diff", "tell what changed between two snapshots, by reason", commands.diff)
    _root(diff)
    diff.add_argument("before", type=int, metavar="A", help="the number of a snapshot, as in snapshots/A.json")
    diff.add_argument("after", type=int, metavar="B", help="the number of another")
    judge = _command(
        verbs, "evaluate-labels", "tell how right labellers are, by annotated scenes of a lake", commands.evaluate_labels
    )
    _root(judge)
    judge.add_argument("--labeller", metavar="N", help="only this one, by name or key (default: all that make boxes)")
    judge.add_argument("--iou", type=float, default=0.5, metavar="X", help="overlap from which a box is right (default 0.5)")
    judge.add_argument("--json", action="store_true", help="print JSON, with the reliability of every row")
    judge.add_argument("--calibrate", action="store_true", help="learn what scores mean, and write it to -o FILE")
    judge.add_argument("-o", "--output", metavar="FILE", help="the calibration to write; a labeller's `calibration` names it")
    vacuum = _command(verbs, "vacuum", "tell which files of a lake nobody will read again, and delete them", commands.vacuum)
    _root(vacuum)
    vacuum.add_argument("--delete", action="store_true", help="delete them (not while a build of this root runs)")
    vacuum.add_argument("--keep-snapshots", type=int, metavar="N", help="the last N snapshots stay (default: all)")
    vacuum.add_argument(
        "--former", action="store_true", help="also tiles that the configuration of the last build does not ask for any more"
    )
    vacuum.add_argument("--hours", type=int, default=168, metavar="H", help="what is younger stays (default 168, a week)")
    prints = _command(verbs, "fingerprint", "describe pictures so that others can hold them out unseen", commands.fingerprint)
    prints.add_argument("folder", metavar="DIR", help="a folder of pictures or GeoTIFFs, a benchmark's for example")
    prints.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write, it ends in .parquet")


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _command(
    verbs: _Commands[argparse.ArgumentParser], name: str, what: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _phase(verbs: _Commands[argparse.ArgumentParser], name: str, what: str, phases: tuple[str, ...]) -> None:
    parser = _command(verbs, name, what, commands.build)
    parser.set_defaults(phases=phases)
    _config(parser)
    if "label" in phases:
        parser.add_argument(
            "--retry-rejects", action="store_true", help="try scenes again that were rejected, for example after a repair"
        )


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="a YAML file: the sources, and how to build from them")
    parser.add_argument(
        "overrides", nargs="*", default=[], metavar="key=value", help="replace a setting: tiles.size_px=256, engine.kind=inline"
    )


def _root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", metavar="ROOT", help="the lake: the `root` of its configuration, a folder or s3:// address")


def run(argv: Sequence[str] | None = None) -> NoReturn:
    """The command as a process: it ends without Python's own finalisation.

    Threads of the native libraries (Arrow, Delta) may still want the interpreter then, and abort a process that did its work.
    """
    code = main(argv)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
