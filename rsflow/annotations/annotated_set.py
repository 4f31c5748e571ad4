"""What an annotated set is once it is read: pictures with labels in their own pixels, whatever format they came from.

One idea: a picture is known by its file name without folder and extension, because sets move between folders and are
converted between formats more often than they are renamed. Where two pictures of one set share that name, each is known by
its path as far as the set spells it ("UCM/1", "Sydney/1"). Where that does not tell them apart either, or two files disagree
on a picture's size, it is left out and reported, never guessed. Where the annotated file is itself the picture (class
folders), it is known by its whole path.

`for_scene` finds a scene's picture, `fitted` puts its labels on the scene, which not every format knows the size of, and
`without_scene` lists annotated pictures that no scene brought.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rsflow.annotations.shapes import shape_on
from rsflow.errors import DataError
from rsflow.records import Label, Reject, Shape

# Only these endings are cut from a name: "harbour_1.5m" has no extension.
_EXTENSIONS = re.compile(r"\.(bmp|gif|hdf|img|j2k|jp2|jpe?g?|nc|npy|ntf|png|ppm|tiff?|vrt|webp|zarr)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """One picture's labels, in the order of the file, boxes in pixels of the whole picture.

    `file` is the name as the annotation spells it, the sizes are None where it does not say. `complete` is False where
    one of the picture's records was rejected: then an absent category may still be there. `split` is the set's own, if it has.
    `normalised`: boxes and polygons are in shares of the picture's width and height. `gsd_m`: ground sample distance.
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


@dataclass(frozen=True, slots=True)
class AnnotatedSet:
    """`pictures` by name, the sorted vocabulary `categories` (also what no picture shows), and what was rejected."""

    pictures: dict[str, AnnotatedPicture]
    categories: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()


def picture_name(file: str) -> str:
    """The name a picture is known by: no folder (of either slash), no picture extension, case kept."""
    return _EXTENSIONS.sub("", posixpath.basename(file.replace("\\", "/")))


def path_name(file: str) -> str:
    """The name of a picture that is known by its path: as spelled, but for its slashes and without picture extension."""
    return _EXTENSIONS.sub("", file.replace("\\", "/")).removeprefix("./")


def names_of(file: str) -> Iterator[str]:
    """Every name that the picture stored in `file` may be known by: its file name, then with its folders, one by one."""
    path = path_name(file)
    at = path.rfind("/")
    while at > 0:
        yield path[at + 1 :]
        at = path.rfind("/", 0, at)
    yield path[at + 1 :]
    if at == 0:
        yield path


def for_scene(annotated: AnnotatedSet, file: str) -> AnnotatedPicture | None:
    """The annotations of the scene that is stored in `file` (a path, or its name), or None. As many looks as it has folders."""
    return next((annotated.pictures[name] for name in names_of(file) if name in annotated.pictures), None)


def fitted(picture: AnnotatedPicture, height_px: int, width_px: int) -> tuple[AnnotatedPicture | None, tuple[Reject, ...]]:
    """The picture with its labels in pixels of the scene, which has this size, and what of it does not fit.

    None, with one reject `size_differs`, where the annotation was made on a picture of another size. Where the format knows
    no size, boxes are brought into pixels and checked against the picture only here; one that is off is a reject.
    """
    if (picture.height_px or height_px, picture.width_px or width_px) != (height_px, width_px):
        found = f"the scene has {height_px} x {width_px} rows and columns"
        stated = f"its annotation {picture.height_px} x {picture.width_px}: boxes would fall on other pixels"
        return None, (Reject("annotation", picture.name, "size_differs", f"{found}, {stated}", picture.file),)
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
            rejects.append(Reject("annotation", named, error.reason, error.detail, picture.file))
    done = replace(picture, labels=tuple(labels), complete=picture.complete and not rejects, normalised=False)
    return replace(done, height_px=height_px, width_px=width_px), tuple(rejects)


def _on_scene(shape: Shape, height_px: int, width_px: int, normalised: bool) -> Shape:
    if normalised:
        x0, y0, x1, y1 = shape.box
        ring = tuple(value * (height_px if i % 2 else width_px) for i, value in enumerate(shape.polygon))
        shape = replace(shape, box=(x0 * width_px, y0 * height_px, x1 * width_px, y1 * height_px), polygon=ring)
    return shape_on(shape.box, shape.polygon, height_px, width_px, shape.oriented, shape.flags)


def without_scene(annotated: AnnotatedSet, scenes: Iterable[str]) -> tuple[Reject, ...]:
    """One reject `missing_picture` per annotated picture that is the picture of none of the scene files."""
    there = {name for file in scenes for name in names_of(file)}
    return tuple(
        Reject("annotation", name, "missing_picture", f"{picture.file} is annotated, but no scene has this name", picture.file)
        for name, picture in annotated.pictures.items()
        if name not in there
    )


