"""Labels of a whole picture, which are lost where it is cut into tiles.

A caption, a question, a class, a land cover or a phrase such as "the largest ship" is true of the whole picture and of no part
of it (rsflow.annotations.joining.clip_labels). Each one that no tile can carry is a reject of its own: never silence.
"""

from __future__ import annotations

from collections.abc import Iterable

from rsflow.annotations.annotated_set import AnnotatedPicture
from rsflow.annotations.joining.clip_labels import is_of_whole_picture
from rsflow.records import Reject
from rsflow.spatial.geometry import Window


def reject_split_labels(picture: AnnotatedPicture, windows: Iterable[Window]) -> tuple[Reject, ...]:
    """One reject `picture_is_cut` per label of the whole picture, where none of its tiles shows all of it.

    The picture is one that was joined with its scene: its size is known.
    """
    height_px, width_px = picture.height_px or 0, picture.width_px or 0
    if any(w.row_off <= 0 and w.col_off <= 0 and w.row_stop >= height_px and w.col_stop >= width_px for w in windows):
        return ()
    size = f"{height_px} x {width_px} rows and columns, cut into tiles, none of which shows all of it"
    hint = "raise tiles.whole_up_to_px (plain pictures) or tiles.size_px to keep it whole"
    return tuple(
        Reject(
            "annotation",
            f"{picture.name} label {number} ({label.kind})",
            "picture_is_cut",
            f"{(label.text or label.category)[:80]!r} is a label of a whole picture of {size}; {hint}",
            picture.file,
        )
        for number, label in enumerate(picture.labels, 1)
        if is_of_whole_picture(label)
    )
