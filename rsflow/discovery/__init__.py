"""What lies in a folder, and a configuration that builds from it: `rsflow init`.

One idea: look at names first, then at the heads of a few files, and say what was found, what it was taken for and why. What
is not known from the files (a licence, the order of unnamed bands, a sensor) becomes a question in the draft, never a guess
that looks like a fact. Nothing is written but the draft.
"""

from __future__ import annotations

from rsflow.discovery.annotation_files import AnnotationGroup, find_annotations
from rsflow.discovery.draft import write_draft
from rsflow.discovery.draft_annotations import is_known
from rsflow.discovery.file_tree import FileTree, list_tree
from rsflow.discovery.layers.attach_layers import attach_layers
from rsflow.discovery.questions import Question, answer_questions, list_questions
from rsflow.discovery.scenes.scene_group import SceneGroup
from rsflow.discovery.scenes.scene_groups import find_scene_groups
from rsflow.discovery.sources import DraftSource, Unused, pair_sources

__all__ = [
    "AnnotationGroup",
    "DraftSource",
    "FileTree",
    "Question",
    "SceneGroup",
    "Unused",
    "answer_questions",
    "attach_layers",
    "find_annotations",
    "find_scene_groups",
    "is_known",
    "list_questions",
    "list_tree",
    "pair_sources",
    "write_draft",
]
