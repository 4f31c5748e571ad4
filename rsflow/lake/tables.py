"""The lake: a root folder or `s3://` address that holds Delta tables beside immutable files.

One idea: the tables are ordinary Delta tables with the schemas of rsflow.records, one transaction per append, so a crash
leaves a table at its last commit and anybody can query it with DuckDB, Polars or Spark. `lake.json` states the format's
version; a lake of a newer version is refused rather than misread.

It refuses to be clever about reading: whole columns come back as Arrow, and rows count only where a mark says so (see
rsflow.lake.receipts).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow import schemas
from rsflow.errors import LakeError, RsflowError, StorageError
from rsflow.files import storage
from rsflow.files.faults import classify_error
from rsflow.lake import digests
from rsflow.lake.renamed_columns import FORMAT_VERSION, stored_names

if TYPE_CHECKING:
    from deltalake import DeltaTable

TABLES: dict[str, pa.Schema] = {
    "scenes": schemas.SCENES,
    "tiles": schemas.TILES,
    "labels": schemas.LABELS,
    "embeddings": schemas.EMBEDDINGS,
    "instructions": schemas.INSTRUCTIONS,
    "rejects": schemas.REJECTS,
    "selection": schemas.SELECTION,
    "shards": schemas.SHARDS,
    "runs": schemas.RUNS,
}

# A snapshot of last year is told by the selection of last year: Delta would forget its versions after thirty days.
_KEPT = {"selection": {"delta.logRetentionDuration": "interval 36500 days"}}

_AT_ONCE = 500  # values in one condition
_COMMITS = 10  # tried before a write that others get ahead of is given up
_METADATA_KEY = "rsflow"  # key of our metadata in a commit


@dataclass(frozen=True, slots=True)
class Lake:
    """The tables under one root. Make one with `open_lake` or `create_lake`."""

    root: str

    def place(self, *parts: str) -> str:
        return storage.join(self.root, *parts)

    def read_json(self, name: str, keys: Sequence[str]) -> dict[str, Any] | None:
        """A small JSON file at the root with at least these keys, or None where it was never written."""
        place = self.place(name)
        if not storage.exists(place):
            return None
        try:
            found = json.loads(storage.read_text(place))
        except ValueError as error:
            raise LakeError(f"{place}: is damaged ({error}): delete it and run `rsflow build CONFIG` again") from error
        if not isinstance(found, dict) or not set(keys) <= set(found):
            raise LakeError(f"{place}: is damaged (it lacks {', '.join(keys)}): delete it and run `rsflow build CONFIG` again")
        return found

    def read(
        self, name: str, columns: Sequence[str] | None = None, where: str | None = None, version: int | None = None
    ) -> pa.Table:
        """A table's rows in no stated order; no rows where it was never written.

        A column that is younger than the table (an earlier rsflow made it) is null, a renamed one has its present name.
        `where`: a condition in SQL on its columns; `version`: an earlier one than the present (LakeError where it is no longer
        kept).
        """
        schema = TABLES[name]
        wanted = pa.schema([schema.field(column) for column in columns]) if columns else schema
        table = self.delta(name, version)
        if table is None:
            return wanted.empty_table()
        place = self.place("tables", name)
        with _translate_errors(place):
            digests.verify(self.root, name, pa.table(table.get_add_actions())["path"].to_pylist())
            stored = stored_names(name, wanted.names, {field.name for field in table.schema().fields})
            # Not by pyarrow's dataset reader: its threads over Python file objects abort one process in twenty at its exit.
            found = pa.table(table.scan(columns=[*stored.values()], predicate=where))
            lacking = {f.name: pa.nulls(found.num_rows, f.type) for f in wanted if f.name not in stored}
            present = {name: found[former] for name, former in stored.items()}
            return pa.table({**present, **lacking}).select(wanted.names).cast(wanted)

    def delta(self, name: str, version: int | None = None) -> DeltaTable | None:
        """The Delta table itself, or None where it was never written."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        place = self.place("tables", name)
        with _translate_errors(place):
            digests.verify(self.root, name)
            try:
                return DeltaTable(place, version, storage_options=_options(self.root))
            except TableNotFoundError:
                return None

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows in one transaction; nothing happens for no rows."""
        from deltalake import write_deltalake

        if rows.num_rows:
            data, (place, settings) = rows.select(TABLES[name].names).cast(TABLES[name]), self._settings(name)
            # Columns that are younger than the table join it.
            _committed(place, lambda: write_deltalake(place, data, mode="append", schema_mode="merge", **settings))
            digests.record(self.root, name)

    def overwrite(self, name: str, pieces: Callable[[], Iterable[pa.Table]], metadata: Mapping[str, Any] | None = None) -> None:
        """Replace a table's rows, given piece by piece, in one transaction, with `metadata` (plain JSON) in the commit.

        Of several writers at once, one has the last word, for both; `pieces` is called again where another one got ahead.
        Earlier versions stay readable by Delta's time travel.
        """
        from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

        schema, (place, settings) = TABLES[name], self._settings(name)
        custom = {_METADATA_KEY: json.dumps(metadata, sort_keys=True)} if metadata is not None else None
        # Of two that replace an empty table Delta would keep the rows of both, but never two commits of one application that
        # began at the same version; and nothing may begin before there is a table.
        commit = CommitProperties(custom, app_transactions=[Transaction("rsflow", 1)])

        def replace() -> None:
            DeltaTable.create(place, schema, mode="ignore", **settings)
            batches = (batch for rows in pieces() for batch in rows.select(schema.names).cast(schema).to_batches())
            data = pa.RecordBatchReader.from_batches(schema, batches)
            write_deltalake(place, data, mode="overwrite", schema_mode="overwrite", commit_properties=commit, **settings)

        _committed(place, replace)
        digests.record(self.root, name)

    def commit_metadata(self, name: str) -> tuple[int, dict[str, Any]] | None:
        """The version of a table and the metadata of the commit that wrote its rows; None where there is neither."""
        table = self.delta(name)
        if table is None:
            return None
        # Not by Delta's history: it tells of the commits up to now, which may be more than those of this version.
        for version in range(table.version(), -1, -1):
            place = self.place("tables", name, "_delta_log", f"{version:020d}.json")
            try:
                actions = [json.loads(line) for line in storage.read_text(place).splitlines()]
                commit: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
                if commit.get("operation") == "WRITE":  # and none that tidied up
                    return (table.version(), json.loads(commit[_METADATA_KEY])) if _METADATA_KEY in commit else None
            except (ValueError, TypeError, AttributeError) as error:
                raise LakeError(f"{place}: cannot read this commit of a Delta table: {error}") from error
        return None

    def delete_rows(self, name: str, column: str, values: Sequence[str]) -> None:
        """Take out the rows whose `column` is one of `values` (ids and paths of ours), in transactions of a bounded size."""
        from deltalake.exceptions import DeltaError

        for start in range(0, len(values), _AT_ONCE):
            table = self.delta(name)
            if table is None:
                return
            quoted = ", ".join(f"'{value.replace(chr(39), chr(39) * 2)}'" for value in values[start : start + _AT_ONCE])
            try:
                table.delete(f"{column} IN ({quoted})")
            except (OSError, DeltaError) as error:
                raise StorageError(
                    f"{self.place('tables', name)}: cannot delete rows: {storage.describe_error(error)}"
                ) from error
            digests.record(self.root, name)

    def _settings(self, name: str) -> tuple[str, dict[str, Any]]:
        """Where a table is, and how Delta is to write it."""
        return self.place("tables", name), {"configuration": _KEPT.get(name), "storage_options": _options(self.root)}


def open_lake(root: str) -> Lake:
    """The lake at `root`. LakeError where there is none, or where it was made by a newer rsflow."""
    if not storage.exists(storage.join(root, "lake.json")):
        raise LakeError(f"{root}: there is no lake here (no lake.json): run `rsflow build CONFIG` with root: {root}")
    try:
        version = json.loads(storage.read_text(storage.join(root, "lake.json")))["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(f"{root}/lake.json: is damaged: expected a JSON object with a number under 'format'") from error
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise LakeError(
            f"{root}: the lake has format {version}, this rsflow reads up to {FORMAT_VERSION}: "
            "use a newer rsflow, or another root"
        )
    return Lake(root)


def find_lake(root: str) -> Lake | None:
    """The lake at `root`, or None where nothing was made yet."""
    return open_lake(root) if storage.exists(storage.join(root, "lake.json")) else None


def create_lake(root: str) -> Lake:
    """The lake at `root`, made where there is none; one of an earlier format is of the present one from now on."""
    lake = find_lake(root)
    if lake is None or lake.read_json("lake.json", ["format"]) != {"format": FORMAT_VERSION}:
        storage.write_bytes(storage.join(root, "lake.json"), json.dumps({"format": FORMAT_VERSION}).encode())
    return Lake(root)


def filter_by_values(table: pa.Table, column: str, values: Any) -> pa.Table:
    """The rows whose `column` is one of `values` (an array or a list of strings)."""
    wanted = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, pa.string())
    if isinstance(wanted, pa.ChunkedArray):
        wanted = wanted.combine_chunks()
    return table.filter(pc.is_in(table[column], value_set=wanted))


@contextmanager
def _translate_errors(place: str) -> Iterator[None]:
    """LakeError for whatever a damaged table makes Delta raise; what the network does is no damage."""
    try:
        yield
    except RsflowError:
        raise
    except BaseException as error:
        # A panic of the Rust part is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        kind = classify_error(error, place) or LakeError
        raise kind(f"{place}: cannot read this Delta table: {storage.describe_error(error)}") from error


def _committed(place: str, attempt: Callable[[], None]) -> None:
    """Write to a table, again where another writer's commit got ahead: then nothing of ours is there."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    for left in reversed(range(_COMMITS)):
        try:
            attempt()
            return
        except (OSError, DeltaError) as error:
            if not isinstance(error, CommitFailedError) or not left:
                # The Rust store reports a full disk or a missing permission as text only.
                raise StorageError(f"{place}: cannot commit rows: {storage.describe_error(error)}") from error


def _options(root: str) -> dict[str, str]:
    # object_store reads AWS_* itself, but refuses a plain-http endpoint (a local S3 server) unless told.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if not root.startswith("s3://") or not endpoint:
        return {}
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true" if endpoint.startswith("http://") else "false"}
