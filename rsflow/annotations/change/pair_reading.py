"""One pair of dates while its labels are gathered: two annotated pictures that refer to each other."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, path_stem
from rsflow.errors import DataError
from rsflow.records import AFTER, BEFORE, Label, Reject


@dataclass(slots=True)
class PairReading:
    """`file`: the annotation file; `before`, `after`: paths of the pictures. The fields below are those of AnnotatedPicture."""

    file: str
    before: str
    after: str
    size: tuple[int | None, int | None] = (None, None)
    split: str | None = None
    gsd_m: float | None = None
    before_labels: list[Label] = field(default_factory=list)
    after_labels: list[Label] = field(default_factory=list)
    before_vocabulary: tuple[str, ...] = ()
    complete: bool = True
    rejects: list[Reject] = field(default_factory=list)

    def take(self, found: Iterable[Label | tuple[str, DataError]], labels: list[Label], where: str = "") -> None:
        """Append what was read to `labels`; a broken record is a reject, and the pair is then not fully annotated."""
        for one in found:
            if isinstance(one, Label):
                labels.append(one)
                continue
            place, error = one
            self.complete = False
            subject = f"{posixpath.basename(self.file)} {where}{place}"
            self.rejects.append(Reject("annotation", subject, error.reason, error.detail, self.file))

    def result(self) -> AnnotatedSet:
        """Both pictures, and the categories that were looked for."""
        pictures = [
            self._picture(self.before, BEFORE, self.before_labels, self.before_vocabulary),
            self._picture(self.after, AFTER, self.after_labels, ()),
        ]
        named = {label.category for label in (*self.before_labels, *self.after_labels) if label.kind in {"box", "compared"}}
        return AnnotatedSet({one.name: one for one in pictures}, tuple(sorted(named - {""})), tuple(self.rejects))

    def _picture(self, file: str, role: str, labels: list[Label], vocabulary: tuple[str, ...]) -> AnnotatedPicture:
        return AnnotatedPicture(
            path_stem(file),
            file,
            *self.size,
            tuple(labels),
            self.complete,
            self.split,
            gsd_m=self.gsd_m,
            vocabulary=vocabulary,
            annotation_file=self.file,
            match_full_path=True,
            pair=path_stem(self.after),
            role=role,
        )
