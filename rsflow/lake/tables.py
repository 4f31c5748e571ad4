"""The lake: a root folder or `s3://` address that holds Delta tables beside immutable files.

One idea: the tables are ordinary Delta tables with the schemas of rsflow.records, one transaction per append, so a crash
leaves a table at its last commit and anybody can query it with DuckDB, Polars or Spark. `lake.json` states the format's
version; a lake of a newer version is refused rather than misread.

Whole columns come back as Arrow, and rows count only where a mark says so (see rsflow.lake.receipts).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.errors import LakeError
from rsflow.files import storage
from rsflow.files.faults import retry_transient
from rsflow.lake.delta import read_cache
from rsflow.lake.delta.commits import (
    COMMIT_KEY,
    commit,
    commit_infos,
    delete_where,
    has_commit,
    storage_options,
    translate_delta_errors,
)
from rsflow.lake.delta.formats import FORMAT_VERSION, TABLES, parse_format
from rsflow.lake.delta.migration import migrate
from rsflow.lake.delta.table_files import TableFile, read_columns
from rsflow.lake.integrity import digests
from rsflow.lake.json_files import read_json, write_json
from rsflow.lake.relocations import Move, read_moves

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable

# An old snapshot is explained by the version of the selection that it was made of; Delta would forget it after thirty days.
_KEPT = {"selection": {"delta.logRetentionDuration": "interval 36500 days"}}

LAKE_FILE = "lake.json"
_AT_ONCE = 500  # values in one condition
_METADATA_KEY = "rsflow"  # key of our metadata in a commit


@dataclass(frozen=True, slots=True)
class Lake:
    """The tables under one root. Make one with `open_lake` or `create_lake`.

    The log of each table is read once; later uses ask for newer commits only.
    """

    root: str
    _open_tables: dict[str, DeltaTable] = field(default_factory=dict, compare=False, repr=False)
    written: set[str] = field(default_factory=set, compare=False, repr=False)  # tables that this object committed to
    _moves: list[list[Move]] = field(default_factory=list, compare=False, repr=False)  # once they were read

    def __reduce__(self) -> tuple[type[Lake], tuple[str]]:
        return Lake, (self.root,)  # open tables stay in their process

    def place(self, *parts: str) -> str:
        return storage.join(self.root, *parts)

    def moves(self) -> list[Move]:
        """Where the lake's sources were moved, as this object found it first."""
        self._moves[:] = self._moves or [read_moves(self.root)]
        return self._moves[0]

    def read_json(self, name: str, keys: Sequence[str]) -> dict[str, Any] | None:
        """See `rsflow.lake.json_files.read_json`."""
        return read_json(self.place(name), keys)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a small JSON file at the root, with a digest of its values."""
        write_json(self.place(name), content)

    @retry_transient
    def read(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """A table's rows in no stated order; no rows where it was never written.

        A column that is younger than the table (an earlier rsflow made it) is null. `where`: the value that a column must have,
        or a collection of values, by column; `version`: an earlier one than the present (LakeError where it is no longer kept).
        """
        requested = list(columns or TABLES[name].names)
        table = self.delta(name, version)
        with translate_delta_errors(self.place("tables", name)):
            files = [TableFile(self.root, name, path, 0) for path in digests.data_files(table)] if table else []
            needed = [*dict.fromkeys([*requested, *(where or {})])]
            parts = [_matching(read_columns(file, needed), where or {}) for file in files]
        empty = pa.schema([TABLES[name].field(column) for column in requested]).empty_table()
        return pa.concat_tables([empty, *(part.select(requested) for part in parts)])

    @retry_transient
    def delta(self, name: str, version: int | None = None) -> DeltaTable | None:
        """The Delta table itself, verified, or None where it was never written."""
        with translate_delta_errors(self.place("tables", name)):
            digests.verify_log(self.root, name)
            table = self._load(name, version)
            if table is not None:
                digests.verify_state(self.root, name, table)
            return table

    def _load(self, name: str, version: int | None = None) -> DeltaTable | None:
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        known = self._open_tables.get(name)
        try:
            options = storage_options(self.root)
            if version is not None and (known is None or known.version() != version):
                return DeltaTable(self.place("tables", name), version, storage_options=options)
            if known is None:
                read_cache.is_current(self.root, name)
                self._open_tables[name] = DeltaTable(self.place("tables", name), storage_options=options)
            elif version is None and not read_cache.is_current(self.root, name):
                known.update_incremental()
        except TableNotFoundError:
            self._open_tables.pop(name, None)
        return self._open_tables.get(name)

    def _load_to_write(self, name: str, attempt: int) -> DeltaTable | None:
        """The table, again from its log where an earlier attempt failed: another writer may have got ahead."""
        self.written.add(name)
        if attempt > 1:
            read_cache.forget(self.root, name)
        return self._load(name)

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows in one transaction; nothing happens for no rows."""
        from deltalake import write_deltalake

        if not rows.num_rows:
            return
        data, (place, settings) = rows.select(TABLES[name].names).cast(TABLES[name]), self._settings(name)

        def write(table: DeltaTable | None, properties: CommitProperties) -> DeltaTable:
            # Columns that are younger than the table join it.
            write_deltalake(table or place, data, mode="append", schema_mode="merge", commit_properties=properties, **settings)
            return table or cast("DeltaTable", self._load(name))

        self._commit_once(name, write)

    def overwrite(self, name: str, pieces: Callable[[], Iterable[pa.Table]], metadata: Mapping[str, Any] | None = None) -> None:
        """Replace a table's rows, given piece by piece, in one transaction, with `metadata` (plain JSON) in the commit.

        Of several writers at once, one has the last word, for both; `pieces` is called again where another one got ahead.
        Earlier versions stay readable by Delta's time travel.
        """
        from deltalake import DeltaTable, write_deltalake

        schema, (place, settings) = TABLES[name], self._settings(name)

        def write(table: DeltaTable | None, properties: CommitProperties) -> DeltaTable:
            # Nothing may begin before there is a table.
            table = table or DeltaTable.create(place, schema, mode="ignore", **settings)
            self._open_tables[name] = table
            batches = (batch for rows in pieces() for batch in rows.select(schema.names).cast(schema).to_batches())
            data = pa.RecordBatchReader.from_batches(schema, batches)
            write_deltalake(table, data, mode="overwrite", schema_mode="overwrite", commit_properties=properties, **settings)
            return table

        self._commit_once(name, write, {_METADATA_KEY: json.dumps(metadata, sort_keys=True)} if metadata is not None else {})

    def _commit_once(
        self,
        name: str,
        write: Callable[[DeltaTable | None, CommitProperties], DeltaTable],
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Make a commit by `write`, which gets the table, and record it. The answer to a commit may be lost where the commit is
        not: it has an id, and is not made again where the table has a commit of that id.

        Of two that replace an empty table Delta would keep the rows of both, and one whose answer was lost it would make again
        beside itself, but never two commits of one application (`Transaction`) that began at the same version.
        """
        from deltalake import CommitProperties, Transaction

        commit_id, first_version = uuid.uuid4().hex, -1  # the table's version before the first attempt
        properties = CommitProperties({COMMIT_KEY: commit_id, **(metadata or {})}, app_transactions=[Transaction("rsflow", 1)])

        def attempt(number: int) -> DeltaTable:
            nonlocal first_version
            table = self._load_to_write(name, number)
            version = table.version() if table is not None else -1
            first_version = version if number == 1 else first_version
            if table is None or not has_commit(self.root, name, version, commit_id, version - first_version):
                table = write(table, properties)
            if table.version() > max(first_version, 0) + 1:  # another writer's commits
                read_cache.forget_all(self.root)
            return table

        digests.record(self.root, name, commit(self.place("tables", name), attempt))

    def commit_metadata(self, name: str) -> tuple[int, dict[str, Any]] | None:
        """The version of a table and the metadata of the commit that wrote its rows; None where there is neither."""
        table = self.delta(name)
        if table is None:
            return None
        for info in commit_infos(self.root, name, table.version()):
            if info.get("operation") == "WRITE":  # and none that tidied up
                known = info.get(_METADATA_KEY)
                return (table.version(), self._parsed(name, known)) if known else None
        return None

    def _parsed(self, name: str, text: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(text)
            return found
        except (ValueError, TypeError) as error:
            raise LakeError(f"{self.place('tables', name)}: the metadata of its last commit is damaged ({error})") from error

    def delete_rows(self, name: str, column: str, values: Sequence[str]) -> None:
        """Take out the rows whose `column` is one of `values` (ids and paths of ours), in transactions of a bounded size."""
        for start in range(0, len(values), _AT_ONCE):
            quoted = ", ".join(f"'{value.replace(chr(39), chr(39) * 2)}'" for value in values[start : start + _AT_ONCE])
            if (table := self.delta(name)) is not None:
                commit(self.place("tables", name), partial(delete_where, table, f"{column} IN ({quoted})"))
                digests.record(self.root, name, table)

    def _settings(self, name: str) -> tuple[str, dict[str, Any]]:
        """Where a table is, and how Delta is to write it."""
        return self.place("tables", name), {"configuration": _KEPT.get(name), "storage_options": storage_options(self.root)}


def open_lake(root: str, writable: bool = False) -> Lake:
    """The lake at `root`. LakeError where there is none, or where it was made by a newer rsflow.

    A lake of an earlier format is read as it is; where it is to be `writable`, it is first brought to the present one.
    """
    lake = find_lake(root, writable)
    if lake is None:
        raise LakeError(f"{root}: there is no lake here (no {LAKE_FILE}): run `rsflow build CONFIG` with root: {root}")
    return lake


def find_lake(root: str, writable: bool = False) -> Lake | None:
    """The lake at `root` as `open_lake` gives it, or None where nothing was made yet."""
    text = storage.read_text_if_exists(storage.join(root, LAKE_FILE))
    if text is None:
        return None
    lake, version = Lake(root), parse_format(text, storage.join(root, LAKE_FILE))
    if writable and version < FORMAT_VERSION:
        _write_format(root, {"format": FORMAT_VERSION, "migrating_from": version})
        migrate(lake, version)
        _write_format(root, {"format": FORMAT_VERSION})
    return lake


def create_lake(root: str) -> Lake:
    """The lake at `root`, to write to; made where there is none."""
    lake = find_lake(root, writable=True)
    if lake is None:
        _write_format(root, {"format": FORMAT_VERSION})
    return lake or Lake(root)


def _write_format(root: str, content: dict[str, int]) -> None:
    storage.write_bytes(storage.join(root, LAKE_FILE), json.dumps(content).encode())


def _matching(rows: pa.Table, where: Mapping[str, Any]) -> pa.Table:
    """The rows whose columns have the values, or one of the values, of `where`."""
    for column, value in where.items():
        values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        rows = rows.filter(pc.is_in(rows[column], value_set=pa.array(sorted(values), rows[column].type)))
    return rows
