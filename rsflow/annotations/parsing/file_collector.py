"""One annotation file while it is being read: its pictures so far, their labels, and what was rejected.

A record names a picture, and most formats name the same picture many times over. The reader of a format calls
`picture` for each record and appends labels to what it gets; `reject` notes what was wrong and that the picture is therefore
not fully annotated; `result` is the annotated set.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, normalise_path, picture_name
from rsflow.annotations.parsing.text_files import stem
from rsflow.errors import DataError
from rsflow.files.data_paths import normalise_relative
from rsflow.records import Label, Reject


@dataclass(slots=True)
class OpenPicture:
    """A picture while its labels are gathered; the fields are those of AnnotatedPicture."""

    file: str
    height_px: int | None = None
    width_px: int | None = None
    split: str | None = None
    normalised: bool = False
    gsd_m: float | None = None
    labels: list[Label] = field(default_factory=list)
    complete: bool = True
    own_name: str = ""
    vocabulary: tuple[str, ...] | None = None

    def to_annotated(self, origin: str) -> AnnotatedPicture:
        return AnnotatedPicture(
            picture_name(self.file),
            self.file,
            self.height_px,
            self.width_px,
            tuple(self.labels),
            self.complete,
            self.split,
            self.normalised,
            self.gsd_m,
            self.vocabulary,
            annotation_file=origin,
            own_name=self.own_name,
        )


@dataclass(slots=True)
class FileCollector:
    """`file`: the annotation file. `pictures`: by path as written in the file."""

    file: str
    pictures: dict[str, OpenPicture] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def picture(self, file: str) -> OpenPicture:
        """The picture of this path, as a record writes it. Whether two paths are one picture is decided when scenes are joined.

        DataError `path_outside` where the spelling leads out of the set.
        """
        name = normalise_path(normalise_relative(file))
        found = self.pictures.get(name)
        if found is None:
            found = self.pictures[name] = OpenPicture(file)
        return found

    def picture_of_file(self, own: str = "", stated: str = "") -> OpenPicture:
        """The one picture of a file that is named after it. `own`: the name that the file's own gives (default: its stem);
        `stated`: the name written in the file, which is used where no scene has the other."""
        picture = self.picture(stated or own or stem(self.file))
        picture.own_name = own or stem(self.file)
        return picture

    def reject(self, where: str, error: DataError, picture: OpenPicture | None = None) -> None:
        """Note that the record at `where` ("line 12", "images[3]") is unusable; `picture` is the one it would belong to."""
        if picture:
            picture.complete = False
        subject = f"{posixpath.basename(self.file)} {where}"
        self.rejects.append(Reject("annotation", subject, error.reason, error.detail, self.file))

    def result(self, categories: tuple[str, ...] = ()) -> AnnotatedSet:
        """The set, each picture under its path; pass it through `merged`, which gives the names."""
        pictures = {name: picture.to_annotated(self.file) for name, picture in self.pictures.items()}
        return AnnotatedSet(pictures, categories, tuple(self.rejects))


def collect_categories(pictures: dict[str, OpenPicture]) -> tuple[str, ...]:
    """The sorted categories of the objects of these pictures: the vocabulary of a format that writes none down."""
    return tuple(sorted({label.category for picture in pictures.values() for label in picture.labels if label.kind == "box"}))
