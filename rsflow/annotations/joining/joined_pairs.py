"""Which scenes are the two dates of a pair: both must exist, in one size, or the pair is rejected."""

from __future__ import annotations

from dataclasses import replace

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet
from rsflow.records import AFTER, BEFORE, PAIR_KINDS, Reject


def join_pairs(
    annotated: AnnotatedSet, pictures: dict[str, AnnotatedPicture], rejects: list[Reject]
) -> dict[str, tuple[str, str]]:
    """The scene files (before, after) of every pair whose pictures are both among `pictures` (by scene file).

    A pair that lacks one of them, or has them in two sizes, becomes a reject, and its later picture loses the labels of the
    pair. Both changes are made in place.
    """
    places: dict[str, dict[str, str]] = {}
    for file, picture in pictures.items():
        if picture.pair:
            places.setdefault(picture.pair, {})[picture.role] = file
    found = {}
    for pair in sorted(places):
        before, after = (places[pair].get(role) for role in (BEFORE, AFTER))
        if before and after and _size(pictures[before]) == _size(pictures[after]):
            found[pair] = (before, after)
            continue
        if after:
            pictures[after] = _without_pair(pictures[after])
        rejects.append(_incomplete(pair, annotated, pictures, before, after))
    return found


def _incomplete(
    pair: str, annotated: AnnotatedSet, pictures: dict[str, AnnotatedPicture], before: str | None, after: str | None
) -> Reject:
    file = next((one.annotation_file for one in annotated.pictures.values() if one.pair == pair), "")
    if before and after:
        sizes = " and ".join(f"{place} {'{} x {}'.format(*_size(pictures[place]))}" for place in (before, after))
        detail = f"the two dates differ in size, {sizes} rows and columns: their pixels do not show the same ground"
        return Reject("annotation", pair, "size_differs", detail, file)
    there, lacking = (before, AFTER) if before else (after, BEFORE)
    detail = f"{there} has no picture {lacking} it among the scenes that fits: a pair needs both its dates under scenes.files"
    return Reject("annotation", pair, "missing_partner", detail, file)


def _size(picture: AnnotatedPicture) -> tuple[int | None, int | None]:
    return picture.height_px, picture.width_px


def _without_pair(picture: AnnotatedPicture) -> AnnotatedPicture:
    return replace(picture, labels=tuple(label for label in picture.labels if label.kind not in PAIR_KINDS))
