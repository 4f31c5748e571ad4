"""Review of a lake from outside of the page: drawing items, what was found, and decisions to and from files.

One idea: what is drawn is what is in the dataset now: selected instructions, and the labels of selected tiles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.compute as pc

from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.lake.tables import Lake, open_lake
from rsflow.lake.tile_files import read_pictures
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.review.decisions import label_target
from rsflow.review.exchange import cvat, label_studio, table_files
from rsflow.review.exchange.boxes import decisions_of
from rsflow.review.sampling import STRATA, Item, draw
from rsflow.review.store import SAMPLE_FILE, add_decisions, read_decisions, read_sample
from rsflow.review.summary import ReviewSummary, summarise_review
from rsflow.schemas.rows import filter_by_values

FORMS = ("csv", "json", "label-studio", "cvat")
_JUDGED = {"box", "category", "caption", "phrase", "question"}  # kinds of labels: measured facts are no opinions
_TILE = ["tile_id", "key", "source", "sensor", "width_px", "height_px", "picture_format"]
_PLACE = ["picture_sha256", "file", "row_group", "row"]


def draw_sample(root: str, per: str, count: int, seed: int = 0) -> dict[str, int]:
    """Draw `count` items for review, evenly over the values of `per`, and note them in the lake; the number by stratum."""
    if per not in STRATA:
        raise UsageError(f"--per is {per!r}: expected one of {', '.join(STRATA)}")
    if count < 1:
        raise UsageError(f"--sample is {count}: expected a number of items from 1")
    lake = open_lake(root, writable=True)
    found = draw(_items(lake, STRATA[per]), per, count, seed)
    if not found:
        raise UsageError(f"{root}: nothing is selected, so there is nothing to draw: run `rsflow build` first")
    items = [{**each.item._asdict(), "stratum": each.stratum, "population": each.population} for each in found]
    lake.write_json(SAMPLE_FILE, {"per": per, "seed": seed, "items": items})
    strata = [each.stratum.partition(":")[2] for each in found]
    return {name: strata.count(name) for name in sorted(set(strata))}


def _items(lake: Lake, kind: str) -> Iterator[Item]:
    now = _live_rows(lake)
    chosen = lake.read("selection", ["kind", "subject", "tile_id"], {"selected": True})
    ids = chosen.filter(pc.equal(chosen["kind"], "tile"))["subject"]
    tiles = {row["tile_id"]: row for row in filter_by_values(now.tiles(_TILE), "tile_id", ids).to_pylist()}
    if kind == "instruction":
        subjects = chosen.filter(pc.equal(chosen["kind"], "instruction"))["subject"]
        rows = filter_by_values(now.instructions(["instruction_id", "tile_id", "task"]), "instruction_id", subjects)
        for row in rows.to_pylist():
            if tile := tiles.get(row["tile_id"]):
                place = (tile["source"], tile["sensor"])
                yield Item(kind, row["instruction_id"], row["tile_id"], row["task"], *place, "", "")
        return
    for row in filter_by_values(now.labels(), "tile_id", ids).to_pylist():
        if row["kind"] in _JUDGED:
            tile = tiles[row["tile_id"]]
            place = (tile["source"], tile["sensor"])
            yield Item(kind, label_target(row), row["tile_id"], "", *place, row["origin_name"], row["category"])


def _live_rows(lake: Lake) -> LiveRows:
    return read_live_rows(lake, plan_build(read_config(lake), lake), allow_missing=True)


def read_review_summary(lake: Lake) -> ReviewSummary | None:
    """What was decided in a lake; None where nothing was."""
    rows = read_decisions(lake)
    return summarise_review(rows, (read_sample(lake) or {"items": []})["items"]) if rows else None


def review_summary(root: str) -> ReviewSummary:
    """What was drawn and decided in a lake."""
    lake = open_lake(root)
    return summarise_review(read_decisions(lake), (read_sample(lake) or {"items": []})["items"])


def review_json(root: str, found: ReviewSummary) -> dict[str, Any]:
    """The summary with stable keys (docs/json.md)."""
    agreements = [*found.pairs, *([found.overall] if found.overall else [])]
    return {
        "root": root,
        "decisions": [{"kind": kind, "action": action, "count": n} for (kind, action), n in found.decisions.items()],
        "reviewers": dict(found.reviewers),
        "drawn": found.drawn,
        "open": found.open,
        "rates": [{"by": by, **asdict(rate)} for by, rates in found.rates.items() for rate in rates],
        "agreement": [asdict(each) for each in agreements],
    }


def form_of(place: str, form: str) -> str:
    """The form of a file: as it is stated, else by the ending of its name."""
    guessed = {"csv": "csv", "json": "json", "xml": "cvat"}.get(place.rpartition(".")[2].lower(), "")
    if (form or guessed) not in FORMS:
        raise UsageError(f"{place}: of which form is it? name one with --format: {', '.join(FORMS)}")
    return form or guessed


def export_review(root: str, place: str, form: str = "") -> int:
    """Write decisions (csv, json), or the boxes and pictures of the drawn tiles for another tool; how many there are."""
    lake, form = open_lake(root), form_of(place, form)
    if form in {"csv", "json"}:
        rows = read_decisions(lake)
        storage.write_bytes(place, (table_files.to_csv if form == "csv" else table_files.to_json)(rows).encode())
        return len(rows)
    return _export_boxes(lake, place, form)


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Tiles with their labels as they count now."""

    tiles: Sequence[dict[str, Any]]
    labels: Mapping[str, list[dict[str, Any]]]


