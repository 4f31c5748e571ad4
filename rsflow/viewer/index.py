"""The index: what samples are found, sorted and counted by, as DuckDB tables in memory.

- `samples`: a row per tile, `n` its place in the order of tile ids, with its place in the selection;
- `labels`: a row per label, by `n`: what boxes are drawn from;
- `texts`: a row per instruction, by `n`: its task, and whether it was selected;
- `live`: the receipts that count, by table and rank (0 the newest).

One idea: every filter is answered from here. A million samples with three labels and instructions each take under a gigabyte
and a few seconds to read; texts and further columns stay in the lake (rsflow.viewer.lake_rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from rsflow.curation.splits.ground import bounding_boxes
from rsflow.lake.tables import Lake
from rsflow.viewer.live_receipts import LiveReceipts

if TYPE_CHECKING:
    import duckdb

_TILE_COLUMNS = [
    *("tile_id", "key", "scene_id", "source", "sensor", "height_px", "width_px", "footprint", "acquired_at", "valid_share"),
    *("picture_format", "picture_sha256", "file", "row_group", "row", "receipt"),
]
_LABEL_COLUMNS = ["label_id", "tile_id", "kind", "category", "box", "polygon", "score", "origin_name", "text", "receipt"]
_SELECTION_COLUMNS = ["kind", "subject", "selected", "reason", "cluster", "split", "assigned_split"]

_SAMPLES = """
CREATE TABLE samples AS
WITH newest AS (
    SELECT t.* EXCLUDE (receipt), l.rank FROM tiles_read t JOIN live l ON l.tab = 'tiles' AND l.receipt = t.receipt
    QUALIFY row_number() OVER (PARTITION BY t.tile_id ORDER BY l.rank) = 1
)
SELECT CAST(row_number() OVER (ORDER BY t.tile_id) - 1 AS INTEGER) AS n, t.* EXCLUDE (rank, picture_sha256),
    unhex(t.picture_sha256) AS sha256, s.selected, coalesce(s.reason, 'not selected yet') AS reason, s.cluster,
    coalesce(s.split, s.assigned_split) AS split
FROM newest t LEFT JOIN (SELECT * FROM selection_read WHERE kind = 'tile') s ON s.subject = t.tile_id
ORDER BY n
"""

_LABELS = """
CREATE TABLE labels AS
SELECT s.n, r.label_id, r.kind, r.category, CAST(r.score AS FLOAT) AS score, CAST(r.box AS FLOAT[]) AS box,
    CAST(r.polygon AS FLOAT[]) AS polygon, r.origin_name, r.text,
    CAST(sqrt(greatest(0, (r.box[3] - r.box[1]) * (r.box[4] - r.box[2]))) AS FLOAT) AS size
FROM labels_read r JOIN live l ON l.tab = 'labels' AND l.receipt = r.receipt JOIN samples s ON s.tile_id = r.tile_id
QUALIFY row_number() OVER (PARTITION BY r.label_id ORDER BY l.rank) = 1
ORDER BY s.n
"""

_TEXTS = """
CREATE TABLE texts AS
SELECT s.n, r.instruction_id, r.task, c.selected, coalesce(c.reason, 'not selected yet') AS reason
FROM texts_read r JOIN live l ON l.tab = 'instructions' AND l.receipt = r.receipt JOIN samples s ON s.tile_id = r.tile_id
LEFT JOIN (SELECT * FROM selection_read WHERE kind = 'instruction') c ON c.subject = r.instruction_id
QUALIFY row_number() OVER (PARTITION BY r.instruction_id ORDER BY l.rank) = 1
ORDER BY s.n
"""

_SUMS = """
ALTER TABLE samples ADD COLUMN objects INTEGER DEFAULT 0;
ALTER TABLE samples ADD COLUMN low_score FLOAT;
UPDATE samples SET objects = c.objects, low_score = c.low
FROM (SELECT n, count(*) FILTER (kind = 'box') AS objects, min(score) AS low FROM labels GROUP BY n) c WHERE c.n = samples.n
"""

_REJECTS = """
CREATE TABLE rejects AS
SELECT CAST(row_number() OVER (
    ORDER BY list_position(['scene', 'tile', 'annotation', 'instruction'], r.kind), r.source, r.scene_id, r.subject, r.reason,
        r.detail
) - 1 AS INTEGER) AS n,
    r.* EXCLUDE (receipt)
FROM rejects_read r JOIN live l ON l.tab = 'rejects' AND l.receipt = r.receipt ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class SampleIndex:
    """The index of one state of a lake. `versions`: of the tables that it was made from."""

    lake: Lake
    connection: duckdb.DuckDBPyConnection
    receipts: LiveReceipts
    versions: dict[str, int]

    def rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query, on a cursor of its own: requests run in several threads."""
        found: list[dict[str, Any]] = self.table(query, parameters).to_pylist()
        return found

    def table(self, query: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        with self.connection.cursor() as cursor:
            return cursor.sql(query, params=parameters or {}).to_arrow_table()


def build_index(lake: Lake, receipts: LiveReceipts) -> SampleIndex:
    """Read the lake's live rows into an index. Every file that is read is compared with its digest."""
    import duckdb

    versions = lake_versions(lake)
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    tables = {"tiles_read": _read_tiles(lake), "labels_read": lake.read("labels", _LABEL_COLUMNS), "live": _live(receipts)}
    tables["texts_read"] = lake.read("instructions", ["instruction_id", "tile_id", "task", "receipt"])
    tables["rejects_read"] = lake.read("rejects", [*_REJECT_COLUMNS, "receipt"])
    tables["selection_read"] = lake.read("selection", _SELECTION_COLUMNS)
    for name, rows in tables.items():
        connection.register(name, rows)
    connection.execute("CREATE TABLE receipts AS SELECT * FROM live")
    for statement in (_SAMPLES, _LABELS, _TEXTS, _SUMS, _REJECTS):
        connection.execute(statement)
    for name in tables:
        connection.unregister(name)
    return SampleIndex(lake, connection, receipts, versions)


_REJECT_COLUMNS = ["kind", "subject", "scene_id", "source", "step", "reason", "detail", "file", "rows"]


def lake_versions(lake: Lake) -> dict[str, int]:
    """The versions of the tables that say what counts; -1 for one that was never written."""
    tables = {name: lake.delta(name) for name in ("runs", "selection")}
    return {name: -1 if table is None else table.version() for name, table in tables.items()}


def _live(receipts: LiveReceipts) -> pa.Table:
    parts = [
        pa.table({"tab": pa.repeat(name, len(found)), "receipt": found, "rank": pa.array(np.arange(len(found)))})
        for name, found in receipts.by_table.items()
    ]
    return pa.concat_tables(parts)


def _read_tiles(lake: Lake) -> pa.Table:
    """The tiles with the middle of their footprint, in degrees, and its extent."""
    tiles = lake.read("tiles", _TILE_COLUMNS)
    boxes = bounding_boxes(tiles["footprint"])
    for column, name in enumerate(("west", "south", "east", "north")):
        values = boxes[:, column].astype(np.float64)
        tiles = tiles.append_column(name, pa.array(values, mask=np.isnan(values)))
    return tiles.drop_columns(["footprint"])
