"""LEVIR-CC and LEVIR-MCI: sentences about what changed between two pictures (https://ieeexplore.ieee.org/document/9934924).

`LevirCCcaptions.json` lists images with filename, filepath (the split's folder), split, changeflag and sentences; the pictures
are images/<filepath>/A and /B beside it. LEVIR-MCI (https://arxiv.org/abs/2403.19646) adds images/<filepath>/label: a mask with
0, 128 (road) and 255 (building). Where that folder is there, it is read too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from rsflow.annotations.change.change_layouts import ChangeLayout, Legend
from rsflow.annotations.parsing.text_files import parse_text, read_json, shorten
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, Provenance

FROM = Provenance("annotation", "change_pairs")
LAYOUT = ChangeLayout("label", "A", "B")
MASK_LEGEND: Legend = {"0": "", "128": "road", "255": "building"}


def read_entries(file: str) -> list[Any]:
    """The entries of a caption file. UsageError where it holds none."""
    data = read_json(file, "change_pairs")
    entries = data.get("images") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"{file}: holds no list 'images', which layout levir_cc of format change_pairs needs")
    return entries


def mask_path(file: str, entry: Any) -> str:
    """Where the mask of an entry would lie, which names its pair's pictures too. DataError `broken_picture_entry`."""
    name = entry.get("filename") if isinstance(entry, dict) else None
    folder = entry.get("filepath", entry.get("split")) if isinstance(entry, dict) else None
    if not isinstance(name, str) or not isinstance(folder, str) or not name:
        raise DataError("broken_picture_entry", f"found {shorten(entry)}, expected filename, filepath and sentences")
    if ".." in (*name.split("/"), *folder.split("/")) or name.startswith("/") or folder.startswith("/"):
        raise DataError("path_outside", f"found {folder}/{name}, expected a path below the set's folder")
    return posixpath.join(posixpath.dirname(file), "images", folder, LAYOUT.masks, name)


def read_sentences(entry: dict[str, Any]) -> Iterator[Label | tuple[str, DataError]]:
    """Whether anything changed, and each different sentence."""
    flag = entry.get("changeflag")
    if flag in (0, 1):
        yield Label("compared", "", FROM, text="change", value=float(flag))
    sentences = entry.get("sentences")
    seen = set[str]()
    for number, item in enumerate(sentences if isinstance(sentences, list) else []):
        try:
            text = parse_text(item.get("raw") if isinstance(item, dict) else item, "caption")
        except DataError as error:
            yield f".sentences[{number}]", error
            continue
        if text not in seen:
            seen.add(text)
            yield Label("change_caption", "", FROM, text=text)
