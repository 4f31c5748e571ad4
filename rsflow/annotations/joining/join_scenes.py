"""Which picture of an annotated set is which scene.

Names repeat (train/0001 and val/0001), so a name alone never decides. Among the scenes of its file name a picture is
the one that shares most with it: first the longest end of its path, then the folders and words of its path and of its
annotation file's (labels/train/0001.txt, part1/labelXml/0.xml, instances_train.json), then the stated size, then the suffix.
Where two scenes match equally well the annotation is a reject that names both, and neither scene counts as fully annotated.

The other way round, several annotations of one scene are merged only where they cannot be of different pictures: files
that are named after their picture (XML, txt, masks) must say the same, records must not name different folders. The nearest
one has the scene, the rest are rejects; equally near ones are all rejects. Of a pair of dates both must exist, in one size, or
the pair is rejected.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from rsflow.annotations.annotated_set import (
    AnnotatedPicture,
    AnnotatedSet,
    fit_to_scene,
    iter_path_suffixes,
    merge_pictures,
    normalise_path,
    path_stem,
    picture_name,
)
from rsflow.annotations.joining.scene_matching import SceneMatcher, ScenePicture
from rsflow.records import AFTER, BEFORE, PAIR_KINDS, Label, Reject

MAX_SHOWN = 4  # candidates that a message names


@dataclass(frozen=True, slots=True)
class JoinedSet:
    """An annotated set on its scenes. `pictures`: by scene file, in the scene's pixels. `files`: the scene file by name of
    the annotated picture. `categories` and `rejects` are the set's, with what the scenes showed. `pairs`: the scene files
    (before, after) of every pair of dates, by its name."""

    pictures: dict[str, AnnotatedPicture]
    files: dict[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Claim:
    """An annotated picture that is taken for a scene. `score`: how near it is, see Nearness."""

    score: tuple[int, int]
    picture: AnnotatedPicture


@dataclass(slots=True)
class _Joining:
    pictures: dict[str, AnnotatedPicture] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)  # scene files that an annotation may or may not belong to

    def reject(self, picture: AnnotatedPicture, reason: str, detail: str) -> None:
        self.rejects.append(Reject("annotation", picture.name, reason, detail, picture.annotation_file or picture.file))

    def assign(self, scene: ScenePicture, claims: list[_Claim]) -> None:
        """Give a scene the labels of those of its claims that are of one picture."""
        claims.sort(key=lambda claim: claim.score, reverse=True)  # stable: of equal ones the first read comes first
        kept = claims[:1]
        for claim in claims[1:]:
            rival = next((one for one in kept if _contradict(one, claim)), None)
            if rival is None:
                kept.append(claim)
            elif claim.score == rival.score:
                self._reject_all(scene, claims)
                return
            else:
                near = f"{scene.file} of that name is that of {_describe(rival.picture)}, whose path is nearer"
                self.reject(claim.picture, "missing_picture", f"{_describe(claim.picture)} has no scene: {near}")
        self._take(scene, [claim.picture for claim in kept])

    def _reject_all(self, scene: ScenePicture, claims: list[_Claim]) -> None:
        named = " and ".join(dict.fromkeys(_describe(claim.picture) for claim in claims[:MAX_SHOWN]))
        for claim in claims:
            found = f"{named} may each be the annotation of {scene.file}: they differ, and no path decides between them"
            self.reject(claim.picture, "ambiguous_picture", found)

    def _take(self, scene: ScenePicture, found: list[AnnotatedPicture]) -> None:
        self.files.update({picture.name: scene.file for picture in found})
        if scene.height_px is None or scene.width_px is None:
            return  # it could not be opened, and is a reject of its own
        fits = []
        for picture in found:
            fit, rejects = fit_to_scene(picture, scene.height_px, scene.width_px)
            self.rejects.extend(rejects)
            fits += [fit] if fit else []
        if fits:
            self.pictures[scene.file] = merge_pictures(fits)


def join_scenes(annotated: AnnotatedSet, scenes: Sequence[ScenePicture]) -> JoinedSet:
    """Every annotated picture with its scene, and one reject per picture that has none or may have several.

    Post-condition: no picture is at two scenes, and each is at a scene or in `rejects`. Reasons: `missing_picture`,
    `ambiguous_picture`, `size_differs`, and what `fit_to_scene` and `join_pairs` find.
    """
    joining, nearness = _Joining(), SceneMatcher(scenes, _repeat(annotated, scenes))
    claims: dict[int, list[_Claim]] = {}
    for picture in annotated.pictures.values():
        score, found = nearness.best_matches(picture)
        if not found:
            joining.reject(picture, "missing_picture", f"{_describe(picture)} is annotated, but no scene has this name")
        elif len(found) > 1:
            places = [scenes[index].file for index in found]
            joining.reject(picture, "ambiguous_picture", _describe_candidates(picture, places))
            joining.doubtful.update(places)
        else:
            claims.setdefault(found[0], []).append(_Claim(score, picture))
    for index, mine in claims.items():
        joining.assign(scenes[index], mine)
    for file in joining.doubtful & joining.pictures.keys():
        joining.pictures[file] = replace(joining.pictures[file], complete=False)
    pairs = _join_pairs(annotated, joining.pictures, joining.rejects)
    return JoinedSet(joining.pictures, joining.files, annotated.categories, (*annotated.rejects, *joining.rejects), pairs)


def _repeat(annotated: AnnotatedSet, scenes: Sequence[ScenePicture]) -> bool:
    """Whether a file name stands for several scenes, or for several pictures of different annotations."""
    names = Counter(picture_name(scene.file) for scene in scenes)
    owned = Counter(picture_name(picture.own_name or picture.file) for picture in annotated.pictures.values())
    return any(count > 1 for found in (names, owned) for count in found.values())


def _describe_candidates(picture: AnnotatedPicture, places: Sequence[str]) -> str:
    more = f" and {len(places) - MAX_SHOWN} more" if len(places) > MAX_SHOWN else ""
    return f"{_describe(picture)} may be {' or '.join(places[:MAX_SHOWN])}{more}: neither path nor size decides"


def _describe(picture: AnnotatedPicture) -> str:
    if picture.own_name:
        return picture.annotation_file
    return f"{picture.file} of {picture.annotation_file}" if picture.annotation_file else picture.file


def _contradict(one: _Claim, other: _Claim) -> bool:
    """Whether two annotations of one scene are, or may be, of different pictures."""
    a, b = one.picture, other.picture
    if a.own_name or b.own_name:
        return one.score != other.score or _label_keys(a.labels) != _label_keys(b.labels)
    kinds = [{label.kind for label in picture.labels} for picture in (a, b)]
    complementary = all(kinds) and kinds[0].isdisjoint(kinds[1])  # boxes of one file and captions of another
    return _have_different_paths(a, b) or (one.score != other.score and not complementary)


def _have_different_paths(a: AnnotatedPicture, b: AnnotatedPicture) -> bool:
    """Whether two records spell different paths: neither is the end of the other, or one file distinguishes them by their
    suffix.
    """
    one, other = path_stem(a.file), path_stem(b.file)
    if one not in iter_path_suffixes(other) and other not in iter_path_suffixes(one):
        return True
    suffixes = {posixpath.splitext(normalise_path(picture.file))[1].lower() for picture in (a, b)} - {""}
    return a.annotation_file == b.annotation_file and len(suffixes) > 1


def _label_keys(labels: Iterable[Label]) -> set[tuple[object, ...]]:
    return {(label.kind, label.category, label.shape, label.text) for label in labels}


def _join_pairs(
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
    present, lacking = (before, AFTER) if before else (after, BEFORE)
    detail = f"{present} has no picture {lacking} it among the scenes that fits: a pair needs both its dates under scenes.files"
    return Reject("annotation", pair, "missing_partner", detail, file)


def _size(picture: AnnotatedPicture) -> tuple[int | None, int | None]:
    return picture.height_px, picture.width_px


def _without_pair(picture: AnnotatedPicture) -> AnnotatedPicture:
    return replace(picture, labels=tuple(label for label in picture.labels if label.kind not in PAIR_KINDS))
