"""The index: what samples are found, sorted and counted by, as DuckDB tables in memory.

- `samples`: a row per tile, `n` its place in the order of tile ids, with its place in the selection;
- `labels`: a row per label, by `n`: what boxes are drawn from;
- `texts`: a row per instruction, by `n`: its task, and whether it was selected;
- `categories`, `tasks`: each of a sample once, by `n`: what is counted;
- `rejects`: the rows of that table, in the order that they are listed in;
- `receipts`: those that count, by table and rank (0 the newest).

One idea: every filter is answered from here. A million samples with three labels and instructions each take under a gigabyte
and a few seconds to read; texts and further columns stay in the lake (rsflow.viewer.index.lake_rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rsflow.lake.tables import Lake
from rsflow.viewer.index.live_receipts import LiveReceipts
from rsflow.viewer.index.parquet_tables import ParquetTables, connect, run_query

_COLUMNS = {
    "tiles": [
        *("tile_id", "key", "scene_id", "source", "sensor", "height_px", "width_px", "footprint", "acquired_at", "valid_share"),
        *("picture_format", "picture_sha256", "file", "row_group", "row", "receipt"),
    ],
    "labels": ["label_id", "tile_id", "kind", "category", "box", "polygon", "score", "origin_name", "text", "receipt"],
    "instructions": ["instruction_id", "tile_id", "task", "receipt"],
    "rejects": ["kind", "subject", "scene_id", "source", "step", "reason", "detail", "file", "rows", "receipt"],
    "selection": ["kind", "subject", "selected", "reason", "cluster", "split", "assigned_split"],
}

# Longitudes of a ring are the odd entries, latitudes the even ones. The west lies in [-180, 180), the east may lie beyond.
_SAMPLES = """
CREATE TABLE samples AS
WITH newest AS (
    SELECT t.* EXCLUDE (receipt, footprint), l.rank, list_min(footprint[1:-1:2]) AS west, list_min(footprint[2:-1:2]) AS south,
        list_max(footprint[1:-1:2]) AS east, list_max(footprint[2:-1:2]) AS north
    FROM ({tiles}) t JOIN receipts l ON l.tab = 'tiles' AND l.receipt = t.receipt
    QUALIFY row_number() OVER (PARTITION BY t.tile_id ORDER BY l.rank) = 1
)
SELECT CAST(row_number() OVER (ORDER BY t.tile_id) - 1 AS INTEGER) AS n,
    t.* EXCLUDE (rank, picture_sha256) REPLACE (west - turn AS west, east - turn AS east),
    unhex(t.picture_sha256) AS sha256, s.selected, coalesce(s.reason, 'not selected yet') AS reason, s.cluster,
    coalesce(s.split, s.assigned_split) AS split
FROM (SELECT *, floor((west + 180) / 360) * 360 AS turn FROM newest) t
LEFT JOIN (SELECT * FROM ({selection}) WHERE kind = 'tile') s ON s.subject = t.tile_id
ORDER BY n
"""

# The side of a square of the box's area, px.
_SIZE = "CAST(sqrt(greatest(0, (r.box[3] - r.box[1]) * (r.box[4] - r.box[2]))) AS FLOAT)"

_LABELS = """
CREATE TABLE labels AS
SELECT s.n, r.label_id, r.kind, r.category, CAST(r.score AS FLOAT) AS score, CAST(r.box AS FLOAT[]) AS box,
    CAST(r.polygon AS FLOAT[]) AS polygon, r.origin_name, r.text, {size} AS size
FROM ({labels}) r JOIN receipts l ON l.tab = 'labels' AND l.receipt = r.receipt JOIN samples s ON s.tile_id = r.tile_id
{newest_label} ORDER BY s.n
"""

_TEXTS = """
CREATE TABLE texts AS
SELECT s.n, r.task, c.selected, coalesce(c.reason, 'not selected yet') AS reason
FROM ({instructions}) r JOIN receipts l ON l.tab = 'instructions' AND l.receipt = r.receipt
JOIN samples s ON s.tile_id = r.tile_id
LEFT JOIN (SELECT * FROM ({selection}) WHERE kind = 'instruction') c ON c.subject = r.instruction_id
{newest_instruction} ORDER BY s.n
"""

_SUMS = """
CREATE TABLE sums AS SELECT n, count(*) FILTER (kind = 'box') AS objects, min(score) AS low FROM labels GROUP BY n;
ALTER TABLE samples ADD COLUMN objects INTEGER DEFAULT 0;
ALTER TABLE samples ADD COLUMN low_score FLOAT;
UPDATE samples SET objects = c.objects, low_score = c.low FROM sums c WHERE c.n = samples.n;
DROP TABLE sums
"""

# What is counted by value: each value of a sample once.
_VALUES = """
CREATE TABLE categories AS SELECT DISTINCT n, category FROM labels WHERE kind <> 'fact' ORDER BY n;
CREATE TABLE tasks AS SELECT DISTINCT n, task FROM texts ORDER BY n
"""

# Of the samples `numbers`, with the labels `changed` in place of those that they had.
_CHANGED_LABELS = f"""
DELETE FROM labels WHERE n IN (SELECT unnest($numbers));
INSERT INTO labels SELECT n, label_id, kind, category, score, box, polygon, origin_name, text, {_SIZE} FROM changed r;
UPDATE samples SET objects = (SELECT count(*) FROM labels l WHERE l.n = samples.n AND l.kind = 'box'),
    low_score = (SELECT min(score) FROM labels l WHERE l.n = samples.n) WHERE n IN (SELECT unnest($numbers));
