"""Labels whose text would steer a model instead of describing a picture, and characters that nobody sees.

Both are treated once for all formats. Invisible characters go before categories are renamed, so that settings name a category
as it is read. Special tokens and control characters (rsflow.text.control_tokens) are searched after that, so that a user may
repair a name. A label that holds one, or nothing but invisible characters, becomes a reject, and its picture counts as
incompletely annotated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, rename_categories
from rsflow.errors import DataError
from rsflow.records import Label, Reject
from rsflow.text.control_tokens import find_control_token, refuse_control_tokens, strip_invisible


def reject_control_text(annotated: AnnotatedSet) -> AnnotatedSet:
    """The set without such labels and categories; the very same set where it has none."""
    kept = _reject_labels(annotated, _refuse_control)
    if not any(map(find_control_token, kept.categories)):
        return kept
    return replace(kept, categories=tuple(category for category in kept.categories if not find_control_token(category)))


def remove_invisible(annotated: AnnotatedSet) -> AnnotatedSet:
    """The set with categories and texts without invisible characters, so that "ship" is one category; the very same set where
    it has none."""
    labels = [label for picture in annotated.pictures.values() for label in picture.labels]
    names = {*annotated.categories, *(label.category for label in labels)}
    changed = {name: visible for name in sorted(names) if (visible := _visible(name)) != name}
    if not changed and all(_visible(label.text) == label.text for label in labels if label.text):
        return annotated
    kept = _reject_labels(annotated, _refuse_blank)
    pictures = {
        name: replace(picture, labels=tuple(map(_with_visible_text, picture.labels))) for name, picture in kept.pictures.items()
    }
    return rename_categories(replace(kept, pictures=pictures), changed, spelling_only=True)


def _visible(text: str) -> str:
    """The text without invisible characters, and without the blanks that they hid at its ends or doubled."""
    visible = strip_invisible(text)
    return text if visible == text else " ".join(visible.split())


def _with_visible_text(label: Label) -> Label:
    category = _visible(label.category) if label.kind == "question" else label.category  # a question's answer
    return replace(label, category=category, text=_visible(label.text))


def _reject_labels(annotated: AnnotatedSet, refuse: Callable[[Label], None]) -> AnnotatedSet:
    """The set without the labels for which `refuse` raises DataError; the very same set where there are none."""
    found = {name: dict(_faults(picture, refuse)) for name, picture in annotated.pictures.items()}
    if not any(found.values()):
        return annotated
    pictures = {name: _without(picture, found[name]) for name, picture in annotated.pictures.items()}
    rejects = [
        Reject("annotation", f"{name} label {number + 1}", error.reason, error.detail, annotated.pictures[name].file)
        for name, faults in found.items()
        for number, error in faults.items()
    ]
    return replace(annotated, pictures=pictures, rejects=(*annotated.rejects, *rejects))


def _faults(picture: AnnotatedPicture, refuse: Callable[[Label], None]) -> list[tuple[int, DataError]]:
    found = []
    for number, label in enumerate(picture.labels):
        try:
            refuse(label)
        except DataError as error:
            found.append((number, error))
    return found


def _refuse_control(label: Label) -> None:
    refuse_control_tokens(label.category, "answer" if label.kind == "question" else "category")
    refuse_control_tokens(label.text, label.kind)


def _refuse_blank(label: Label) -> None:
    if label.category and not _visible(label.category):
        reason = "empty_answer" if label.kind == "question" else "unknown_category"
        raise DataError(reason, f"the category or answer {label.category!a} has only invisible characters, expected text")
    if label.text and not _visible(label.text):
        raise DataError(f"empty_{label.kind}", f"the text {label.text!a} has only invisible characters, expected text")


def _without(picture: AnnotatedPicture, numbers: dict[int, DataError]) -> AnnotatedPicture:
    if not numbers:
        return picture
    labels = tuple(label for number, label in enumerate(picture.labels) if number not in numbers)
    return replace(picture, labels=labels, complete=False)
