"""Makes a source of an instruction set: annotation files that rsflow builds from, and a configuration that names them.

The set's texts are parsed into labels (rsflow.imports.label_parsing), its coordinates into pixels of the
true pictures, and both are written as rsflow's own annotation lines. A source has one sensor and one vocabulary, so a set that
was merged from others becomes a source per sensor and first folder of its pictures' paths. Records go through one at a
time. What cannot be parsed is counted by reason, and listed with its record in `rejects.jsonl`.

Licence and sensor are not in such sets: the licence is what the user says (else `unknown`, which a build must allow by name),
the sensor is what the user says, else what the record or the `pictures.jsonl` of our own exports says, else what the path
says; a picture whose sensor none of these states is refused, never assumed to be optical.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any

import yaml

from rsflow import dialects
from rsflow.errors import DataError, UsageError
from rsflow.files import storage
from rsflow.imports.box_formats import Size
from rsflow.imports.conversation import Conversation, parse_conversation
from rsflow.imports.embedded_pictures import write_picture
from rsflow.imports.json_records import BrokenRecord, read_records
from rsflow.imports.label_parsing import lists_all_objects, parse_labels
from rsflow.imports.picture_finder import PictureFinder
from rsflow.imports.picture_sensors import read_stated_sensors, resolve_sensor
from rsflow.imports.picture_size import read_size
from rsflow.records import Provenance
from rsflow.schemas import label_row
from rsflow.sensors import SensorName
from rsflow.text.control_tokens import refuse_control_tokens

FORMATS = ("geochat", "internvl", "llava", "mmrs", "qwen", "qwen2", "qwen3")
GENERATED_TASKS = frozenset(["conversation", "description", "reasoning"])  # texts that a build generates from the labels

PICTURES = "pictures"  # folder below the output
MAX_SOURCES = 64  # further folders share one source per sensor

_ALWAYS_WRITTEN = ("kind", "category")  # columns of a label that are written even if empty


@dataclass
class ImportedSet:
    """What was imported: number of records, labels by (sensor, kind), refused records by reason, place of the configuration."""

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
class _Importer:
    """`stated_sensors`: by picture, where a file of the set's folder states them. `partly_refused`: patterns of folders of
    which a picture was refused.
    """

    form: str
    find_picture: PictureFinder
    out: str
    name: str
    sensor: SensorName | None
    files: ExitStack
    stated_sensors: dict[str, str] = field(default_factory=dict)
    result: ImportedSet = field(default_factory=ImportedSet)
    sources: dict[str, _Source] = field(default_factory=dict)
    partly_refused: set[str] = field(default_factory=set)
    _rejects: IO[bytes] | None = None
    _sizes: dict[str, Size] = field(default_factory=dict)

    def import_record(self, number: int, record: Any) -> None:
        self.result.records += 1
        try:
            if isinstance(record, dict) and record.get("task") in GENERATED_TASKS:
                raise DataError("made_anew", f"{record['task']} is generated text: a build makes it from the labels")
            conversation = parse_conversation(record)
            name, place, size = self._picture(conversation)
            sensor = self.sensor or resolve_sensor(name, record.get("sensor", self.stated_sensors.get(name)))
        except DataError as error:
            self._reject(number, error)
            return
        rows, complete = self._label_rows(number, conversation, size)
        if rows:
            source = self._source(name, sensor)
            source.pictures.setdefault(_folder_pattern(place), set()).add(place)
            self.result.labels.update((source.sensor, row["kind"]) for row in rows)
            line = {"file": place, "height_px": size[0], "width_px": size[1], "complete": complete, "labels": rows}
            _write_row(source.stream, line)

    def _label_rows(self, number: int, conversation: Conversation, size: Size) -> tuple[list[dict[str, Any]], bool]:
        """The labels of a record, and whether one of its answers lists all objects and could be read as a whole."""
        rows: list[dict[str, Any]] = []
        complete = False
        for exchange in conversation.exchanges:
            try:
                found = list(parse_labels(exchange, dialects.get_dialect(self.form), size, Provenance("annotation", self.name)))
                for label in found:
                    refuse_control_tokens(f"{label.category}\n{label.text}".strip(), label.kind)
                rows += [
                    {k: value for k, value in label_row(label).items() if value or k in _ALWAYS_WRITTEN} for label in found
                ]
                complete = complete or lists_all_objects(exchange)
            except DataError as error:
                self._reject(number, error)
        return rows, complete

    def _picture(self, conversation: Conversation) -> tuple[str, str, Size]:
        """The picture's name in the set, its place and its true size. DataError where there is not one whole picture."""
        if len(conversation.pictures) != 1:
            raise DataError("no_picture", f"the record has {len(conversation.pictures)} pictures, expected one")
        name = conversation.pictures[0]
        if name in conversation.embedded:
            place = write_picture(conversation.embedded[name], name, storage.join(self.out, PICTURES))
        else:
            place = self._find(name)
        if name not in self._sizes:
            self._sizes[name] = read_size(place)
        return name, _absolute(place), self._sizes[name]

    def _find(self, name: str) -> str:
        try:
            place = self.find_picture(name)
        except DataError:
            self._note_refused(name)
            raise
        if place is None:
            raise DataError("missing_picture", f"{name} is not below {self.find_picture.folder}")
        return place

    def _note_refused(self, name: str) -> None:
        """A folder with a link that leads out is no pattern: its pictures are listed one by one."""
        place = posixpath.join(self.find_picture.folder, name.replace("\\", "/"))
        self.partly_refused.add(_folder_pattern(_absolute(posixpath.normpath(place))))

    def _source(self, name: str, sensor: SensorName) -> _Source:
        first, slash, _ = name.replace("\\", "/").lstrip("./").partition("/")
        key = "_".join([self.name, *([_identifier(first)] if slash else []), sensor])
        if key not in self.sources and len(self.sources) >= MAX_SOURCES:
            key = f"{self.name}_rest_{sensor}"
        if key not in self.sources:
            self.sources[key] = _Source(sensor, self._open(f"{key}.jsonl"))
        return self.sources[key]

    def _reject(self, number: int, error: DataError) -> None:
        self.result.rejects[error.reason] += 1
        self._rejects = self._rejects or self._open("rejects.jsonl")
        _write_row(self._rejects, {"record": number, "reason": error.reason, "detail": error.detail})

    def _open(self, name: str) -> IO[bytes]:
        return self.files.enter_context(storage.create(storage.join(self.out, name)))

    def shared_patterns(self) -> set[str]:
        """Patterns that would find pictures of several sources, or one that was refused."""
        counts = Counter(pattern for source in self.sources.values() for pattern in source.pictures)
        return self.partly_refused | {pattern for pattern, count in counts.items() if count > 1}


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
    """Read an instruction set and write `out/config.yaml`, a `.jsonl` for each of its sources, `out/rejects.jsonl`, and below
    `out/pictures` the pictures that lie in the set's own file.

    `form`: a key of FORMATS. `pictures`: the folder that the records' paths are below (default: the file's own); a record that
    leads out of it is refused unless `allow_outside`. UsageError for an unknown format, a file that is no such set, or one of
    which nothing could be used.
    """
    if form not in FORMATS:
        raise UsageError(f"import format {form!r} is not known; known formats: {', '.join(FORMATS)}")
    name = _identifier(posixpath.splitext(posixpath.basename(file))[0])
    folder = pictures or posixpath.dirname(file) or "."
    with ExitStack() as files:
        finder = PictureFinder(folder, allow_outside)
        importer = _Importer(form, finder, out, name, sensor, files, read_stated_sensors(folder))
        for number, record in enumerate(read_records(file, keep_broken=True)):
            if isinstance(record, BrokenRecord) and record.is_last:
                raise UsageError(f"{file}: {record.detail}")
            importer.import_record(number, record)
            on_record()
    result = importer.result
    if not result.labels:
        reasons = ", ".join(f"{count} {reason}" for reason, count in result.rejects.most_common(3)) or "it has no records"
        raise UsageError(f"{file}: nothing could be used ({reasons}); check --format and --pictures{_hint(result)}")
    result.config = storage.join(out, "config.yaml")
    storage.write_bytes(result.config, _config(importer, file, licence).encode())
    return result


