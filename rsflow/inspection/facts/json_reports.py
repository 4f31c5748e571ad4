"""What commands report, as plain JSON values with stable keys: `--json`, described in docs/json.md.

One idea: each function builds one document from the facts that the text report of the same command is made of, so both say the
same. What is unknown is null; a number that is not finite is null too, because JSON has no word for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rsflow.generation.spending.costs import CostLine
from rsflow.inspection.diff import Diff
from rsflow.inspection.explain import Explained, ExplainedRejects
from rsflow.inspection.facts.report_facts import plan_facts, summarise_build
from rsflow.lake.integrity.unreferenced import UnreferencedFiles
from rsflow.phases.build import BuildResult, LakeStatus
from rsflow.phases.row_balance import Balance
from rsflow.phases.select.leakage import SetLeak
from rsflow.planning.estimates.estimate import BuildEstimate
from rsflow.report.explain import describe_reason
from rsflow.report.text.sources_text import SourceState
from rsflow.shards.verify import Verification

Json = dict[str, Any]


def to_json_text(document: Any) -> str:
    """The document as indented JSON, keys in their order, without a newline at the end."""
    return json.dumps(to_plain(document), indent=1, ensure_ascii=False, allow_nan=False)


def build_json(result: BuildResult, missing_sources: Mapping[str, str]) -> Json:
    summary = summarise_build(result)
    return {
        "root": summary.root,
        "snapshot": summary.snapshot,
        "scenes": asdict(summary.scenes),
        "tiles": summary.tiles_kept,
        "rejects": dict(summary.rejects),
        "instructions": _nest(summary.instructions),
        "shards": asdict(summary.shards) if summary.shards else None,
        "balances": _balances(result.balances),
        "models": [asdict(use) for use in summary.models],
        "seconds": dict(summary.seconds),
        "missing_sources": dict(missing_sources),
        "empty_sources": dict(summary.empty_sources),
    }


def plan_json(root: str, estimate: BuildEstimate, missing_sources: Mapping[str, str]) -> Json:
    return {"root": root, **_estimate(estimate), "missing_sources": dict(missing_sources)}


def _estimate(estimate: BuildEstimate) -> Json:
    return {**_without(asdict(plan_facts(estimate)), "source_lines"), "sources": [asdict(one) for one in estimate.sources]}


def status_json(status: LakeStatus, planned: BuildEstimate | str) -> Json:
    known = isinstance(planned, BuildEstimate)
    return {
        "root": status.root,
        "rows": status.rows,
        "snapshot": status.snapshot,
        "balances": _balances(status.balances),
        "empty_sources": status.empty_sources,
        "plan": _estimate(planned) if isinstance(planned, BuildEstimate) else None,
        "plan_error": None if known else planned,
    }


def costs_json(root: str, lines: Sequence[CostLine]) -> Json:
    return {"root": root, "costs": [asdict(line) for line in lines]}


def verify_json(root: str, checked: Verification, differences: Sequence[str]) -> Json:
    counts = {"shards": checked.shards, "samples": checked.samples, "bytes": checked.bytes}
    return {"root": root, **counts, "differences": list(differences)}


def vacuum_json(root: str, waste: Iterable[UnreferencedFiles], deleted: bool) -> Json:
    return {"root": root, "deleted": deleted, "waste": [asdict(part) for part in waste]}


def explain_json(found: Explained | ExplainedRejects) -> Json:
    if isinstance(found, ExplainedRejects):
        kind = "scene" if found.scene else found.rejects[0]["kind"]
        return {"subject": found.subject, "kind": kind, "selected": False, **_without(asdict(found), "subject")}
    subject = found.subject
    return {
        "subject": subject["subject"],
        "kind": subject["kind"],
        "selected": subject["selected"],
        "reason": subject["reason"],
        "meaning": describe_reason(subject["reason"]),
        "tile": found.tile,
        "cluster": list(found.members),
        "nearest": list(found.near),
        "instructions": found.instructions,
        "pictures": list(found.pictures),
        "transfers": list(found.transfers),
    }


def rejects_json(root: str, rows: Sequence[Mapping[str, Any]]) -> Json:
    return {"root": root, "rejects": [dict(row) for row in rows]}


def diff_json(root: str, before: int, after: int, found: Diff) -> Json:
    return {"root": root, "before": before, "after": after, "counts": found.counts, "examples": found.examples}


def sources_json(states: Iterable[SourceState]) -> Json:
    return {
        "sources": [
            {
                "name": state.source.name,
                "sensor": state.source.sensor,
                "licence": state.source.licence,
                "state": state.word,
                "pictures": state.pictures,
                "records": state.records,
                "rejected": state.rejected,
                "missing": state.missing or None,
                "fault": state.fault or None,
                "published": asdict(state.source.published),
            }
            for state in states
        ]
    }


def leakage_json(found: SetLeak) -> Json:
    counts = {"train": found.train, "test": found.test, "by_test": found.by_test}
    return {**counts, "examples": [{"test": test, "name": name} for test, name in found.examples]}


def _balances(balances: Iterable[Balance]) -> list[Json]:
    return [{**asdict(balance), "balanced": balance.is_balanced} for balance in balances]


def _nest(tally: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (outer, inner), count in sorted(tally.items()):
        nested.setdefault(outer, {})[inner] = count
    return nested


def _without(document: Json, key: str) -> Json:
    return {name: value for name, value in document.items() if name != key}


def to_plain(value: Any) -> Any:
    """The value with JSON types only: keys are texts, dates ISO 8601, numbers that are not finite null."""
    if isinstance(value, Mapping):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, datetime) else value
