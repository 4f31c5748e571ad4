"""`rsflow vacuum`: delete what no build, stream or report of a lake will read again.

One idea: three things name files: the receipts that count (their tiles), the snapshots (their shards), and the tables (their
own files). All else below `tiles/`, `shards/` and `attempts/` is waste once it is older than any run that may be going on.
What would cost to make again is kept unless asked for: tiles of former settings, copies of former layers on the ground
(`ground/`; the small findings for single scenes beside them stay), and former snapshots. What models answered (`responses/`)
is always kept: it was paid for.
"""

from __future__ import annotations

import posixpath
import re
import time
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.engine.progress import progress
from rsflow.files import storage
from rsflow.ground.layer_store import FOLDER
from rsflow.ground.scene_layer import SceneLayer
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.integrity.unreferenced import UnreferencedFiles, delete_old_versions, find_old_versions, find_unreferenced
from rsflow.lake.receipts import ROW_TABLES, completed_units
from rsflow.lake.tables import Lake, open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.phases.shard.shard import selection_note, selection_version
from rsflow.planning.live_rows import read_live_rows
from rsflow.planning.plan import Plan
from rsflow.shards.manifest import find_latest, name_latest, read_snapshot

COUNTS = ".values.json"  # of a raster's values on a scene (rsflow.planning.sources.raster_layers)
SHIFTS = ".shift.json"  # of a layer against a scene (rsflow.planning.sources.ground_layers)
DELETE_BATCH = 1000  # files deleted between two words about it


@dataclass(frozen=True, slots=True)
class Retention:
    """`hours`: files that are younger stay. `snapshots`: how many of the last ones stay (None: all). `former`: what the
    configuration of the last build does not ask for any more stays too."""

    hours: int = 168
    snapshots: int | None = None
    former: bool = True


def vacuum(root: str, kept: Retention, delete: bool = False) -> list[UnreferencedFiles]:
    """What of the lake can go; with `delete`, it is gone afterwards.

    Not beside a build of the same root: that may count on a shard which is about to go. LakeError where the last build is not
    whole, so that former rows are not known.
    """
    lake = open_lake(root, writable=delete)
    before = time.time() - 3600 * kept.hours
    notes = {file.place for file in storage.scan_folder(lake.place("snapshots"))}
    numbers = sorted(int(name[1]) for name in map(re.compile(r"([0-9]+)\.json").fullmatch, notes) if name)
    stay = numbers[max(0, len(numbers) - kept.snapshots) :] if kept.snapshots is not None else numbers
    latest = find_latest(root)
    stay = [n for n in numbers if n in stay or n == latest]
    removed = [file for n in numbers if n not in stay for file in (f"snapshots/{n}.json", selection_note(n))]
    plan = None if kept.former else plan_build(read_config(lake), lake)
    counting = pc.unique(completed_units(lake)["receipt"] if plan is None else _requested_receipts(lake, plan))
    waste = [
        UnreferencedFiles(
            "snapshots", "older than those to keep", tuple(file for file in removed if posixpath.basename(file) in notes), 0
        ),
        find_unreferenced(lake, "shards", "no snapshot that stays names them", _shard_files(root, stay), before),
        find_unreferenced(lake, "tiles", "no unit of work that stays names them", _tile_files(lake, counting), before),
        find_unreferenced(lake, "attempts", "left by workers that died", (), before),
    ]
    if plan is not None:
        waste.append(
            find_unreferenced(lake, FOLDER, "no layer of the last build is read from them", _copies(lake, plan), before)
        )
    versions = [version for n in stay if (version := selection_version(lake, n)) is not None]
    if delete:
        if latest is not None:
            name_latest(root, latest)  # an earlier one may be named, and go
        _delete_rows(lake, counting, waste[1].files)
        _delete_files(lake, [file for part in waste for file in part.files])
    for name in TABLES:
        needed = versions if name == "selection" else []
        waste.append(find_old_versions(lake, name, kept.hours, needed))
        if delete:
            delete_old_versions(lake, name, kept.hours, needed)
    return [part for part in waste if part.files]


def _requested_receipts(lake: Lake, plan: Plan) -> pa.ChunkedArray:
    """The receipts of all units that the plan asks for."""
    now = read_live_rows(lake, plan)
    return pa.concat_tables(now.marks.values())["receipt"]


def _copies(lake: Lake, plan: Plan) -> set[str]:
    """Files of layers on the ground that the plan reads, each with its summary, and the findings for single scenes."""
    layers = [layer for found in plan.ground.of_scene.values() for layer in found if isinstance(layer, SceneLayer)]
    copies = {part.file for layer in layers for part in (layer, layer.interest) if part is not None}
    findings = {
        f"{FOLDER}/{file.place}" for file in storage.scan_folder(lake.place(FOLDER)) if file.place.endswith((COUNTS, SHIFTS))
    }
    return findings | copies | {f"{posixpath.splitext(copy)[0]}.json" for copy in copies}


def _tile_files(lake: Lake, counting: pa.Array) -> set[str]:
    rows = lake.read("tiles", ["receipt", "file"])
    return set(pc.unique(rows.filter(pc.is_in(rows["receipt"], counting))["file"]).to_pylist())


def _shard_files(root: str, snapshots: list[int]) -> set[str]:
    splits = [split for n in snapshots for split in read_snapshot(root, n).splits.values()]
    return {place for split in splits for shard in split.shards for place in (shard.path, shard.index_path)}


def _delete_rows(lake: Lake, counting: pa.Array, shards: tuple[str, ...]) -> None:
    """Take out what names the files that go: marks first, so that their rows count for nobody."""
    receipts = lake.read("runs", ["receipt"])["receipt"]
    lost = pc.unique(receipts.filter(pc.invert(pc.is_in(receipts, counting)))).to_pylist()
    for name in ("runs", *ROW_TABLES):
        lake.delete_rows(name, "receipt", lost)
    lake.delete_rows("shards", "path", [shard for shard in shards if shard.endswith(".tar")])


def _delete_files(lake: Lake, files: list[str]) -> None:
    with progress("vacuum", "files", len(files), quiet_seconds=2.0) as state:
        for start in range(0, len(files), DELETE_BATCH):
            part = files[start : start + DELETE_BATCH]
            storage.remove_all([lake.place(file) for file in part])
            state.add(len(part))