def _hint(result: ImportedSet) -> str:
    return ", and say --sensor" if "sensor_unknown" in result.rejects else ""


def _config(importer: _Importer, file: str, licence: str) -> str:
    out, shared = _absolute(importer.out), importer.shared_patterns()
    sources = [
        {
            "name": name,
            "sensor": source.sensor,
            "licence": licence,
            "scenes": {"files": _patterns(source, shared)},
            "annotations": {"format": "rsflow", "files": storage.join(out, f"{name}.jsonl")},
        }
        for name, source in sorted(importer.sources.items())
    ]
    head = f"# Made by `rsflow import` from {posixpath.basename(file)} (format {importer.form}).\n"
    if licence == "unknown":
        head += "# The licence is not known: find it out, or allow it by name with select.allow_licences: [unknown].\n"
    return head + yaml.safe_dump({"root": storage.join(out, "lake"), "sources": sources}, sort_keys=False, width=120)


def _patterns(source: _Source, shared: set[str]) -> list[str]:
    """What finds the source's pictures and no other source's: patterns, and the pictures one by one in a shared folder."""
    whole = [pattern for pattern in source.pictures if pattern not in shared]
    return sorted(
        [
            *whole,
            *(_escape_pattern(place) for pattern, places in source.pictures.items() if pattern in shared for place in places),
        ]
    )


def _write_row(stream: IO[bytes], row: dict[str, Any]) -> None:
    stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _identifier(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text).strip("_") or "set"


def _absolute(place: str) -> str:
    return place if storage.is_remote(place) else os.path.abspath(place)


def _folder_pattern(place: str) -> str:
    """A pattern of the pictures of the folder with the same suffix."""
    folder, name = posixpath.split(place)
    return f"{_escape_pattern(folder)}/*{posixpath.splitext(name)[1]}"


def _escape_pattern(path: str) -> str:
    """A path as a pattern that matches that path only."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)
