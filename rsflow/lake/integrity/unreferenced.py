"""What lies in a lake and is read by nobody: finding it, and deleting it.

One idea: a lake only grows, because another setting makes other files and a worker that dies leaves what it wrote. A file does
not know by itself, so the caller gives those that are named (rsflow.inspection.vacuum); what is not, and is older than any run
that may still be going on, is waste. Rows go before the files that they name: a vacuum that is killed leaves files without a
name, never names without a file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rsflow.errors import StorageError
from rsflow.files import storage
from rsflow.lake.integrity import digests
from rsflow.lake.tables import Lake


@dataclass(frozen=True, slots=True)
class UnreferencedFiles:
    """Files of one folder of the root that can go, as places relative to the root, and why."""

    folder: str
    why: str
    files: tuple[str, ...]
    bytes: int


def find_unreferenced(lake: Lake, folder: str, why: str, named: Collection[str], before: float) -> UnreferencedFiles:
    """The files of a folder that are not among `named` (relative to the root) and did not change since `before` (seconds)."""
    places = {f"{folder}/{file.place}": file for file in storage.scan_folder(lake.place(folder)) if file.changed < before}
    found = {place: file.bytes for place, file in places.items() if place not in named}
    return UnreferencedFiles(folder, why, tuple(found), sum(found.values()))


def find_old_versions(lake: Lake, name: str, hours: int, kept: Sequence[int]) -> UnreferencedFiles:
    """The files that only versions of a table older than `hours` read, but for those of the versions `kept`.

    `delete_old_versions` deletes them, and knows of what came meanwhile.
    """
    folder = f"tables/{name}"
    # Delta goes on naming files that it deleted, until it forgets the version that dropped them.
    old = set(_vacuum(lake, name, hours, kept, delete=False))
    found = [file for file in storage.scan_folder(lake.place(folder)) if file.place in old] if old else []
    return UnreferencedFiles(
        folder, "earlier versions", tuple(f"{folder}/{file.place}" for file in found), sum(file.bytes for file in found)
    )


def delete_old_versions(lake: Lake, name: str, hours: int, kept: Sequence[int]) -> None:
    """Delete them, after the many small files that commits leave were compacted: they make every read slower."""
    from deltalake.exceptions import DeltaError

    table = lake.delta(name)
    if table is not None:
        try:
            table.optimize.compact()
        except (OSError, DeltaError) as error:
            raise StorageError(f"{lake.place('tables', name)}: cannot be compacted: {storage.describe_error(error)}") from error
        _vacuum(lake, name, hours, kept, delete=True)
        digests.record(lake.root, name, table)
        digests.compact(lake.root)


def _vacuum(lake: Lake, name: str, hours: int, kept: Sequence[int], delete: bool) -> list[str]:
    from deltalake.exceptions import DeltaError

    table = lake.delta(name)
    if table is None:
        return []
    try:
        # The command's help warns of fewer hours than Delta's week.
        return table.vacuum(hours, not delete, enforce_retention_duration=False, keep_versions=list(kept) or None)
    except (OSError, DeltaError) as error:
        raise StorageError(f"{lake.place('tables', name)}: cannot be vacuumed: {storage.describe_error(error)}") from error
