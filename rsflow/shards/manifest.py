"""The manifest of a snapshot: everything a loader needs to know of a dataset, and nothing else.

One idea: `snapshots/<n>.json` names a set of shards by path, size and digest and never changes once it is written; `LATEST`
holds the number of the current one and is written last. So a reader sees a whole snapshot or the one before. Writing the same
content again makes no new snapshot.

Refused: manifests of a newer version, manifests that were edited (their digest differs), and paths that would leave the root.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeVar

from rsflow.errors import DataError, SnapshotError, StorageError
from rsflow.files import storage
from rsflow.files.data_paths import check_link, normalise_relative
from rsflow.shards.format import canonical_json

_FORMAT, VERSION = "rsflow-snapshot", 1
_FOLDER, _LATEST = "snapshots", "snapshots/LATEST"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class ShardEntry:
    """A shard of a snapshot. `path` is relative to the root; the index file is next to it."""

    path: str
    samples: int
    instructions: int
    bytes: int
    sha256: str
    index_bytes: int
    index_sha256: str

    @property
    def index_path(self) -> str:
        return index_path(self.path)


@dataclass(frozen=True)
class Split:
    """The shards of a split, sorted by path, and its number of instructions by task, then sensor."""

    shards: tuple[ShardEntry, ...]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The same set of shards is the same split, in any order.
        object.__setattr__(self, "shards", tuple(sorted(self.shards)))

    @property
    def samples(self) -> int:
        return sum(shard.samples for shard in self.shards)


@dataclass(frozen=True)
class Manifest:
    """A snapshot. `config_fingerprint` and `seed` identify the build that made it; `digest` is of the content alone."""

    config_fingerprint: str
    seed: int
    splits: Mapping[str, Split]

    @cached_property
    def digest(self) -> str:
        """BLAKE2b-128 of the splits: equal for equal data, whatever settings led to it."""
        return _blake2b(_plain(self.splits))

    @property
    def build_digest(self) -> str:
        """Of what identifies the build, together with the content."""
        return _blake2b([self.config_fingerprint, self.seed, self.digest])

    def to_json(self) -> str:
        content = {
            "format": _FORMAT,
            "version": VERSION,
            "config_fingerprint": self.config_fingerprint,
            "seed": self.seed,
            "digest": self.digest,
            "build_digest": self.build_digest,
            "splits": _plain(self.splits),
        }
        return json.dumps(content, sort_keys=True, indent=1) + "\n"


def index_path(shard_path: str) -> str:
    """The path of a shard's index."""
    return shard_path.removesuffix(".tar") + ".idx"


def parse_manifest(text: str, place: str) -> Manifest:
    """The inverse of `Manifest.to_json`. SnapshotError, naming `place`, where the text is not such a manifest."""
    try:
        content = json.loads(text)
        if content["format"] != _FORMAT:
            raise SnapshotError(f"{place}: format {content['format']!r}, expected {_FORMAT!r}")
        if content["version"] > VERSION:
            raise SnapshotError(
                f"{place}: version {content['version']} is of a newer rsflow, this one reads up to {VERSION}; upgrade rsflow"
            )
        manifest, digest = _manifest(content), content["digest"]
    except (ValueError, TypeError, KeyError, AttributeError, DataError) as error:
        raise SnapshotError(f"{place}: is not a snapshot manifest ({type(error).__name__}: {error})") from error
    if manifest.digest != digest:
        raise SnapshotError(f"{place}: was changed after it was written (digest {digest}, found {manifest.digest})")
    build_digest = content.get("build_digest", manifest.build_digest)  # manifests of earlier versions have none
    if manifest.build_digest != build_digest:
        raise SnapshotError(
            f"{place}: its config_fingerprint or seed was changed after it was written "
            f"(digest {build_digest}, found {manifest.build_digest})"
        )
    return manifest


def _blake2b(content: Any) -> str:
    return hashlib.blake2b(canonical_json(content), digest_size=16).hexdigest()


def write_snapshot(root: str, manifest: Manifest) -> int:
    """Make `manifest` the latest snapshot of the root; returns its number, which is the latest's if nothing changed."""
    latest = find_latest(root) or 0
    text = manifest.to_json()
    if latest and storage.exists(_place(root, latest)) and storage.read_text(_place(root, latest)) == text:
        name_latest(root, latest)
        return latest
    number = latest + 1
    # A number may be taken: by a run that was killed before it named the latest, or by another build at this moment.
    while not _takes(root, number, text):
        number += 1
    name_latest(root, number)
    return number


def _takes(root: str, number: int, text: str) -> bool:
    """Whether the manifest has this number now and none follows it."""
    place = _place(root, number)
    if storage.write_if_absent(place, text.encode()):
        return True
    return storage.read_text(place) == text and not storage.exists(_place(root, number + 1))


