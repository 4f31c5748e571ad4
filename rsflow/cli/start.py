"""The command that begins a project: init."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

if TYPE_CHECKING:
    from rsflow.discovery import DraftSource, FileTree, Question, Unused


def init(
    folders: Annotated[
        list[str], Argument(metavar="FOLDER", help="folders of scenes, pictures, annotations (or s3:// addresses)")
    ],
    output: Annotated[str, Option("-o", "--output", metavar="FILE", help="where the configuration goes")] = "build.yaml",
    root: Annotated[str, Option(metavar="ROOT", help="where the lake will be")] = "lake",
    force: Annotated[bool, Option("--force", help="replace the file if it is there")] = False,
) -> int:
    """Draft a configuration from what folders hold.

    On a terminal it asks what the files cannot tell; elsewhere, and where you answer nothing, the draft asks it in comments.

    Examples:
      rsflow init ~/archive
      rsflow init scenes/ labels/ -o mine.yaml --root s3://bucket/lake
    """
    import os
    import sys

    from rsflow.discovery import answer_questions, is_known, write_draft
    from rsflow.errors import UsageError
    from rsflow.files import storage

    place = os.path.abspath(output)
    if os.path.exists(place) and not force:
        raise UsageError(f"{output}: is there already; give another name with -o, or --force to replace it")
    tree, sources, unused = _discover(folders)
    if not sources:
        reasons = "".join(f"\n  {each.place}: {each.reason}" for each in unused[:10])
        raise UsageError(f"{', '.join(folders)}: holds no scene or picture that can be read{reasons}")
    if sys.stdin.isatty() and sys.stdout.isatty():
        print("What the files do not tell; Enter takes what is in brackets.")
        sources = answer_questions(sources, _ask)
    lake = root if storage.is_remote(root) else os.path.abspath(root)
    storage.write_bytes(place, write_draft(tree, sources, unused, lake, os.path.dirname(place)).encode())
    for source in sources:
        labels = f", {source.annotations.format}: {source.annotations.labels:,} labels" if source.annotations else ""
        labels += ", pairs of two dates (change_pairs)" if source.scenes.pairs else ""
        labels += "".join(f", {layer.format} {os.path.basename(layer.file)}" for layer in source.layers if is_known(layer))
        sensor = source.sensor if source.sensor_reason else f"{source.sensor} (assumed)"
        print(f"{source.name}: {source.scenes.count:,} scenes, {sensor}{labels}")
    print(f"{len(unused)} places are not used; {output} says why" if unused else "everything that was found is used")
    print(f"wrote {output}; answer its ASK comments, then: rsflow plan {output}")
    return 0


def _discover(folders: list[str]) -> tuple[FileTree, list[DraftSource], list[Unused]]:
    from rsflow.discovery import attach_layers, find_annotations, find_scene_groups, list_tree, pair_sources
    from rsflow.engine.progress import progress

    with progress("init", "steps", 4, quiet_seconds=1.0) as state:
        tree = list_tree(folders)
        state.add(1)
        scenes = find_scene_groups(tree)
        state.add(1)
        annotations = find_annotations(tree)
        state.add(1)
        sources, unused = attach_layers(tree, scenes, *pair_sources(tree, scenes, annotations))
        state.add(1)
    return tree, sources, unused


def _ask(question: Question) -> str:
    choices = f" {'/'.join(question.choices)}" if question.choices else ""
    return input(f"{question.source}: {question.text}{choices} [{question.default}] ")
