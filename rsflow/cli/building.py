"""The commands that build a lake from a configuration: build and its phases label, generate, select and shard, and plan."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from typer import Option

from rsflow.cli.options import Config, Json, Overrides
from rsflow.errors import UndoneError, UsageError

if TYPE_CHECKING:
    from rsflow.config.settings import BuildConfig
    from rsflow.phases.build import Phase

RetryRejects = Annotated[
    bool, Option("--retry-rejects", help="try rejected scenes again, for example after their files were repaired")
]


def build(config: Config, overrides: Overrides = None, retry_rejects: RetryRejects = False, json: Json = False) -> int:
    """Run label, generate, select and shard, and report what exists then.

    Examples:
      rsflow build build.yaml                          all phases; run again, it does only what is missing
      rsflow build build.yaml engine.kind=inline       in this process, without Ray
      rsflow build build.yaml tiles.size_px=256 --retry-rejects
    """
    return _run_phases(config, overrides, ("label", "generate", "select", "shard"), retry_rejects, json)


def label(config: Config, overrides: Overrides = None, retry_rejects: RetryRejects = False, json: Json = False) -> int:
    """Cut scenes into tiles, label them and make instructions.

    Examples:
      rsflow label build.yaml
      rsflow label build.yaml --retry-rejects
    """
    return _run_phases(config, overrides, ("label",), retry_rejects, json)


def generate(config: Config, overrides: Overrides = None, retry_rejects: RetryRejects = False, json: Json = False) -> int:
    """Choose what the selection will keep, and have the configured model write about it.

    Examples:
      rsflow generate build.yaml
      rsflow generate build.yaml budget.money=20
    """
    return _run_phases(config, overrides, ("generate",), retry_rejects, json)


def select(config: Config, overrides: Overrides = None, json: Json = False) -> int:
    """Drop duplicates, assign splits and apply quotas.

    Examples:
      rsflow select build.yaml
      rsflow select build.yaml 'select.splits={train: 0.8, test: 0.2}'
    """
    return _run_phases(config, overrides, ("select",), json=json)


def shard(config: Config, overrides: Overrides = None, json: Json = False) -> int:
    """Write the selected samples as shards and a snapshot.

    Examples:
      rsflow shard build.yaml
      rsflow shard build.yaml shard.target_mb=256
    """
    return _run_phases(config, overrides, ("shard",), json=json)


def plan(
    config: Config,
    overrides: Overrides = None,
    sample: Annotated[
        int | None,
        Option(metavar="N", help="first label N scenes for real, to measure what models take per tile (the work is kept)"),
    ] = None,
    json: Json = False,
) -> int:
    """Report what a build would do, without doing it.

    Examples:
      rsflow plan build.yaml
      rsflow plan build.yaml --sample 3                label three scenes, then estimate the rest from them
    """
    from rsflow.inspection.facts.json_reports import plan_json, to_json_text
    from rsflow.inspection.facts.report_facts import plan_facts
    from rsflow.lake.tables import find_lake
    from rsflow.phases.build import plan_build
    from rsflow.phases.build import sample as label_sample
    from rsflow.planning.estimates.estimate import estimate_build
    from rsflow.planning.plan import undone_text
    from rsflow.report.text.plan_text import plan_text

    built, missing = load_available(config, overrides)
    if sample is not None:
        if sample < 1:
            raise UsageError(f"--sample is {sample}: expected a number of scenes from 1")
        label_sample(built, sample)
    lake = find_lake(built.root)
    plan = plan_build(built, lake)
    estimate = estimate_build(built, plan, lake)
    print(to_json_text(plan_json(built.root, estimate, missing)) if json else plan_text(plan_facts(estimate)))
    if plan.undone:
        raise UndoneError(undone_text("scenes", plan.scenes.num_rows + len(plan.undone), plan.undone))
    return 0


def _run_phases(
    config: str, overrides: list[str] | None, phases: tuple[Phase, ...], retry_rejects: bool = False, json: bool = False
) -> int:
    from rsflow.inspection.facts.json_reports import build_json, to_json_text
    from rsflow.inspection.facts.report_facts import summarise_build, write_card
    from rsflow.inspection.facts.snapshot_report import write_report
    from rsflow.phases.build import run
    from rsflow.report.build_summary import summary_text

    built, missing = load_available(config, overrides)
    result = run(built, phases, retry_rejects)
    if result.sharded and result.selected:
        write_card(built, result)
        write_report(built, result)
    print(to_json_text(build_json(result, missing)) if json else summary_text(summarise_build(result)))
    if missing and not json:
        print(f"lacked        {_missing_line(missing)}")
    return 0


def load_available(config: str, overrides: list[str] | None) -> tuple[BuildConfig, dict[str, str]]:
    """The configuration without the optional sources that are missing, and the pattern that matched no file of each of these.

    Which sources are missing, and which the licences exclude, is also printed on stderr.
    """
    from rsflow.config.availability import describe_disallowed, drop_missing_sources
    from rsflow.planning.recipe import load

    built, missing = drop_missing_sources(load(config, overrides or []))
    if excluded := describe_disallowed(built):
        print(f"rsflow: warning: {excluded}", file=sys.stderr)
    if missing:
        print(f"rsflow: warning: {_missing_line(missing)} (see `rsflow sources {config}`)", file=sys.stderr)
    return built, missing


def _missing_line(missing: dict[str, str]) -> str:
    return f"{len(missing)} sources were not there and are left out: {', '.join(missing)}"
