"""The command that begins a project: init."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option


def init(
    folders: Annotated[
        list[str], Argument(metavar="FOLDER", help="folders of scenes, pictures, annotations (or s3:// addresses)")
    ],
    output: Annotated[str, Option("-o", "--output", metavar="FILE", help="where the configuration goes")] = "build.yaml",
    root: Annotated[str, Option(metavar="ROOT", help="where the lake will be")] = "lake",
    force: Annotated[bool, Option("--force", help="replace the file if it is there")] = False,
) -> int:
    """Draft a configuration from what folders hold.

    Examples:
      rsflow init ~/archive
      rsflow init scenes/ labels/ -o mine.yaml --root s3://bucket/lake
    """
    import os

    from rsflow.discovery import find_annotations, find_scene_groups, list_tree, pair_sources, write_draft
    from rsflow.engine.progress import progress
    from rsflow.errors import UsageError
    from rsflow.files import storage

    place = os.path.abspath(output)
    if os.path.exists(place) and not force:
        raise UsageError(f"{output}: is there already; give another name with -o, or --force to replace it")
    with progress("init", "steps", 3, quiet_seconds=1.0) as state:
        tree = list_tree(folders)
        state.add(1)
        scenes = find_scene_groups(tree)
        state.add(1)
        annotations = find_annotations(tree)
        state.add(1)
    sources, unused = pair_sources(tree, scenes, annotations)
    if not sources:
        reasons = "".join(f"\n  {each.place}: {each.reason}" for each in unused[:10])
        raise UsageError(f"{', '.join(folders)}: holds no scene or picture that can be read{reasons}")
    lake = root if storage.is_remote(root) else os.path.abspath(root)
    storage.write_bytes(place, write_draft(tree, sources, unused, lake, os.path.dirname(place)).encode())
    for source in sources:
        labels = f", {source.annotations.format}: {source.annotations.labels:,} labels" if source.annotations else ""
        sensor = source.sensor if source.sensor_reason else f"{source.sensor} (assumed)"
        print(f"{source.name}: {source.scenes.count:,} scenes, {sensor}{labels}")
    print(f"{len(unused)} places are not used; {output} says why" if unused else "everything that was found is used")
    print(f"wrote {output}; answer its ASK comments, then: rsflow plan {output}")
    return 0
