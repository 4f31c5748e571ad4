"""What lies in a folder, and a configuration that builds from it: `rsflow init`.

One idea: look at names first, then at the heads of a few files, and say what was found, what it was taken for and why. What
cannot be told from the files (a licence, the order of unnamed bands, a sensor) becomes a question in the draft, never a guess
that looks like a fact. Nothing is written but the draft.
"""

from __future__ import annotations

from rsflow.discovery.annotation_files import AnnotationGroup, find_annotations
from rsflow.discovery.draft import write_draft
from rsflow.discovery.file_tree import FileTree, list_tree
from rsflow.discovery.scene_group import SceneGroup
from rsflow.discovery.scene_groups import find_scene_groups
from rsflow.discovery.sources import DraftSource, Unused, pair_sources

__all__ = [
    "AnnotationGroup",
    "DraftSource",
    "FileTree",
    "SceneGroup",
    "Unused",
    "find_annotations",
    "find_scene_groups",
    "list_tree",
    "pair_sources",
    "write_draft",
]
