"""Makes a source of an instruction set: annotation files that rsflow builds from, and a configuration that names them.

One idea: the set's texts are read back into what they claim (rsflow.imports.label_parsing), its coordinates into pixels of the
true pictures, and both are written as rsflow's own annotation lines. A source has one sensor and one vocabulary, so a set that
was put together from others becomes a source per sensor and first folder of its pictures' paths. Records go through one at a
time. What cannot be understood is counted by reason and told, each with its record in `rejects.jsonl`.

Licence and sensor are not in such sets: the licence is what the user says (else `unknown`, which a build must allow by name),
the sensor is what the user says, else what the record or the `pictures.jsonl` of our own exports says, else what the path
says; a picture of which none of these tells is refused, never taken for optical.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any

import yaml
from PIL import Image

from rsflow import dialects
from rsflow.errors import DataError, StorageError, UsageError
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below
from rsflow.imports.box_formats import Size
from rsflow.imports.conversation import Conversation, parse_conversation
from rsflow.imports.json_records import read_records
from rsflow.imports.label_parsing import lists_all_objects, parse_labels
from rsflow.imports.picture_sensors import read_stated_sensors, resolve_sensor
from rsflow.records import Provenance
from rsflow.schemas import label_row
from rsflow.sensors import SensorName
from rsflow.text.control_tokens import refuse_control_tokens

FORMATS = ("geochat", "internvl", "llava", "mmrs", "qwen", "qwen2", "qwen3")
GENERATED_TASKS = frozenset(["conversation", "description", "reasoning"])  # texts that a build makes anew from the labels

MAX_SOURCES = 64  # further folders share one source per sensor

_SAID = ("kind", "category")  # of a label's columns, those that are written even if empty
_HEADER = 1 << 16  # bytes that hold a picture's size, nearly always


@dataclass
class ImportedSet:
    """What became of a set: its records, labels by (sensor, kind), refusals by reason, and the configuration's place."""

    config: str = ""
    records: int = 0
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)


@dataclass
class _Source:
    """One source while it is written: its sensor, and its pictures by the pattern that finds them."""

    sensor: SensorName
    stream: IO[bytes]
    pictures: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class _Adopting:
    form: str
    folder: str
    out: str
    name: str
    sensor: SensorName | None
    files: ExitStack
    allow_outside: bool = False
    stated: dict[str, str] = field(default_factory=dict)  # the sensor by picture, where a file beside the set has it
    result: ImportedSet = field(default_factory=ImportedSet)
    sources: dict[str, _Source] = field(default_factory=dict)
    outside_links: set[str] = field(default_factory=set)
    _rejects: IO[bytes] | None = None
    _sizes: dict[str, Size] = field(default_factory=dict)

    def take(self, number: int, record: Any) -> None:
        self.result.records += 1
        try:
            if isinstance(record, dict) and record.get("task") in GENERATED_TASKS:
                raise DataError("made_anew", f"{record['task']} is generated text: a build makes it from the labels")
            conversation = parse_conversation(record)
            name, place, size = self._picture(conversation)
            sensor = self.sensor or resolve_sensor(name, record.get("sensor", self.stated.get(name)))
        except DataError as error:
            self._reject(number, error)
            return
        rows = self._labels(number, conversation, size)
        if rows:
            source = self._source(name, sensor)
            source.pictures.setdefault(_pattern(place), set()).add(place)
            self.result.labels.update((source.sensor, row["kind"]) for row in rows)
            complete = any(lists_all_objects(exchange) for exchange in conversation.exchanges)
            _write(
                source.stream, {"file": place, "height_px": size[0], "width_px": size[1], "complete": complete, "labels": rows}
            )

    def _labels(self, number: int, conversation: Conversation, size: Size) -> list[dict[str, Any]]:
        rows = []
        for exchange in conversation.exchanges:
            try:
                found = list(parse_labels(exchange, dialects.get_dialect(self.form), size, Provenance("annotation", self.name)))
                for label in found:
                    refuse_control_tokens(f"{label.category}\n{label.text}".strip(), label.kind)
                rows += [{key: value for key, value in label_row(label).items() if value or key in _SAID} for label in found]
            except DataError as error:
                self._reject(number, error)
        return rows

    def _picture(self, conversation: Conversation) -> tuple[str, str, Size]:
        """The picture's name in the set, its place and its true size. DataError where there is not one whole picture."""
        if len(conversation.pictures) != 1:
            raise DataError("no_picture", f"the record has {len(conversation.pictures)} pictures, expected one")
        name = conversation.pictures[0]
        try:
            place = _place(self.folder, name, self.allow_outside)
        except DataError:
            self._refused(name)
            raise
        if name not in self._sizes:
            self._sizes[name] = _size(place)
        return name, place, self._sizes[name]

    def _refused(self, name: str) -> None:
        """A folder with a link that leads out is no pattern: its pictures are named one by one."""
        self.outside_links.add(_pattern(_absolute(posixpath.normpath(posixpath.join(self.folder, name.replace("\\", "/"))))))

    def _source(self, name: str, sensor: SensorName) -> _Source:
        first, slash, _ = name.replace("\\", "/").lstrip("./").partition("/")
        key = "_".join([self.name, *([_word(first)] if slash else []), sensor])
        if key not in self.sources and len(self.sources) >= MAX_SOURCES:
            key = f"{self.name}_rest_{sensor}"
        if key not in self.sources:
            self.sources[key] = _Source(sensor, self._open(f"{key}.jsonl"))
        return self.sources[key]

    def _reject(self, number: int, error: DataError) -> None:
        self.result.rejects[error.reason] += 1
        self._rejects = self._rejects or self._open("rejects.jsonl")
        _write(self._rejects, {"record": number, "reason": error.reason, "detail": error.detail})

    def _open(self, name: str) -> IO[bytes]:
        return self.files.enter_context(storage.create(storage.join(self.out, name)))

    def shared(self) -> set[str]:
        """Patterns that would bring pictures of several sources, or one that was refused."""
        counts = Counter(pattern for source in self.sources.values() for pattern in source.pictures)
        return self.outside_links | {pattern for pattern, count in counts.items() if count > 1}