DELETE FROM categories WHERE n IN (SELECT unnest($numbers));
INSERT INTO categories SELECT DISTINCT n, category FROM changed WHERE kind <> 'fact'
"""
_LABEL_ROWS = pa.schema(
    [
        ("n", pa.int32()),
        *((name, pa.string()) for name in ("label_id", "kind", "category")),
        ("score", pa.float32()),
        ("box", pa.list_(pa.float32())),
        ("polygon", pa.list_(pa.float32())),
        ("origin_name", pa.string()),
        ("text", pa.string()),
    ]
)

_REJECTS = """
CREATE TABLE rejects AS
SELECT CAST(row_number() OVER (
    ORDER BY list_position(['scene', 'tile', 'annotation', 'instruction'], r.kind), r.source, r.scene_id, r.subject, r.reason,
        r.detail
) - 1 AS INTEGER) AS n, r.* EXCLUDE (receipt)
FROM ({rejects}) r JOIN receipts l ON l.tab = 'rejects' AND l.receipt = r.receipt ORDER BY n
"""

# Where rows of former configurations may be among them, an id may come twice.
_NEWEST = "QUALIFY row_number() OVER (PARTITION BY r.{column} ORDER BY l.rank) = 1"


@dataclass(frozen=True, slots=True)
class SampleIndex:
    """The index of one state of a lake. `versions`: of the tables that it was made from."""

    tables: ParquetTables
    receipts: LiveReceipts
    versions: dict[str, int]

    @property
    def lake(self) -> Lake:
        return self.tables.lake

    def rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query."""
        found: list[dict[str, Any]] = self.table(query, parameters).to_pylist()
        return found

    def table(self, query: str, parameters: dict[str, Any] | None = None, named: dict[str, pa.Table] | None = None) -> pa.Table:
        """The rows of a query, which may name Arrow tables."""
        return run_query(self.tables.connection, query, parameters or {}, named)

    def replace_labels(self, numbers: list[int], rows: list[dict[str, Any]]) -> None:
        """Give the samples of these `n` other labels: rows of LABELS with `n`, of which the columns of the index are taken."""
        changed = pa.Table.from_pylist(rows, schema=_LABEL_ROWS)
        with self.tables.connection.cursor() as cursor:
            cursor.register("changed", changed)
            cursor.begin()
            for statement in _CHANGED_LABELS.split(";"):
                cursor.execute(statement, {"numbers": numbers} if "$numbers" in statement else {})
            cursor.commit()


def build_index(lake: Lake, receipts: LiveReceipts) -> SampleIndex:
    """Read the lake's live rows into an index. Every file that is read is compared with its digest."""
    versions = lake_versions(lake)
    tables = ParquetTables(lake, connect(lake))
    connection = tables.connection
    connection.register("receipts_read", _rank_receipts(receipts))
    connection.execute("CREATE TABLE receipts AS SELECT * FROM receipts_read")
    connection.unregister("receipts_read")
    sources, parameters = dict[str, str](), dict[str, Any]()
    for name, columns in _COLUMNS.items():
        sources[name], more = tables.select(name, columns)
        parameters |= more
    for name in ("label", "instruction"):
        sources[f"newest_{name}"] = _NEWEST.format(column=f"{name}_id") if not receipts.is_exact else ""
    sources["size"] = _SIZE
    for statement in (_SAMPLES, _LABELS, _TEXTS, *_SUMS.split(";"), *_VALUES.split(";"), _REJECTS):
        used = {name: value for name, value in parameters.items() if f"{{{name.removeprefix('files_')}}}" in statement}
        connection.execute(statement.format(**sources), used)
    return SampleIndex(tables, receipts, versions)


def lake_versions(lake: Lake) -> dict[str, int]:
    """The versions of the tables that say what counts; -1 for one that was never written."""
    tables = {name: lake.delta(name) for name in ("runs", "selection")}
    return {name: -1 if table is None else table.version() for name, table in tables.items()}


def _rank_receipts(receipts: LiveReceipts) -> pa.Table:
    parts = [
        pa.table({"tab": pa.repeat(name, len(found)), "receipt": found, "rank": pa.array(np.arange(len(found)))})
        for name, found in receipts.by_table.items()
    ]
    return pa.concat_tables(parts)
