"""The pictures of an annotated set: every annotation with its picture, joined as in a build, and the faults of the pictures.

Candidates are the files below the picture folder that have the file name of an annotated picture. They are decoded for their
sizes, which the join needs (rsflow.annotations.joining.join_scenes); only faults of pictures that an annotation belongs to are
reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from rsflow.annotations import AnnotatedSet, ScenePicture, join_scenes, picture_name
from rsflow.audit.pictures import THREADS, InspectedPicture, in_batches, inspect_picture
from rsflow.audit.report import Report
from rsflow.files import storage
from rsflow.files.data_paths import resolve_below
from rsflow.imports.box_formats import Size

BATCH = 512
UNMATCHED = frozenset(["missing_picture", "ambiguous_picture"])  # of an annotation without exactly one picture


def match_pictures(
    annotated: AnnotatedSet,
    folder: str,
    annotation_files: Collection[str],
    report: Report,
    on_record: Callable[[int], None],
    allow_outside: bool = False,
) -> dict[str, Size]:
    """The true sizes of the set's pictures by their names in it; what has no picture, or a broken one, is reported.

    `annotation_files` are no candidates (masks have the names of their pictures) unless they are the pictures themselves.
    """
    candidates = _candidates(annotated, folder, annotation_files)
    found: dict[str, InspectedPicture] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in in_batches(candidates, BATCH):
            places = [storage.join(folder, file) for file in batch]
            checks = pool.map(lambda file: inspect_picture(file, _resolver(folder, allow_outside)), batch)
            found.update(zip(places, checks, strict=True))
            on_record(len(batch))
    joined = join_scenes(annotated, [ScenePicture(place, *(one.size or (None, None))) for place, one in found.items()])
    for reject in joined.rejects[len(annotated.rejects) :]:
        if reject.reason in UNMATCHED:
            report.add(reject.reason, reject.subject, reject.detail)
    _report_faults(joined.files, found, report)
    sizes = {name: found[place].size for name, place in joined.files.items()}
    return {name: size for name, size in sizes.items() if size}


def _candidates(annotated: AnnotatedSet, folder: str, annotation_files: Collection[str]) -> list[str]:
    """Files below the folder, relative to it, that are called like an annotated picture."""
    names: set[str] = set()
    for picture in annotated.pictures.values():
        stated = [name for name in (picture.file, picture.own_name) if name]
        names.update(picture_name(one) for name in stated for one in (name, unquote(name)))
    own = () if any(one.match_full_path for one in annotated.pictures.values()) else map(_absolute, annotation_files)
    excluded = set(own)
    files = storage.list_files(folder, follow_links=True)
    named = (file for file in files if picture_name(file) in names and not storage.is_metadata(file))
    return [file for file in named if _absolute(storage.join(folder, file)) not in excluded]


def _resolver(folder: str, allow_outside: bool) -> Callable[[str], str]:
    # A link among the files may lead out of the folder.
    return lambda file: resolve_below(folder, file, allow_outside)


def _report_faults(files: dict[str, str], found: dict[str, InspectedPicture], report: Report) -> None:
    first: dict[bytes, str] = {}
    for name, place in files.items():
        report.count_inspected("pictures")
        one = found[place]
        if one.fault:
            report.add(one.fault[0], name, one.fault[1])
        elif first.setdefault(one.digest, place) != place:
            report.add("repeated_picture", name, f"{place} has the same bytes as {first[one.digest]}")


def _absolute(place: str) -> str:
    return place if storage.is_remote(place) else os.path.abspath(place)