def import_set(
    file: str,
    form: str,
    out: str,
    pictures: str | None = None,
    sensor: SensorName | None = None,
    licence: str = "unknown",
    on_record: Callable[[], None] = lambda: None,
    allow_outside: bool = False,
) -> ImportedSet:
    """Read an instruction set and write `out/config.yaml`, a `.jsonl` for each of its sources, and `out/rejects.jsonl`.

    `form`: a key of FORMATS. `pictures`: the folder that the records' paths are below (default: the file's own); a record that
    leads out of it is refused unless `allow_outside`. UsageError for an unknown format, a file that is no such set, or one of
    which nothing could be used.
    """
    if form not in FORMATS:
        raise UsageError(f"import format {form!r} is not known; known formats: {', '.join(FORMATS)}")
    name = _word(posixpath.splitext(posixpath.basename(file))[0])
    folder = pictures or posixpath.dirname(file) or "."
    with ExitStack() as files:
        adopting = _Adopting(form, folder, out, name, sensor, files, allow_outside, read_stated_sensors(folder))
        for number, record in enumerate(read_records(file)):
            adopting.take(number, record)
            on_record()
    result = adopting.result
    if not result.labels:
        said = ", ".join(f"{count} {reason}" for reason, count in result.rejects.most_common(3)) or "it has no records"
        raise UsageError(f"{file}: nothing could be used ({said}); check --format and --pictures{_hint(result)}")
    result.config = storage.join(out, "config.yaml")
    storage.write_bytes(result.config, _config(adopting, file, licence).encode())
    return result


def _hint(result: ImportedSet) -> str:
    return ", and say --sensor" if "sensor_unknown" in result.rejects else ""


def _config(adopting: _Adopting, file: str, licence: str) -> str:
    out, shared = _absolute(adopting.out), adopting.shared()
    sources = [
        {
            "name": name,
            "sensor": source.sensor,
            "licence": licence,
            "scenes": {"files": _patterns(source, shared)},
            "annotations": {"format": "rsflow", "files": storage.join(out, f"{name}.jsonl")},
        }
        for name, source in sorted(adopting.sources.items())
    ]
    head = f"# Made by `rsflow import` from {posixpath.basename(file)} (format {adopting.form}).\n"
    if licence == "unknown":
        head += "# The licence is not known: find it out, or allow it by name with select.allow_licences: [unknown].\n"
    return head + yaml.safe_dump({"root": storage.join(out, "lake"), "sources": sources}, sort_keys=False, width=120)


def _patterns(source: _Source, shared: set[str]) -> list[str]:
    """What finds the source's pictures and no other source's: patterns, and the pictures one by one in a shared folder."""
    whole = [pattern for pattern in source.pictures if pattern not in shared]
    return sorted(
        [*whole, *(_plain(place) for pattern, places in source.pictures.items() if pattern in shared for place in places)]
    )


def _write(stream: IO[bytes], row: dict[str, Any]) -> None:
    stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _word(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text).strip("_") or "set"


def _place(folder: str, name: str, allow_outside: bool) -> str:
    place = resolve_below(folder, name, allow_outside)
    if not storage.exists(place):
        raise DataError("missing_picture", f"{name} is not below {folder}")
    return _absolute(place)


def _absolute(place: str) -> str:
    return place if storage.is_remote(place) else os.path.abspath(place)


def _size(place: str) -> Size:
    try:
        return _measured(storage.read_bytes(place, 0, _HEADER))
    except (OSError, ValueError, SyntaxError):
        pass  # a header that is longer than that: thumbnails may stand before the size
    try:
        return _measured(storage.read_bytes(place))
    except (OSError, ValueError, SyntaxError, StorageError) as error:
        raise DataError("unreadable_picture", f"{place}: {error}") from error


def _measured(data: bytes) -> Size:
    with Image.open(BytesIO(data)) as image:
        return image.height, image.width


def _pattern(place: str) -> str:
    """The pictures of the folder with the same ending."""
    folder, name = posixpath.split(place)
    return f"{_plain(folder)}/*{posixpath.splitext(name)[1]}"


def _plain(path: str) -> str:
    """A path as a pattern that means just it."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)
