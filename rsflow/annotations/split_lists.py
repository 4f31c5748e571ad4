"""The splits that a set comes with, where its annotation files do not tell them: lists of pictures, or folders.

One idea: a pattern that finds annotation files (labels/test/*.txt) says that what they annotate is in that split; any other
finds text files that name a picture per line (VOC's ImageSets/Main/test.txt, with or without folder, extension and further
columns). Where two splits claim a picture, the one that is listed later has it, so what is held out should come last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rsflow import storage
from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, merged, picture_name
from rsflow.annotations.documents import lines_of
from rsflow.errors import ConfigError

Splits = dict[str, str | tuple[str, ...]]


def with_splits(read: Callable[[Sequence[str]], AnnotatedSet], files: list[str], splits: Splits) -> AnnotatedSet:
    """What `read` makes of the files, every picture with its split. ConfigError where a pattern finds no file or no picture."""
    by_file: dict[str, str] = {}
    lists: list[tuple[str, str]] = []
    for split, patterns in splits.items():
        for pattern in (patterns,) if isinstance(patterns, str) else patterns:
            found = storage.glob(pattern)
            if not found:
                raise ConfigError(f"annotations.splits.{split}: {pattern!r} matches no file")
            mine = set(found) & set(files)
            by_file.update(dict.fromkeys(mine, split))
            lists += [(split, file) for file in found if file not in mine]
    annotated = _by_file(read, files, by_file, [*splits])
    return _by_name(annotated, lists) if lists else annotated


def _by_file(
    read: Callable[[Sequence[str]], AnnotatedSet], files: list[str], split_of: dict[str, str], order: list[str]
) -> AnnotatedSet:
    if not split_of:
        return read(files)
    groups = [(split, [file for file in files if split_of.get(file, "") == split]) for split in ("", *order)]
    return merged(_named(read(mine), split) for split, mine in groups if mine)


def _named(annotated: AnnotatedSet, split: str) -> AnnotatedSet:
    pictures = {name: replace(picture, split=split or picture.split) for name, picture in annotated.pictures.items()}
    return replace(annotated, pictures=pictures)


def _by_name(annotated: AnnotatedSet, lists: list[tuple[str, str]]) -> AnnotatedSet:
    keys: dict[str, list[str]] = {}
    for key, picture in annotated.pictures.items():
        keys.setdefault(picture_name(picture.file), []).append(key)
    pictures: dict[str, AnnotatedPicture] = dict(annotated.pictures)
    for split, file in lists:
        named = [key for _, line in lines_of(file) for key in keys.get(picture_name(line)) or keys.get(_first(line), [])]
        if not named:
            raise ConfigError(f"annotations.splits.{split}: {file} names none of the {len(keys)} annotated pictures")
        pictures.update({key: replace(pictures[key], split=split) for key in named})
    return replace(annotated, pictures=pictures)


def _first(line: str) -> str:
    return picture_name(line.split()[0])