def merged(sets: Iterable[AnnotatedSet]) -> AnnotatedSet:
    """Several files' annotations as one set.

    A picture that several files describe has the labels of all, each once; where they disagree on its size it is left out
    with a reject `ambiguous_picture`, and where they disagree on its split the last one has it. Order follows the sets.
    """
    parts: dict[str, list[AnnotatedPicture]] = {}
    categories: set[str] = set()
    rejects: list[Reject] = []
    for one in sets:
        for picture in one.pictures.values():
            parts.setdefault(picture.name, []).append(picture)
        categories.update(one.categories)
        rejects.extend(one.rejects)
    # A picture that one file found ambiguous stays out, whichever other file knows it.
    barred = {reject.subject for reject in rejects if reject.reason == "ambiguous_picture"}
    pictures: dict[str, AnnotatedPicture] = {}
    for shared, found in parts.items():
        for name, same in _told_apart(shared, found).items() if shared not in barred else ():
            try:
                pictures[name] = _united(name, same)
            except ValueError as error:
                rejects.append(Reject("annotation", name, "ambiguous_picture", str(error), same[0].file))
    return AnnotatedSet(pictures, tuple(sorted(categories)), tuple(rejects))


def _told_apart(name: str, found: list[AnnotatedPicture]) -> dict[str, list[AnnotatedPicture]]:
    """The pictures of one name by what they are known by: that name, or their paths where these show that they are several."""
    if len(found) == 1 or len(_places(found)) == 1:
        return {name: found}
    by_path: dict[str, list[AnnotatedPicture]] = {}
    for picture in found:
        by_path.setdefault(path_name(picture.file), []).append(picture)
    # One that is spelled too short to say which of them it is makes all of them doubtful: `_united` refuses them.
    return by_path if by_path.keys() == _places(found) else {name: found}


def _places(found: list[AnnotatedPicture]) -> set[str]:
    """The different paths among the spellings; one that is the end of another is no different path."""
    spelled = {path_name(picture.file) for picture in found}
    return spelled - {end for path in spelled for end in names_of(path) if end != path}


def _united(name: str, found: list[AnnotatedPicture]) -> AnnotatedPicture:
    if len(found) == 1:
        labels = _each_once(found[0].labels)
        same = labels is found[0].labels and name == found[0].name
        return found[0] if same else replace(found[0], name=name, labels=labels)
    if len(places := _places(found)) > 1:
        files = ", ".join(dict.fromkeys(picture.file for picture in found))
        raise ValueError(f"{files} cannot be told apart: they may be any of {len(places)} pictures")
    heights = {picture.height_px for picture in found} - {None}
    widths = {picture.width_px for picture in found} - {None}
    if len(heights) > 1 or len(widths) > 1:
        sizes = ", ".join(f"{p.file} {p.height_px} x {p.width_px}" for p in found)
        raise ValueError(f"annotated with different sizes: {sizes}")
    if len({picture.normalised for picture in found}) > 1:
        raise ValueError("annotated in pixels and in shares of the picture")
    labels = tuple(label for picture in found for label in picture.labels)
    return AnnotatedPicture(
        name,
        max((picture.file for picture in found), key=len),  # the fullest spelling tells best whether it is the user's picture
        next(iter(heights), None),
        next(iter(widths), None),
        _each_once(labels),
        all(picture.complete for picture in found),
        next((picture.split for picture in reversed(found) if picture.split), None),
        found[0].normalised,
        next((picture.gsd_m for picture in found if picture.gsd_m), None),
    )


def _each_once(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    # Two formats of one set say the same thing twice, and merged files repeat records: provenance aside, equal claims are one.
    first: dict[tuple[object, ...], Label] = {}
    for label in labels:
        first.setdefault((label.kind, label.category, label.shape, label.text), label)
    return labels if len(first) == len(labels) else tuple(first.values())


def renamed(annotated: AnnotatedSet, names: dict[str, str]) -> AnnotatedSet:
    """The set with categories renamed; those renamed to "" go, and their labels with them. Other names stay.

    Captions have no category, and that of a question is its answer: both stay as they are.
    """
    if not names:
        return annotated

    def relabelled(picture: AnnotatedPicture) -> AnnotatedPicture:
        said = ((lab, lab.kind in {"caption", "question"}, names.get(lab.category, lab.category)) for lab in picture.labels)
        labels = (lab if stays else replace(lab, category=name) for lab, stays, name in said if stays or name)
        return replace(picture, labels=tuple(labels))

    pictures = {name: relabelled(picture) for name, picture in annotated.pictures.items()}
    categories = {names.get(category, category) for category in annotated.categories} - {""}
    return AnnotatedSet(pictures, tuple(sorted(categories)), annotated.rejects)
