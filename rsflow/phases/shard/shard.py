"""The shard phase: the chosen samples into shards that are not there yet, then a snapshot that names them all.

One idea: the plan is a pure function of the chosen rows and a shard's name holds the digest of its content, so a shard that
exists under its planned name is done, whichever run wrote it. A killed run leaves whole shards or none.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.config_paths import map_paths, strip_common_folder
from rsflow.config.settings import BuildConfig, Engine, resolved
from rsflow.engine.execute import Job, execute, task_runner
from rsflow.engine.progress import progress
from rsflow.errors import RsflowError
from rsflow.files import storage
from rsflow.lake.relocations import Move, original_place
from rsflow.lake.tables import Lake
from rsflow.phases.select.held_out import match_held_out
from rsflow.phases.select.lake_columns import MIN_CLUSTER_ROWS
from rsflow.phases.select.leakage import check_leaks
from rsflow.phases.select.select import SelectionSummary, read_selected_rows
from rsflow.phases.shard.companions import companions_of, further_members, group_members, with_companions
from rsflow.phases.shard.objects import objects_of
from rsflow.planning.live_rows import LiveRows
from rsflow.schemas import SHARD_WORK
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, is_latest, read_snapshot, write_snapshot
from rsflow.shards.plan import ShardPlan, plan_shards
from rsflow.stage import fingerprint
from rsflow.stages.shard.sample_record import object_record
from rsflow.stages.shard.write_shards import WriteShards

ENTRY_COLUMNS = ("path", "samples", "instructions", "bytes", "sha256", "index_bytes", "index_sha256")
# Settings that say where and how, not what: they are no part of what a snapshot was made from.
NOT_CONTENT = ("engine", "root")
# Settings that a dataset was made without before there were any such: switched off they do not count.
YOUNGER: tuple[tuple[str, str, object], ...] = (
    ("render", "raw_bands", False),
    ("shard", "companions", []),
    ("shard", "masks", False),
    ("instructions", "languages", ["en"]),
    ("instructions", "names", {}),
    ("instructions", "appearance", "always"),
    ("instructions", "regions", ["box", "oriented"]),
    ("tiles", "grid", "scene"),
    ("tiles", "gsd_m", None),
    ("tiles", "system", "utm"),
    ("tiles", "resampling", "average"),
)
RECORD_BYTES = 600  # of what a sample says of a picture or an instruction, on average
MASKS_BYTES = 4_000  # of the masks of an instruction, on average
RECORD = "sharded.json"
VERSION = 1  # raised when other shards are made from the same rows and settings


@dataclass(frozen=True, slots=True)
class Sharded:
    """What the phase ended with."""

    snapshot: int
    manifest: Manifest
    written: int


def shard(built: BuildConfig, lake: Lake, now: LiveRows, selected: SelectionSummary) -> Sharded:
    """Write the missing shards and the snapshot. RsflowError where nothing was selected, or where splits leak."""
    if done := _unchanged_snapshot(built, lake, selected):
        return done
    tiles, instructions = read_selected_rows(lake, now, selected.version)
    if not tiles.num_rows:
        raise RsflowError(
            f"{lake.root}: no sample was selected, so there is nothing to write: "
            f"`rsflow status {lake.root}` shows why tiles were rejected or dropped"
        )
    single = tiles.filter(pc.is_null(tiles["group"]))
    members = group_members(now, tiles)
    companions = pa.concat_tables([companions_of(now, single, instructions, built.shard.companions), further_members(members)])
    objects = objects_of(now, single, built.labels)
    samples = _samples(tiles, instructions, companions, objects, built.shard.masks)
    plans = plan_shards(samples, int(built.shard.target_mb * 1e6))
    paths = {plan: f"shards/{plan.name}" for plan in plans}
    existing = _existing(lake, set(paths.values()))
    missing = [plan for plan in plans if paths[plan] not in existing]
    if missing or snapshot_of(lake, selected) is None:  # else the same samples were in a snapshot, and checked for it
        shown = with_companions(tiles, pa.concat_tables([companions, members]))
        with task_runner(built.engine, instructions.num_rows > MIN_CLUSTER_ROWS) as spread:
            check_leaks(lake, shown, built.select, match_held_out(built.select, lake, shown), spread)
    blocks = _work(tiles, instructions, companions, objects, missing)
    with progress("shard", "shards", len(missing)) as state:
        for rows in _commit_shards(
            lake, execute([Job(WriteShards(built.root, built.shard.masks), blocks)], built.engine), built.engine
        ):
            existing.update({entry["path"]: entry for entry in rows.to_pylist()})
            state.add(rows.num_rows, samples=pc.sum(rows["samples"]).as_py())
    manifest = _manifest(
        _content_fingerprint(built, lake), built.seed, tiles, instructions, [existing[path] for path in paths.values()]
    )
    number = write_snapshot(built.root, manifest)
    _remember(built, lake, number, selected)
    return Sharded(number, manifest, len(missing))


def _commit_shards(lake: Lake, rows: Iterator[pa.Table], engine: Engine) -> Iterator[pa.Table]:
    """The SHARDS rows as they come. They are committed at least every `engine.commit_seconds`, and at the end."""
    waiting: list[pa.Table] = []
    last = time.monotonic()
    try:
        for row in rows:
            waiting.append(row)
            if time.monotonic() - last >= engine.commit_seconds:
                ready, waiting = waiting, []
                lake.append("shards", pa.concat_tables(ready))
                last = time.monotonic()
            yield row
    finally:
        if waiting:  # also after an error elsewhere: these shards are complete
            lake.append("shards", pa.concat_tables(waiting))


def _unchanged_snapshot(built: BuildConfig, lake: Lake, selected: SelectionSummary) -> Sharded | None:
    """The last snapshot, where it was made from the same selection and settings and its shards are there."""
    known = _read_record(lake)
    if not known or known.get("made_from") != _made_from(built, lake, selected):
        return None
    if not is_latest(built.root, known["snapshot"]):
        return None
    manifest = read_snapshot(built.root, known["snapshot"])
    paths = {shard.path for split in manifest.splits.values() for shard in split.shards}
    existing = {f"shards/{name}" for name in storage.list_files(lake.place("shards"))}
    return Sharded(known["snapshot"], manifest, 0) if {*paths, *map(index_path, paths)} <= existing else None


def _made_from(built: BuildConfig, lake: Lake, selected: SelectionSummary) -> str:
    """A hash of all that shards depend on."""
    return fingerprint(VERSION, selected.digest, _content_fingerprint(built, lake), WriteShards.version)


def _content_fingerprint(built: BuildConfig, lake: Lake) -> str:
    return config_fingerprint(built, lake.moves())


def snapshot_of(lake: Lake, selected: SelectionSummary | None) -> int | None:
    """The number of the last snapshot, where it was made of this selection; else None."""
    known = _read_record(lake)
    return int(known["snapshot"]) if selected and known and known["selection"] == selected.digest else None


def _read_record(lake: Lake) -> dict[str, Any] | None:
    """The number of the last snapshot, and the digests of what it was made from."""
    return lake.read_json(RECORD, ["snapshot", "selection"])


def _remember(built: BuildConfig, lake: Lake, snapshot: int, selected: SelectionSummary) -> None:
    """Note which selection the snapshot was made of: it must not be compared with a later selection.

    Beside every snapshot stays the version of the `selection` table: what is in a snapshot and what is not is known by it.
    """
    known, made_from = _read_record(lake) or {}, _made_from(built, lake, selected)
    if (known.get("snapshot"), known.get("made_from")) != (snapshot, made_from):
        for name, content in (
            (selection_note(snapshot), {"version": selected.version}),
            (RECORD, {"snapshot": snapshot, "selection": selected.digest, "made_from": made_from}),
        ):
            lake.write_json(name, content)


def selection_version(lake: Lake, snapshot: int) -> int | None:
    """The version of the `selection` table that a snapshot was made of; None where that was not noted."""
    known = lake.read_json(selection_note(snapshot), ["version"])
    return int(known["version"]) if known else None


def selection_note(snapshot: int) -> str:
    """Where that is noted, relative to the root."""
    return f"snapshots/{snapshot}.selection.json"


def config_fingerprint(built: BuildConfig, moves: Sequence[Move] = ()) -> str:
    """Of everything in the configuration that the content of a dataset depends on, wherever its folder lies or was moved.

    `moves`: where its sources were moved since the lake was made. How access to a STAC catalogue is proved does not count.
    """
    plain = {name: value for name, value in resolved(built).items() if name not in NOT_CONTENT}
    for section, name, off in YOUNGER:
        if plain[section][name] == off:
            del plain[section][name]
    for section in ("groups", "transfer", "zoom"):
        if plain[section] is None:
            del plain[section]
    for source in plain["sources"]:
        search = source["scenes"].pop("stac")
        if source["scenes"]["backscatter"] is None:
            del source["scenes"]["backscatter"]
        if search is not None:
            source["scenes"]["stac"] = {name: value for name, value in search.items() if name not in ("sign", "headers")}
    return fingerprint(strip_common_folder(map_paths(plain, lambda path: original_place(path, moves)) if moves else plain))


def _samples(tiles: pa.Table, instructions: pa.Table, companions: pa.Table, objects: pa.Table, masks: bool) -> pa.Table:
    """The columns that the plan needs: where a sample belongs, how large it is, and a digest of all that it says."""
    digests: dict[str, list[str]] = defaultdict(list)
    more_bytes: dict[str, int] = defaultdict(int)
    sizes = pc.add(pc.binary_length(instructions["answer"]), RECORD_BYTES).to_pylist()
    for tile, digest, size in zip(instructions["tile_id"].to_pylist(), instructions["digest"].to_pylist(), sizes, strict=True):
        digests[tile].append(digest)
        more_bytes[tile] += size
    if masks:
        for tile, task in zip(instructions["tile_id"].to_pylist(), instructions["task"].to_pylist(), strict=True):
            if task == "segmentation":
                digests[tile].append("masks")
                more_bytes[tile] += MASKS_BYTES
    places = ["iou", "shown", "role", "dx_px", "dy_px", "registration_confidence", "box_in_first"]
    for other in companions.select(["companion_of", "digest", "picture_bytes", *places]).to_pylist():
        known = [str(other[name]) for name in (places[:2] if other["role"] is None else places[2:6])]
        known += [str(other["box_in_first"])] if other["box_in_first"] else []
        digests[other["companion_of"]].append(f"{other['digest']}@{','.join(known)}")
        more_bytes[other["companion_of"]] += other["picture_bytes"] + RECORD_BYTES
    for row in objects.to_pylist():
        text = json.dumps(object_record(row), sort_keys=True)
        digests[row["tile_id"]].append(hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
        more_bytes[row["tile_id"]] += len(text)
    for tile, vocabulary in zip(tiles["tile_id"].to_pylist(), tiles["vocabulary"].to_pylist(), strict=True):
        digests[tile].append(json.dumps(vocabulary or []))
    for tile, group in zip(tiles["tile_id"].to_pylist(), tiles["group"].to_pylist(), strict=True):
        digests[tile] += [json.dumps(group, sort_keys=True)] if group else []
    ids, own = tiles["tile_id"].to_pylist(), tiles["digest"].to_pylist()
    # What is shown once has no such number in its record.
    repeats = [[str(repeat)] if repeat > 1 else [] for repeat in pc.fill_null(tiles["repeat"], 1).to_pylist()]
    content = [
        hashlib.blake2b(" ".join([digest, *digests[tile], *repeat]).encode(), digest_size=16).hexdigest()
        for tile, digest, repeat in zip(ids, own, repeats, strict=True)
    ]
    texts = pa.array([more_bytes[tile] for tile in ids], pa.int64())
    columns = tiles.select(["key", "scene_id", "chunk", "split"])
    pictures = pc.add(tiles["picture_bytes"], pc.fill_null(pc.struct_field(tiles["raw"], "bytes"), 0))
    return columns.append_column("sample_bytes", pc.add(pictures, texts)).append_column("content", pa.array(content))


def _existing(lake: Lake, paths: set[str]) -> dict[str, dict[str, Any]]:
    """SHARDS rows of the wanted shards that were committed and still are where they should be."""
    rows = {row["path"]: row for row in lake.read("shards").to_pylist() if row["path"] in paths}
    files = {f"shards/{name}" for name in storage.list_files(lake.place("shards"))} if rows else set()
    return {path: row for path, row in rows.items() if path in files}


def _work(
    tiles: pa.Table, instructions: pa.Table, companions: pa.Table, objects: pa.Table, plans: list[ShardPlan]
) -> list[pa.Table]:
    """A block of one SHARD_WORK row per shard."""
    fields = SHARD_WORK.field("instructions").type.value_type
    names = [fields.field(i).name for i in range(fields.num_fields)]
    by_tile, by_side, by_object = (
        _rows_by(rows[name]) for rows, name in ((instructions, "tile_id"), (companions, "companion_of"), (objects, "tile_id"))
    )
    blocks = []
    for plan in plans:
        mine = tiles.take(pa.array(plan.members))
        ids = mine["tile_id"].to_pylist()
        texts, pictures, things = ([i for tile in ids for i in by.get(tile, ())] for by in (by_tile, by_side, by_object))
        row = {
            "path": f"shards/{plan.name}",
            "split": plan.split,
            "tiles": mine.drop_columns(["split"]).to_pylist(),
            "companions": companions.take(pa.array(pictures, pa.int64())).to_pylist(),
            "instructions": instructions.select(names).take(pa.array(texts, pa.int64())).to_pylist(),
            "objects": objects.take(pa.array(things, pa.int64())).to_pylist(),
        }
        blocks.append(pa.Table.from_pylist([row], schema=SHARD_WORK))
    return blocks


def _rows_by(values: pa.ChunkedArray) -> dict[str, list[int]]:
    """The rows of each value, in their order."""
    found: dict[str, list[int]] = defaultdict(list)
    for i, value in enumerate(values.to_pylist()):
        found[value].append(i)
    return found


def _manifest(config: str, seed: int, tiles: pa.Table, instructions: pa.Table, rows: list[dict[str, Any]]) -> Manifest:
    """`config`: the fingerprint of the configuration."""
    sensor = dict(zip(tiles["tile_id"].to_pylist(), tiles["sensor"].to_pylist(), strict=True))
    split = dict(zip(tiles["tile_id"].to_pylist(), tiles["split"].to_pylist(), strict=True))
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for tile, task in zip(instructions["tile_id"].to_pylist(), instructions["task"].to_pylist(), strict=True):
        counts[split[tile]][task][sensor[tile]] += 1
    splits = {}
    for name in sorted({row["split"] for row in rows}):
        entries = tuple(ShardEntry(*(row[column] for column in ENTRY_COLUMNS)) for row in rows if row["split"] == name)
        splits[name] = Split(entries, {task: dict(found) for task, found in counts[name].items()})
    return Manifest(config, seed, splits)