def name_latest(root: str, number: int) -> None:
    """Write that a snapshot is the latest."""
    storage.write_bytes(storage.join(root, _LATEST), f"{number}\n".encode())


def read_snapshot(source: str, n: int | None = None) -> Manifest:
    """The manifest of snapshot `n` (default: the latest) of a root, or the one at the path `source` (it ends in `.json`).

    SnapshotError where there is none, it is damaged or of a newer version.
    """
    place = source if source.endswith(".json") else _place(source, latest_snapshot(source) if n is None else n)
    with reading_required(place, "there is no such snapshot"):
        text = storage.read_text(place)
    manifest = parse_manifest(text, place)
    _check_links(manifest, place, snapshot_root(source))
    return manifest


def _check_links(manifest: Manifest, place: str, root: str) -> None:
    try:
        for split in manifest.splits.values():
            for shard in split.shards:
                check_link(root, shard.path)
                check_link(root, shard.index_path)
    except DataError as error:
        raise SnapshotError(f"{place}: names a file that it may not: {error.detail}") from error


def find_latest(root: str) -> int | None:
    """The number of the latest snapshot of a root, None where none is named. SnapshotError where `LATEST` holds no number.

    It is the last one that follows without a gap after the one that `LATEST` names: a manifest is written when all its shards
    are there, so a run that was killed before it named its snapshot, or a damaged number, does not bring back an earlier one.
    """
    number = _read_latest(root)
    while number is not None and storage.exists(_place(root, number + 1)):
        number += 1
    return number


def is_latest(root: str, number: int) -> bool:
    """Whether `LATEST` names this snapshot and none follows it."""
    return _read_latest(root) == number and storage.read_text_if_exists(_place(root, number + 1)) is None


def _read_latest(root: str) -> int | None:
    """The number that `LATEST` holds, None where there is no such file; SnapshotError where it holds something else."""
    place = storage.join(root, _LATEST)
    text = storage.read_text_if_exists(place)
    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]*)(?: [0-9a-f]{16})?", text.strip())  # rsflow once wrote a digest after it
    if not found:
        raise SnapshotError(
            f"{place}: found {text[:40]!r}, expected the number of a snapshot: it is damaged. "
            "Delete it and run `rsflow build CONFIG` again, which finds the snapshot by its content"
        )
    return int(found[1])


def latest_snapshot(root: str) -> int:
    """As `find_latest`, but a SnapshotError where none is named."""
    number = find_latest(root)
    if number is None:
        place = storage.join(root, _LATEST)
        raise SnapshotError(f"{place}: is missing: no snapshot was written here yet. Run `rsflow build`, or check the path")
    return number


def snapshot_root(source: str) -> str:
    """The root of a source of `read_snapshot`, which shard paths are relative to: a manifest is in a folder of it."""
    if not source.endswith(".json"):
        return source
    folder = posixpath.dirname(source)
    return posixpath.dirname(folder) or ("." if folder else "..")


@contextmanager
def reading_required(place: str, missing: str) -> Iterator[None]:
    """Context of reading a required file: a missing one is a SnapshotError with the given message, other failures a
    StorageError."""
    try:
        with storage.translate_errors(place, "read"):
            yield
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise SnapshotError(f"{place}: {missing}") from error
        raise


def _place(root: str, n: int) -> str:
    return storage.join(root, _FOLDER, f"{n}.json")


def _plain(splits: Mapping[str, Split]) -> dict[str, Any]:
    names = [field.name for field in fields(ShardEntry)]  # not asdict: it copies every value, which takes ten times as long
    return {
        name: {
            "shards": [{name: getattr(shard, name) for name in names} for shard in split.shards],
            "counts": split.counts,
        }
        for name, split in splits.items()
    }


def _manifest(content: Mapping[str, Any]) -> Manifest:
    splits = {_is(str, name): _split(split) for name, split in content["splits"].items()}
    return Manifest(_is(str, content["config_fingerprint"]), _is(int, content["seed"]), splits)


def _split(content: Mapping[str, Any]) -> Split:
    counts = {
        task: {sensor: _is(int, count) for sensor, count in by_sensor.items()} for task, by_sensor in content["counts"].items()
    }
    return Split(tuple(_entry(shard) for shard in content["shards"]), counts)


def _entry(content: Mapping[str, Any]) -> ShardEntry:
    entry = ShardEntry(**content)
    storage.join("root", _is(str, entry.path))  # refuses a path that would leave the root
    normalise_relative(entry.path)  # and an address
    for name in ("samples", "instructions", "bytes", "index_bytes"):
        _is(int, getattr(entry, name))
    return entry


def _is(kind: type[T], value: Any) -> T:
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise TypeError(f"found {value!r}, expected {kind.__name__}")
