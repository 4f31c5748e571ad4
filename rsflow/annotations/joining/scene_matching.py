"""How near an annotated picture is to the scenes that have its file name.

Two measures in order. `depth` is how many parts of the path's end are equal (labels/train/0001 and
images/train/0001: 2); `shared` is what the paths have in common at any position: folder names, and below them the words
that names are made of ("train" of images_train and of instances_train.json). Where both are equal the stated size decides,
then the suffix. Only names that distinguish scenes are compared, so that a set of 10,000 folders with an image.tif each is
joined in one pass."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from rsflow.annotations.annotated_set import AnnotatedPicture, iter_path_suffixes, normalise_path, path_stem
from rsflow.annotations.parsing.text_files import stem

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])|[^\W\d_a-zA-Z]+")
_FOLDER, _WORDS = 1000, 1  # a whole folder name counts more than any number of words

Term = tuple[int, str]


@dataclass(frozen=True, slots=True)
class ScenePicture:
    """A scene by its (main) file. The size is None where it could not be opened."""

    file: str
    height_px: int | None = None
    width_px: int | None = None


class SceneMatcher:
    """Scenes by every end of their paths, and per end by the folder names that distinguish them.

    `repeats`: names of the set are known to repeat. Then a name alone is not enough where the paths speak against it: what is
    annotated in train is no scene in val.
    """

    def __init__(self, scenes: Sequence[ScenePicture], repeats: bool = False) -> None:
        self._scenes, self._repeats = scenes, repeats
        self._by_end: dict[str, list[int]] = {}
        self._postings: dict[str, dict[Term, list[int]]] = {}
        for index, scene in enumerate(scenes):
            for end in iter_path_suffixes(scene.file):
                self._by_end.setdefault(end, []).append(index)

    def best_matches(self, picture: AnnotatedPicture) -> tuple[tuple[int, int], list[int]]:
        """((depth, shared), positions of the scenes that are nearest): none where no scene has the name, several for a tie."""
        found = next((hit for path in _paths(picture) if (hit := self._deepest(picture, path))), None)
        if found is None:
            return (0, 0), []
        path, end, among = found
        terms = path_terms(path, "" if picture.own_name else stem(picture.annotation_file))
        shared, best = self._most_shared(end, among, terms)
        if self._repeats and "/" not in end:
            best = [index for index in best if not self._elsewhere(index, terms)]
        for narrow in (self._of_its_size, self._of_its_suffix):
            best = narrow(picture, best) or best
        return (end.count("/"), shared), best

    def _deepest(self, picture: AnnotatedPicture, path: str) -> tuple[str, str, list[int]] | None:
        """(path, its longest end that scenes have, those scenes), or None where they do not even have its name."""
        end = next((end for end in reversed([*iter_path_suffixes(path)]) if end in self._by_end), None)
        if end is None:
            return None
        among = self._by_end[end]
        if picture.match_full_path:
            among = [index for index in among if _ends(path_stem(path), path_stem(self._scenes[index].file))]
        return (path, end, among) if among else None

    def _most_shared(self, end: str, among: list[int], terms: set[Term]) -> tuple[int, list[int]]:
        if len(among) == 1:
            (only,) = among
            return sum(weight for weight, _ in terms & path_terms(self._scenes[only].file)), among
        postings = self._distinguishing_terms(end)
        counts: Counter[int] = Counter()
        for term in terms & postings.keys():
            for index in postings[term]:
                counts[index] += term[0]
        most = max(counts.values(), default=0)
        return most, [index for index in among if counts[index] == most]

    def _elsewhere(self, index: int, terms: set[Term]) -> bool:
        """Whether a picture with these terms is of a folder that other scenes are in, and this scene of another one."""
        distinguishing = self._distinguishing_terms("").keys()
        mine, its = terms & distinguishing, path_terms(self._scenes[index].file) & distinguishing
        return bool(mine and its) and mine.isdisjoint(its)

    def _distinguishing_terms(self, end: str) -> dict[Term, list[int]]:
        """The scenes with this end ("": all) by each term that not all of them have."""
        if end not in self._postings:
            found: dict[Term, list[int]] = {}
            among = self._by_end[end] if end else range(len(self._scenes))
            for index in among:
                for term in path_terms(self._scenes[index].file):
                    found.setdefault(term, []).append(index)
            self._postings[end] = {term: having for term, having in found.items() if len(having) < len(among)}
        return self._postings[end]

    def _of_its_size(self, picture: AnnotatedPicture, among: list[int]) -> list[int]:
        stated = (picture.height_px, picture.width_px)
        return [i for i in among if all(a in (b, None) or b is None for a, b in zip(stated, self._size(i), strict=True))]

    def _size(self, index: int) -> tuple[int | None, int | None]:
        return self._scenes[index].height_px, self._scenes[index].width_px

    def _of_its_suffix(self, picture: AnnotatedPicture, among: list[int]) -> list[int]:
        if path_stem(picture.file) == normalise_path(picture.file):
            return []  # written without a suffix
        mine = posixpath.splitext(normalise_path(picture.file))[1]
        suffixes = {index: posixpath.splitext(self._scenes[index].file)[1] for index in among}
        same = [index for index in among if suffixes[index] == mine]
        return same or [index for index in among if suffixes[index].lower() == mine.lower()]


def path_terms(path: str, listed_in: str = "") -> set[Term]:
    """The folder names of a path and `listed_in`, the name of a file that lists it, and the words of them."""
    names = {listed_in, *posixpath.dirname(normalise_path(path)).split("/")} - {""}
    words = {word.casefold() for name in names for word in _WORD.findall(name)}
    return {*((_FOLDER, name.casefold()) for name in names), *((_WORDS, word) for word in words)}


def _paths(picture: AnnotatedPicture) -> Iterator[str]:
    """The paths that the picture may have, the likeliest first: in its annotation file's folder, or at its path from there."""
    if picture.match_full_path:
        yield normalise_path(picture.file)
        return
    folder = posixpath.dirname(normalise_path(picture.annotation_file))
    for name in dict.fromkeys((picture.own_name, normalise_path(picture.file))):
        if name:
            yield posixpath.normpath(posixpath.join(folder, name))
            if "%" in name:
                yield posixpath.normpath(posixpath.join(folder, unquote(name)))


def _ends(one: str, other: str) -> bool:
    """Whether one path is the end of the other."""
    shorter, longer = sorted((one.lstrip("/"), other.lstrip("/")), key=len)
    return longer == shorter or longer.endswith("/" + shorter)