def _read_tiles(lake: Lake, tile_ids: Sequence[str]) -> _Tiles:
    now = _live_rows(lake)
    ids = sorted(set(tile_ids))
    tiles = filter_by_values(now.tiles([*_TILE, *_PLACE]), "tile_id", ids).to_pylist()
    labels: dict[str, list[dict[str, Any]]] = {tile["tile_id"]: [] for tile in tiles}
    for row in filter_by_values(now.labels(), "tile_id", ids).to_pylist():
        labels[row["tile_id"]].append(row)
    return _Tiles(tiles, labels)


def _export_boxes(lake: Lake, place: str, form: str) -> int:
    drawn = read_sample(lake)
    if drawn is None:
        raise UsageError(f"{lake.root}: no sample was drawn: `rsflow review ROOT --sample N` says which tiles to write")
    found = _read_tiles(lake, [item["tile_id"] for item in drawn["items"]])
    folder = f"{place.rpartition('.')[0] or place}-pictures"
    pictures = read_pictures(lake.root, found.tiles)
    for tile in found.tiles:
        storage.write_bytes(f"{folder}/{tile['key']}.{tile['picture_format']}", pictures[tile["tile_id"]])
    categories = sorted({row["category"] for rows in found.labels.values() for row in rows if row["kind"] == "box"})
    if form == "cvat":
        text = cvat.to_xml([(tile, found.labels[tile["tile_id"]]) for tile in found.tiles], categories)
        storage.write_bytes(f"{folder}/labels.json", cvat.label_specs(categories).encode())
    else:
        name = folder.rpartition("/")[2]
        images = [f"/data/local-files/?d={name}/{tile['key']}.{tile['picture_format']}" for tile in found.tiles]
        tasks = [
            label_studio.to_task(tile, found.labels[tile["tile_id"]], image)
            for tile, image in zip(found.tiles, images, strict=True)
        ]
        storage.write_bytes(f"{folder}/labelling.xml", label_studio.label_config(categories).encode())
        text = json.dumps(tasks, indent=1, ensure_ascii=False)
    storage.write_bytes(place, text.encode())
    return len(found.tiles)


def import_review(root: str, place: str, form: str = "", reviewer: str = "") -> tuple[int, int]:
    """Take decisions from a file; (those that are new, all)."""
    form, text = form_of(place, form), storage.read_text(place)
    lake = open_lake(root, writable=True)
    if form in {"csv", "json"}:
        rows = (table_files.from_csv if form == "csv" else table_files.from_json)(text, place)
    else:
        rows = _box_decisions(lake, text, place, form, reviewer)
    return add_decisions(lake, rows), len(rows)


def _box_decisions(lake: Lake, text: str, place: str, form: str, reviewer: str) -> list[dict[str, Any]]:
    if form == "cvat":
        tile_ids = {row["key"]: row["tile_id"] for row in lake.read("tiles", ["key", "tile_id"]).to_pylist()}
        answers = cvat.read_answers(text, place, reviewer, tile_ids)
    else:
        answers = label_studio.read_answers(text, place, reviewer)
    found = _read_tiles(lake, [answer.tile_id for answer in answers])
    if unknown := {answer.tile_id for answer in answers} - found.labels.keys():
        raise UsageError(f"{place}: {min(unknown)!r} is no tile of this lake ({len(unknown)} such)")
    return [row for answer in answers for row in decisions_of(answer, found.labels[answer.tile_id])]
