"""The annotations of every source, read and joined with its scenes, and what of them is lost.

One idea: an annotation that reaches no tile leaves with a reason that is counted, also where nothing is wrong with it: what was
said of a whole picture is not true of its parts, so it leaves where the picture is cut. A source whose annotations are all lost
fails the run, for a dataset without them is not what was asked for.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from rsflow.annotations import AnnotatedSet, JoinedSet, ScenePicture, join_scenes, read_annotations, unify_spelling
from rsflow.config.settings import BuildConfig, Source
from rsflow.errors import ConfigError, RejectLimitError
from rsflow.readers.listing.scene_listing import pattern_folders
from rsflow.records import UNKNOWN, Label, Reject, SceneFiles
from rsflow.stages.label.cut_scenes import main_file

SHOWN = 5  # reasons that a message gives an example of


def joined_sources(
    built: BuildConfig, rows: list[dict[str, Any]], files: dict[str, SceneFiles], all_known: bool = True
) -> dict[str, JoinedSet]:
    """The annotations of every source that has some, on the scenes of `rows` (SCENES).

    ConfigError where none is a scene's, which is known only where `all_known`: no scene is missing from `rows`.
    """
    annotated = [source for source in built.sources if source.annotated_set]
    sets = unify_spelling({source.name: _read(source) for source in annotated})
    found = {}
    for source in built.sources:
        if source.name in sets:
            # A scene on several grids is one picture to its annotations.
            mine = list(
                dict.fromkeys(_scene_picture(row, files[row["scene_id"]]) for row in rows if row["source"] == source.name)
            )
            found[source.name] = join_scenes(sets[source.name], mine)
            if all_known:
                _check_some_match(source, sets[source.name], found[source.name], mine)
    return found


def _read(source: Source) -> AnnotatedSet:
    assert source.annotated_set
    annotated = read_annotations(source.annotated_set, pattern_folders(source.scenes))
    # Where not everything is annotated, an absent category proves nothing: the vocabulary is what negatives are asked from.
    return dataclasses.replace(annotated, categories=source.annotated_set.complete_categories(annotated.categories))


def _scene_picture(row: dict[str, Any], scene: SceneFiles) -> ScenePicture:
    if row["probe_reason"]:
        return ScenePicture(main_file(scene), None, None)
    height, width = (row["file_height_px"] or row["height_px"]), (row["file_width_px"] or row["width_px"])
    return ScenePicture(main_file(scene), height, width)


def _check_some_match(source: Source, annotated: AnnotatedSet, joined: JoinedSet, scenes: list[ScenePicture]) -> None:
    if annotated.pictures and all(reject.reason == "missing_picture" for reject in joined.rejects) and not joined.files:
        example = sorted(annotated.pictures)[0]
        files = source.annotated_set.files if source.annotated_set else ""
        raise ConfigError(
            f"sources.{source.name}: none of the {len(annotated.pictures)} pictures of {files} (such as {example!r}) "
            f"is among the {len(scenes)} scenes of {source.scenes.files} (such as {scenes[0].file!r}): "
            "names must be equal but for folder and extension"
        )


def check_some_left(source: str, joined: JoinedSet, rejects: list[Reject], max_reject_share: float) -> None:
    """RejectLimitError with the reasons where not one label of a source's annotations reaches a tile and some were rejected.

    A limit of 1 allows it.
    """
    labels = sum(not _is_area(label) for picture in joined.pictures.values() for label in picture.labels)
    cut = sum(reject.reason == "picture_is_cut" for reject in rejects)
    if labels > cut or not rejects or max_reject_share >= 1:
        return
    reasons = Counter(reject.reason for reject in rejects).most_common(SHOWN)
    examples = {reject.reason: reject for reject in reversed(rejects)}
    lines = "\n".join(f"  {n:6}  {why}: {examples[why].file}: {examples[why].detail}" for why, n in reasons)
    raise RejectLimitError(
        f"sources.{source}: all annotations were rejected, so its dataset would have none:\n{lines}\n"
        "Correct the files or annotations.options, leave `annotations` out, or set max_reject_share=1 to go on without them"
    )


def _is_area(label: Label) -> bool:
    """Whether a label marks an area of unknown content, and no object."""
    return label.shape is not None and not {UNKNOWN, "crowd"}.isdisjoint(label.shape.flags)
