"""The command `rsflow`: parses, calls, prints.

Exit codes: 0 done, 1 failed, 2 wrong use (of the command or the configuration), 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from rsflow import __version__
from rsflow.errors import RsflowError

EXAMPLE = """examples:
  rsflow demo-scenes demo-out/scenes          write small scenes of three sensors and a configuration for them
  rsflow plan demo-out/scenes/demo.yaml       what a build would do
  rsflow build demo-out/scenes/demo.yaml      label, select and shard; run it again and it does only what is missing
  rsflow show demo-out/scenes/lake -o s.png   look at samples, with boxes and text
  rsflow verify demo-out/scenes/lake          re-read every shard and check that nothing was lost
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; user mistakes are told in words, bugs keep their traceback."""
    arguments = _parser().parse_args(argv)
    # A job that is stopped gets SIGTERM: it should end as Ctrl-C does, with what is finished committed.
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except RsflowError as error:
        print(f"rsflow: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("rsflow: interrupted: what was committed stays; run the same command to go on", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rsflow",
        description="Remote-sensing scenes and annotated sets in; one instruction dataset out, streamed into training.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rsflow {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _phase(commands, "build", "run label, select and shard, and say what exists then", ("label", "select", "shard"))
    _phase(commands, "label", "cut scenes into tiles, label them, make instructions", ("label",))
    _phase(commands, "select", "drop duplicates, deal splits, apply quotas", ("select",))
    _phase(commands, "shard", "write the selected samples as shards and a snapshot", ("shard",))
    plan = _command(commands, "plan", "tell what a build would do, without doing it", _plan)
    _config(plan)
    status = _command(commands, "status", "tell what a lake holds, its balance, and what a build would do", _status)
    _root(status)
    verify = _command(commands, "verify", "re-read all shards of the latest snapshot; exit 1 on any difference", _verify)
    _root(verify)
    show = _command(commands, "show", "draw samples with their boxes and text as a contact sheet", _show)
    _root(show)
    show.add_argument("--tile", metavar="ID", help="only this tile (its id or sample key)")
    show.add_argument("--task", metavar="T", help="only samples with an instruction of this task, and just these instructions")
    show.add_argument("--sensor", metavar="S", help="only samples of this sensor")
    show.add_argument("--split", metavar="NAME", help="only samples of this split")
    show.add_argument("-n", type=int, default=12, metavar="N", help="how many samples (default 12)")
    show.add_argument("-o", "--output", default="sheet.png", metavar="FILE", help="the picture to write (default sheet.png)")
    demo = _command(commands, "demo-scenes", "write the demo's scenes, annotations and configuration", _demo_scenes)
    demo.add_argument("folder", metavar="DIR")
    demo.add_argument("--seed", type=int, default=7, help="another place for another number (default 7)")
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, what: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _phase(commands: _Commands[argparse.ArgumentParser], name: str, what: str, phases: tuple[str, ...]) -> None:
    parser = _command(commands, name, what, _run)
    parser.set_defaults(phases=phases)
    _config(parser)
    if "label" in phases:
        parser.add_argument(
            "--retry-rejects", action="store_true", help="try scenes again that were rejected, for example after a repair"
        )


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="a YAML file, see configs/")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="replace a setting: tiles.size_px=256, engine.kind=inline"
    )


def _root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", metavar="ROOT", help="the lake: the `root` of its configuration, a folder or s3:// address")


def _run(arguments: argparse.Namespace) -> int:
    from rsflow.engine.build import run
    from rsflow.engine.recipe import load
    from rsflow.report.summary import summary_text
    from rsflow.telling import summary_of, write_card

    built = load(arguments.config, arguments.overrides)
    outcome = run(built, arguments.phases, getattr(arguments, "retry_rejects", False))
    if outcome.sharded and outcome.selected:
        write_card(built, outcome)
    print(summary_text(summary_of(outcome)))
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from rsflow.engine.build import plan_build
    from rsflow.engine.plan import count
    from rsflow.engine.recipe import load
    from rsflow.lake.tables import lake_at
    from rsflow.report.plan_text import plan_text
    from rsflow.telling import plan_facts

    built = load(arguments.config, arguments.overrides)
    print(plan_text(plan_facts(count(plan_build(built, lake_at(built.root))))))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from rsflow.engine.build import status
    from rsflow.report.plan_text import plan_text
    from rsflow.telling import held_text, plan_facts

    held, planned = status(arguments.root)
    print(held_text(held))
    print(plan_text(plan_facts(planned)))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from rsflow.engine.build import lake_balances
    from rsflow.shards.verify import verify_snapshot

    found = verify_snapshot(arguments.root)
    faults = [*found.differences, *(balance.line() for balance in lake_balances(arguments.root) if not balance.closes)]
    for fault in faults:
        print(fault)
    if faults:
        print(f"rsflow: {arguments.root}: {len(faults)} differences", file=sys.stderr)
        return 1
    print(f"{arguments.root}: {found.shards} shards, {found.samples} samples, {found.bytes} bytes: all as the manifest says")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from rsflow.report.show import Choice, show

    choice = Choice(arguments.tile, arguments.task, arguments.sensor, arguments.split, arguments.n)
    drawn = show(arguments.root, choice, arguments.output)
    print(f"{arguments.output}: {drawn} samples")
    return 0


def _demo_scenes(arguments: argparse.Namespace) -> int:
    from rsflow.demo.write import write_demo_scenes

    written = write_demo_scenes(arguments.folder, arguments.seed)
    print(f"{len(written.scenes)} scenes with {written.boxes} annotated objects; next: rsflow build {written.config}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
