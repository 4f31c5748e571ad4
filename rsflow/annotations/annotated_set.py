"""What an annotated set is once it is read: pictures with labels in their own pixels, whatever format they came from.

A reader reports what its files state and decides nothing more. A picture of a set is one path in one annotation file;
whether two files describe one picture, or two folders hold pictures of one name, is decided where pictures are joined with
scenes (rsflow.annotations.joining.join_scenes). Names are compared in Unicode's composed form (NFC), with the case they have.

`fitted` puts a picture's labels on its scene, whose size not every format knows.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rsflow.annotations.parsing.shapes import make_shape
from rsflow.errors import DataError
from rsflow.records import UNKNOWN, Label, Reject, Shape
from rsflow.spatial.polygons import scale_parts

# Only these endings are cut from a name: "harbour_1.5m" has no extension.
_EXTENSIONS = re.compile(r"\.(bmp|gif|hdf|img|j2k|jp2|jpe?g?|nc|npy|ntf|png|ppm|tiff?|vrt|webp|zarr)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """One picture's labels, in the order of the file, boxes in pixels of the whole picture.

    `file` is the name as the annotation spells it, the sizes are None where it does not say. `complete` is False where one of
    the picture's records was rejected: then an absent category may still be there. `split` is the set's own, if it has.
    `normalised`: boxes and polygons are in shares of the picture's width and height. `gsd_m`: ground sample distance.
    `vocabulary`: the categories for which this picture is annotated completely, where that is known; None: all of the set's. A
    label whose shape is flagged UNKNOWN is an area in which objects of its category are not annotated. `origin`: the
    annotation file. `own`: the picture's name as the annotation file's own name has it, "" where one file describes many
    pictures. `match_full_path`: `file` is the picture's path, and a picture of another path is another picture. `pair`: the
    name of the pair of dates that it is one picture of, in the `role` of BEFORE or AFTER; "" for a picture of its own. Labels
    of a pair (PAIR_KINDS) are those of its later picture, in pixels of both.
    """

    name: str
    file: str
    height_px: int | None
    width_px: int | None
    labels: tuple[Label, ...]
    complete: bool = True
    split: str | None = None
    normalised: bool = False
    gsd_m: float | None = None
    vocabulary: tuple[str, ...] | None = None
    annotation_file: str = ""
    own_name: str = ""
    match_full_path: bool = False
    pair: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class AnnotatedSet:
    """`pictures` by a name that no other of the set has (see `merged`), the sorted vocabulary `categories` (also what no
    picture shows), and what was rejected."""

    pictures: dict[str, AnnotatedPicture]
    categories: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()


def picture_name(file: str) -> str:
    """The name of a picture without folder (of either slash) and picture extension, case kept, in NFC."""
    return posixpath.basename(path_stem(file))


def path_stem(file: str) -> str:
    """The path of a picture as written, but for its slashes, in NFC and without picture extension."""
    return _EXTENSIONS.sub("", normalise_path(file))


def normalise_path(file: str) -> str:
    """The path of a picture as written, with its extension: slashes forward, no leading "./", in NFC."""
    return unicodedata.normalize("NFC", file.replace("\\", "/").removeprefix("./"))


def iter_path_suffixes(file: str) -> Iterator[str]:
    """Every name that the picture stored in `file` may be known by: its file name, then with its folders, one by one."""
    path = path_stem(file)
    at = path.rfind("/")
    while at > 0:
        yield path[at + 1 :]
        at = path.rfind("/", 0, at)
    yield path[at + 1 :]
    if at == 0:
        yield path


def fit_to_scene(
    picture: AnnotatedPicture, height_px: int, width_px: int
) -> tuple[AnnotatedPicture | None, tuple[Reject, ...]]:
    """The picture with its labels in pixels of the scene, which has this size, and what of it does not fit.

    None, with one reject `size_differs`, where the annotation was made on a picture of another size. Where the format knows
    no size, boxes are brought into pixels and checked against the picture only here; one that is off is a reject.
    """
    if (picture.height_px or height_px, picture.width_px or width_px) != (height_px, width_px):
        found = f"the scene has {height_px} x {width_px} rows and columns"
        stated = f"its annotation {picture.height_px} x {picture.width_px}: boxes would fall on other pixels"
        return None, (
            Reject("annotation", picture.name, "size_differs", f"{found}, {stated}", picture.annotation_file or picture.file),
        )
    if picture.height_px and picture.width_px and not picture.normalised:
        return picture, ()
    labels: list[Label] = []
    rejects: list[Reject] = []
    for number, label in enumerate(picture.labels, 1):
        try:
            shape = label.shape and _on_scene(label.shape, height_px, width_px, picture.normalised)
            labels.append(replace(label, shape=shape))
        except DataError as error:
            named = f"{picture.name} label {number} ({label.category})"
            rejects.append(Reject("annotation", named, error.reason, error.detail, picture.annotation_file or picture.file))
    done = replace(picture, labels=tuple(labels), complete=picture.complete and not rejects, normalised=False)
    return replace(done, height_px=height_px, width_px=width_px), tuple(rejects)


def _on_scene(shape: Shape, height_px: int, width_px: int, normalised: bool) -> Shape:
    if normalised:
        x0, y0, x1, y1 = shape.box
        box = (x0 * width_px, y0 * height_px, x1 * width_px, y1 * height_px)
        outline = scale_parts(shape.area_parts, width_px, height_px)
        shape = Shape.of_parts(box, outline, shape.visibility, shape.oriented, shape.flags)
    return make_shape(shape.box, shape.polygon, height_px, width_px, shape.oriented, shape.flags, shape.parts)


def merge_sets(sets: Iterable[AnnotatedSet]) -> AnnotatedSet:
    """Several files' annotations as one set. Order follows the sets.

    Records of one file that spell a picture alike are one picture, with every label once; where they disagree on its size it
    is left out with a reject `ambiguous_picture`. A picture's name is its file name; where several of the set have that, its
    path as written; where several have that too, also the annotation file.
    """
    parts: dict[tuple[str, ...], list[AnnotatedPicture]] = {}
    categories: set[str] = set()
    rejects: list[Reject] = []
    for one in sets:
        for picture in one.pictures.values():
            parts.setdefault((picture.annotation_file, picture.own_name, normalise_path(picture.file)), []).append(picture)
        categories.update(one.categories)
        rejects.extend(one.rejects)
    pictures: list[AnnotatedPicture] = []
    for found in parts.values():
        try:
            pictures.append(merge_pictures(found))
        except DataError as error:
            rejects.append(Reject("annotation", path_stem(found[0].file), error.reason, error.detail, found[0].annotation_file))
    return AnnotatedSet(_named(pictures), tuple(sorted(categories)), tuple(rejects))


def _named(pictures: list[AnnotatedPicture]) -> dict[str, AnnotatedPicture]:
    names = Counter(picture_name(picture.file) for picture in pictures)
    paths = Counter(path_stem(picture.file) for picture in pictures)

    def name_of(picture: AnnotatedPicture) -> str:
        name, path = picture_name(picture.file), path_stem(picture.file)
        if names[name] == 1 and not picture.match_full_path:
            return name
        return path if paths[path] == 1 else f"{normalise_path(picture.file)} ({picture.annotation_file})"

    named = ((name_of(picture), picture) for picture in pictures)
    return {name: picture if picture.name == name else replace(picture, name=name) for name, picture in named}


def merge_pictures(found: list[AnnotatedPicture]) -> AnnotatedPicture:
    """One picture that several records or files describe: the labels of all, each once; the last split that one states.

    DataError `ambiguous_picture` where they disagree on its size or on the unit of its boxes.
    """
    first = found[0]
    if len(found) == 1:
        labels = _each_once(first.labels)
        return first if labels is first.labels else replace(first, labels=labels)
    heights = {picture.height_px for picture in found} - {None}
    widths = {picture.width_px for picture in found} - {None}
    if len(heights) > 1 or len(widths) > 1:
        sizes = ", ".join(f"{p.file} {p.height_px} x {p.width_px}" for p in found)
        raise DataError("ambiguous_picture", f"annotated with different sizes: {sizes}")
    if len({picture.normalised for picture in found}) > 1:
        raise DataError("ambiguous_picture", f"{first.file} is annotated in pixels and in shares of the picture")
    return replace(
        first,
        file=max((picture.file for picture in found), key=len),  # the longest path identifies the picture best
        height_px=next(iter(heights), None),
        width_px=next(iter(widths), None),
        labels=_each_once(tuple(label for picture in found for label in picture.labels)),
        complete=all(picture.complete for picture in found),
        split=next((picture.split for picture in reversed(found) if picture.split), None),
        vocabulary=_merge_vocabularies(found),
        gsd_m=next((picture.gsd_m for picture in found if picture.gsd_m), None),
    )


def _merge_vocabularies(found: list[AnnotatedPicture]) -> tuple[str, ...] | None:
    """The categories that one of the files is complete for, without those that another one has and is not complete for.

    None where no file states any.
    """
    known = [(picture.vocabulary, picture.labels) for picture in found if picture.vocabulary is not None]
    if not known:
        return None
    partial = {label.category for listed, labels in known for label in labels if label.category not in listed}
    return tuple(sorted({category for listed, _ in known for category in listed} - partial))


def _each_once(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    # Two formats of one set say the same thing twice, and merged files repeat records: provenance aside, equal claims are one.
    first: dict[tuple[object, ...], Label] = {}
    for label in labels:
        first.setdefault((label.kind, label.category, label.shape, label.text), label)
    return labels if len(first) == len(labels) else tuple(first.values())


def rename_categories(annotated: AnnotatedSet, names: dict[str, str], spelling_only: bool = False) -> AnnotatedSet:
    """The set with categories renamed; of those renamed to "" the objects stay as unknown areas, the rest goes. Others stay.

    Captions have no category, and that of a question is its answer: both stay as they are. A name that several categories are
    renamed to is complete in a picture only where all of them are, unless they are one category (`spelling_only`).
    """
    if not names:
        return annotated
    known = () if spelling_only else annotated.categories

    def relabelled(picture: AnnotatedPicture) -> AnnotatedPicture:
        labels = tuple(kept for label in picture.labels if (kept := _relabelled(label, names)))
        return replace(picture, labels=labels, vocabulary=_rename_vocabulary(picture.vocabulary, known, names))

    pictures = {name: relabelled(picture) for name, picture in annotated.pictures.items()}
    categories = {names.get(category, category) for category in annotated.categories} - {""}
    return AnnotatedSet(pictures, tuple(sorted(categories)), annotated.rejects)


def with_flag(label: Label, flag: str) -> Label:
    """The label with the flag on its shape; one that has the flag, or no shape, stays as it is."""
    if label.shape is None or flag in label.shape.flags:
        return label
    return replace(label, shape=replace(label.shape, flags=(*label.shape.flags, flag)))


def _relabelled(label: Label, names: dict[str, str]) -> Label | None:
    if label.kind in {"caption", "question", "change_caption"}:
        return label
    if label.kind == "change" and label.text in names:
        label = replace(label, text=names[label.text])
    name = names.get(label.category, label.category)
    if name or not label.category:
        return replace(label, category=name)
    if label.kind in {"box", "change", "damage"} and label.shape:
        return with_flag(label, UNKNOWN)
    return replace(label, category=UNKNOWN) if label.kind == "cover" else None


def _rename_vocabulary(mine: tuple[str, ...] | None, known: Iterable[str], names: dict[str, str]) -> tuple[str, ...] | None:
    if mine is None:
        return None
    lacking = {names.get(category, category) for category in {*known} - {*mine}}
    return tuple(sorted({names.get(category, category) for category in mine} - lacking - {""}))
