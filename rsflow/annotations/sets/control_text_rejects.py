"""Labels whose text would steer a model instead of describing a picture.

Checked once for all formats, after categories were renamed, so that a user may repair a name. A label that holds a
special token or a control character (rsflow.text.control_tokens) becomes a reject, and its picture counts as incompletely
annotated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, rename_categories
from rsflow.errors import DataError
from rsflow.records import Label, Reject
from rsflow.text.control_tokens import find_control_token, refuse_control_tokens, strip_invisible


def reject_control_text(annotated: AnnotatedSet) -> AnnotatedSet:
    """The set without such labels and categories; the very same set where it has none. Invisible characters only go away."""
    annotated = _strip_invisible(annotated)
    found = {name: list(_faults(picture)) for name, picture in annotated.pictures.items()}
    if not any(found.values()) and not any(map(find_control_token, annotated.categories)):
        return annotated
    pictures = {name: _without(picture, {n for n, _ in found[name]}) for name, picture in annotated.pictures.items()}
    rejects = [
        Reject("annotation", f"{name} label {number + 1}", error.reason, error.detail, annotated.pictures[name].file)
        for name, faults in found.items()
        for number, error in faults
    ]
    categories = tuple(category for category in annotated.categories if not find_control_token(category))
    return AnnotatedSet(pictures, categories, (*annotated.rejects, *rejects))


def _strip_invisible(annotated: AnnotatedSet) -> AnnotatedSet:
    """The set with categories and texts without characters that nobody sees, so that "ship" is one category."""
    labels = [label for picture in annotated.pictures.values() for label in picture.labels]
    names = {*annotated.categories, *(label.category for label in labels)}
    changed = {name: plain for name in sorted(names) if (plain := strip_invisible(name)) != name}
    if not changed and all(strip_invisible(label.text) == label.text for label in labels if label.text):
        return annotated
    pictures = {
        name: replace(picture, labels=tuple(map(_with_plain_text, picture.labels)))
        for name, picture in annotated.pictures.items()
    }
    return rename_categories(replace(annotated, pictures=pictures), changed, spelling_only=True)


def _with_plain_text(label: Label) -> Label:
    category = strip_invisible(label.category) if label.kind == "question" else label.category  # a question's answer
    return replace(label, category=category, text=strip_invisible(label.text))


def _faults(picture: AnnotatedPicture) -> Iterator[tuple[int, DataError]]:
    for number, label in enumerate(picture.labels):
        try:
            _check(label)
        except DataError as error:
            yield number, error


def _check(label: Label) -> None:
    refuse_control_tokens(label.category, "answer" if label.kind == "question" else "category")
    refuse_control_tokens(label.text, label.kind)


def _without(picture: AnnotatedPicture, numbers: set[int]) -> AnnotatedPicture:
    if not numbers:
        return picture
    labels = tuple(label for number, label in enumerate(picture.labels) if number not in numbers)
    return replace(picture, labels=labels, complete=False)
