"""Class folders: a picture's folder is its class (UC Merced, NWPU-RESISC45, EuroSAT, AID, WHU-RS19, RSSCN7, FGSCR-42, ...;
the form of https://pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html).

`annotations.files` is the pattern of the pictures themselves, of any kind that scenes are (jpg, png, multispectral
tif), and usually the same as `scenes.files`. The folder's name is the category, as it is written; `categories` renames.
Pictures of different folders may have the same name, so each is known by its whole path.

A class of the whole picture does not list its objects: the vocabulary is empty, and no category counts as absent.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from rsflow.annotations.annotated_set import AnnotatedPicture, AnnotatedSet, merge_sets, path_stem
from rsflow.records import Label, Provenance, Reject

_FROM = Provenance("annotation", "folders")


def read_folders(files: Sequence[str]) -> AnnotatedSet:
    """The pictures with the class that their folder says. One that is in no folder is a reject."""
    pictures: dict[str, AnnotatedPicture] = {}
    rejects: list[Reject] = []
    for file in files:
        name, category = path_stem(file), posixpath.basename(posixpath.dirname(file))
        if not category:
            detail = f"{file} is in no folder, which would be its class"
            rejects.append(Reject("annotation", posixpath.basename(file), "unknown_category", detail, file))
            continue
        label = Label("category", category, _FROM)
        pictures[file] = AnnotatedPicture(name, file, None, None, (label,), annotation_file=file, match_full_path=True)
    return merge_sets([AnnotatedSet(pictures, (), tuple(rejects))])
