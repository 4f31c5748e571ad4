"""The splits that a set comes with, where its annotation files do not state them: lists of pictures, or folders.

A pattern that finds annotation files (labels/test/*.txt) says that what they annotate is in that split; any other
finds text files that name a picture per line (VOC's ImageSets/Main/test.txt, with or without folder, extension and further
columns). Where two splits claim a picture, the one that is listed later has it, so what is held out should come last.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import unquote

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, iter_path_suffixes, merge_sets, path_stem
from rsflow.annotations.parsing.text_files import read_lines
from rsflow.annotations.sets.allowed_paths import Folders, check_picture_path
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage
from rsflow.files.data_paths import normalise_relative
from rsflow.records import Reject

MAX_SHOWN = 4  # pictures that a message names

Splits = dict[str, str | tuple[str, ...]]


def read_with_splits(
    read: Callable[[Sequence[str]], AnnotatedSet], files: list[str], splits: Splits, folders: Folders | None = ()
) -> AnnotatedSet:
    """What `read` makes of the files, every picture with its split. ConfigError where a pattern finds no file or no picture.

    An absolute name in a list must lie below one of `folders`; None: anywhere.
    """
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
    return _by_name(annotated, lists, folders) if lists else annotated


def _by_file(
    read: Callable[[Sequence[str]], AnnotatedSet], files: list[str], split_of: dict[str, str], order: list[str]
) -> AnnotatedSet:
    if not split_of:
        return read(files)
    groups = [(split, [file for file in files if split_of.get(file, "") == split]) for split in ("", *order)]
    return merge_sets(_named(read(mine), split) for split, mine in groups if mine)


def _named(annotated: AnnotatedSet, split: str) -> AnnotatedSet:
    pictures = {name: replace(picture, split=split or picture.split) for name, picture in annotated.pictures.items()}
    return replace(annotated, pictures=pictures)


def _by_name(annotated: AnnotatedSet, lists: list[tuple[str, str]], folders: Folders | None) -> AnnotatedSet:
    names = _PictureNames(annotated)
    pictures: dict[str, AnnotatedPicture] = dict(annotated.pictures)
    rejects: list[Reject] = []
    for split, file in lists:
        named: list[str] = []
        list_rejects: list[Reject] = []
        for number, line in read_lines(file):
            try:
                normalise_relative(line) if folders is None else check_picture_path(line, folders)
                named += names.find(line)
            except DataError as error:
                subject = f"{posixpath.basename(file)} line {number}"
                list_rejects.append(Reject("annotation", subject, error.reason, error.detail, file))
        if not named:
            why = f" ({list_rejects[0].detail})" if list_rejects else ""
            raise ConfigError(f"annotations.splits.{split}: {file} names none of the {len(pictures)} annotated pictures{why}")
        rejects += list_rejects
        pictures.update({key: replace(pictures[key], split=split) for key in named})
    return replace(annotated, pictures=pictures, rejects=(*annotated.rejects, *rejects))


class _PictureNames:
    """Keys of annotated pictures by every end of their paths: the path beside the annotation file for a file that describes one
    picture, and the name that is written in it where no other picture has that."""

    def __init__(self, annotated: AnnotatedSet) -> None:
        self._by_path: dict[str, list[str]] = {}
        self._by_stated: dict[str, list[str]] = {}
        self._paths: dict[str, str] = {}
        for key, picture in annotated.pictures.items():
            folder = posixpath.dirname(picture.annotation_file)
            path = posixpath.join(folder, picture.own_name) if picture.own_name else picture.file
            self._paths[key] = path_stem(path)
            for name in iter_path_suffixes(path):
                self._by_path.setdefault(name, []).append(key)
            for name in iter_path_suffixes(picture.file) if picture.own_name else ():
                self._by_stated.setdefault(name, []).append(key)

    def find(self, line: str) -> list[str]:
        """The pictures that a line means: by as much of its path as there are pictures of, the longest first.

        Columns behind the name are cut off one by one until a picture has the name; %20 and the like are decoded. DataError
        `ambiguous_picture` where pictures of different folders have the name.
        """
        words = line.split()
        texts = [line, *(" ".join(words[:count]) for count in range(len(words), 0, -1))]
        ends = [name for text in texts for one in (text, unquote(text)) for name in reversed([*iter_path_suffixes(one)])]
        known = next((names[end] for names in (self._by_path, self._by_stated) for end in ends if end in names), [])
        paths = sorted({self._paths[key] for key in known})
        if len(paths) > 1:
            raise DataError("ambiguous_picture", f"{line} may be {' or '.join(paths[:MAX_SHOWN])}: give more of its path")
        return known
