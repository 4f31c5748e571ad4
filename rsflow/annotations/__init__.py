"""Existing annotated sets, whatever their format, as labels of scenes.

A format is one function, from its files to an `AnnotatedSet`, and one row in the table below; its keyword arguments
are its settings, which `annotations.options` gives by name. Finding files, checking options, splits and renaming categories is
done once, here, for all. A new format is one more file in this folder and one more row.
"""

from __future__ import annotations

import difflib
import gc
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_type_hints

from rsflow.annotations.annotated_set import (
    AnnotatedPicture,
    AnnotatedSet,
    fit_to_scene,
    merge_sets,
    picture_name,
    rename_categories,
)
from rsflow.annotations.captions import read_captions
from rsflow.annotations.change_pairs import read_change_pairs
from rsflow.annotations.coco import read_coco
from rsflow.annotations.conversations import read_conversations
from rsflow.annotations.csv_boxes import read_csv
from rsflow.annotations.dior_rsvg import read_dior_rsvg
from rsflow.annotations.dota import read_dota
from rsflow.annotations.fair1m import read_fair1m
from rsflow.annotations.floodnet import read_floodnet
from rsflow.annotations.folders import read_folders
from rsflow.annotations.joining.clip_labels import clip_labels, find_hidden_categories
from rsflow.annotations.joining.join_scenes import JoinedSet, join_scenes
from rsflow.annotations.joining.scene_matching import ScenePicture
from rsflow.annotations.masks import read_masks
from rsflow.annotations.rolabelimg import read_rolabelimg
from rsflow.annotations.rsflow_jsonl import read_rsflow
from rsflow.annotations.rsivqa import read_rsivqa
from rsflow.annotations.rsvqa import read_rsvqa
from rsflow.annotations.sets.allowed_paths import Folders, parent_folders, reject_outside_pictures
from rsflow.annotations.sets.category_spelling import unify_spelling
from rsflow.annotations.sets.completeness import state_completeness
from rsflow.annotations.sets.control_text_rejects import reject_control_text, remove_invisible
from rsflow.annotations.sets.split_lists import read_with_splits
from rsflow.annotations.voc import read_voc
from rsflow.annotations.yolo import read_yolo, read_yolo_obb
from rsflow.config.settings import Annotations
from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.plugins import PluginTable

# Each is called with the sequence of its files and the options as keyword arguments.
ANNOTATIONS: PluginTable[Callable[..., AnnotatedSet]] = PluginTable(
    "rsflow.annotations",
    {
        "captions": read_captions,
        "change_pairs": read_change_pairs,
        "coco": read_coco,
        "conversations": read_conversations,
        "csv": read_csv,
        "dior_rsvg": read_dior_rsvg,
        "dota": read_dota,
        "fair1m": read_fair1m,
        "floodnet": read_floodnet,
        "folders": read_folders,
        "masks": read_masks,
        "rolabelimg": read_rolabelimg,
        "rsflow": read_rsflow,
        "rsivqa": read_rsivqa,
        "rsvqa": read_rsvqa,
        "voc": read_voc,
        "yolo": read_yolo,
        "yolo_obb": read_yolo_obb,
    },
)

__all__ = [
    "ANNOTATIONS",
    "AnnotatedPicture",
    "AnnotatedSet",
    "JoinedSet",
    "ScenePicture",
    "check_format",
    "check_options",
    "clip_labels",
    "find_hidden_categories",
    "fit_to_scene",
    "join_scenes",
    "merge_sets",
    "picture_name",
    "read_annotations",
    "unify_spelling",
]


def check_format(name: str) -> None:
    """Raises ConfigError, listing the known formats, where `name` is none of them."""
    if name not in ANNOTATIONS:
        close = difflib.get_close_matches(name, ANNOTATIONS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"annotations.format is {name!r}: {hint}known formats: {', '.join(ANNOTATIONS)}")


def check_options(settings: Annotations) -> dict[str, Any]:
    """The options as the format's keyword arguments. ConfigError for a name it has not, or a value of another type."""
    reader = ANNOTATIONS[settings.format]
    known = [name for name, value in inspect.signature(reader).parameters.items() if value.kind is value.KEYWORD_ONLY]
    hints = get_type_hints(reader)
    for name in settings.options:
        if name not in known:
            has = f"its options are {', '.join(known)}" if known else "it has none"
            raise ConfigError(f"annotations.options.{name}: format {settings.format} knows no such option; {has}")
    return {name: check(hints[name], value, f"annotations.options.{name}") for name, value in settings.options.items()}


def read_annotations(settings: Annotations, folders: Sequence[str] = ()) -> AnnotatedSet:
    """All annotation files of a source as one set, categories renamed and splits noted as the settings say.

    `folders`: where its pictures may lie, in addition to the folders of the annotation files
    (rsflow.annotations.sets.allowed_paths).

    Raises ConfigError where the format is unknown, an option wrong or a pattern matches no file, UsageError where a file is not
    of the format. What is wrong with single records is in the set's `rejects`.
    """
    check_format(settings.format)
    reader, options = ANNOTATIONS[settings.format], check_options(settings)
    files = list_annotation_files(settings)
    allowed = None if settings.allow_outside else (*parent_folders(files), *folders)
    with _uncollected():
        annotated = read_with_splits(lambda some: _within(reader(some, **options), allowed), files, settings.splits, allowed)
        visible = state_completeness(remove_invisible(annotated))
        return reject_control_text(rename_categories(visible, settings.categories))


def _within(annotated: AnnotatedSet, allowed: Folders | None) -> AnnotatedSet:
    return annotated if allowed is None else reject_outside_pictures(annotated, allowed)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: millions of small records come, none in a cycle, and each round would visit them all."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def list_annotation_files(settings: Annotations) -> list[str]:
    """The files that the settings' patterns match, each once, in the order of the patterns and sorted within one."""
    patterns = (settings.files,) if isinstance(settings.files, str) else settings.files
    found: dict[str, None] = {}
    for pattern in patterns:
        files = storage.glob(pattern)
        if not files:
            raise ConfigError(
                f"annotations.files: {pattern!r} matches no file; give the path or pattern of the {settings.format} files, "
                "or leave annotations out for a source that has none"
            )
        found.update(dict.fromkeys(files))
    return list(found)
