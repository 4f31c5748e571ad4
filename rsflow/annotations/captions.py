"""Caption lists in one JSON: RSICD, UCM-Captions, Sydney-Captions, RSITMD and NWPU-Captions.

Two layouts, distinguished by their keys. The one of Karpathy's splits
(https://cs.stanford.edu/people/karpathy/deepimagesent/; RSICD https://github.com/201528014227051/RSICD_optimal, RSITMD
https://github.com/xiaoyuan1996/AMFMN) is images -> sentences -> raw, with filename and split. That of NWPU-Captions
(https://github.com/HaiyanHuang98/NWPU-Captions) is class -> pictures, with raw, raw_1 ... raw_4, filename and split; its class
becomes the picture's category.

Identical captions of one picture are one. Tokens and ids are not kept: they follow from the rest. Blank captions are rejects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rsflow.annotations.annotated_set import AnnotatedSet, merge_sets
from rsflow.annotations.parsing.file_collector import FileCollector, OpenPicture
from rsflow.annotations.parsing.text_files import parse_text, read_json, shorten
from rsflow.errors import DataError, UsageError
from rsflow.records import Label, Provenance

_FROM = Provenance("annotation", "captions")


def read_captions(files: Sequence[str]) -> AnnotatedSet:
    """Caption lists as one annotated set. UsageError where a file is of neither layout."""
    return merge_sets(_read_one(file) for file in files)


def _read_one(file: str) -> AnnotatedSet:
    collector = FileCollector(file)
    for where, entry, category in _entries(read_json(file, "captions"), file):
        picture = None
        try:
            picture = _picture(collector, entry)
            if category:
                picture.labels.append(Label("category", category, _FROM))
        except DataError as error:
            collector.reject(where, error)
            continue
        for place, text in _texts(entry):
            try:
                if not isinstance(text, str):
                    raise DataError("empty_caption", f"caption is {shorten(text)}, expected a sentence")
                picture.labels.append(Label("caption", "", _FROM, text=parse_text(text, "caption")))
            except DataError as error:
                collector.reject(f"{where}{place}", error, picture)
    return collector.result()


def _entries(data: Any, file: str) -> Iterator[tuple[str, Any, str]]:
    """(place, entry, class or "") of every picture."""
    if isinstance(data, dict) and isinstance(data.get("images"), list):
        return ((f"images[{index}]", entry, "") for index, entry in enumerate(data["images"]))
    if isinstance(data, dict) and data and all(isinstance(entries, list) for entries in data.values()):
        return ((f"{name}[{i}]", entry, name) for name, entries in data.items() for i, entry in enumerate(entries))
    keys = f"its keys are {', '.join(map(str, data))[:80]}" if isinstance(data, dict) else f"it holds a {type(data).__name__}"
    raise UsageError(f"{file}: {keys}; format captions needs a list 'images', or lists of pictures by class (NWPU-Captions)")


def _picture(collector: FileCollector, entry: Any) -> OpenPicture:
    name = entry.get("filename") or entry.get("file_name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise DataError("broken_picture_entry", f"found {shorten(entry)}, expected filename, split and sentences")
    picture = collector.picture(name)
    split = entry.get("split")
    picture.split = split if isinstance(split, str) and split else picture.split
    return picture


def _texts(entry: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    sentences = entry.get("sentences")
    if sentences is not None:
        for index, item in enumerate(sentences if isinstance(sentences, list) else [sentences]):
            yield f".sentences[{index}]", item.get("raw") if isinstance(item, dict) else item
        return
    for key, text in entry.items():
        if key == "raw" or key.startswith("raw_"):
            yield f".{key}", text
