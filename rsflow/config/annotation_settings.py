"""The settings of a source's annotations: files in pixels of its pictures, or layers that lie on the ground.

One idea: both are named in one place. An entry whose format is one of `GROUND_FORMATS` is read in ground coordinates
(rsflow.ground), so it holds for any scene with a place; every other format describes pictures by their names
(rsflow.annotations). The names of formats and their options are checked where the formats are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from rsflow.config.validation import STRICT

GROUND_FORMATS = frozenset({"vector", "cover", "field"})


@dataclass(frozen=True)
class Period:
    """Dates (ISO 8601; a year or a month stands for all of it): from the first of `since` to the last of `until`."""

    __pydantic_config__ = STRICT
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Annotations:
    """`files`: the annotation file, or a glob of them. `exhaustive`: every instance of every category is annotated, or only
    those of the named categories; by default True for pictures' annotations and False for layers on the ground.

    `options` are the format's own settings (docs/formats.md, docs/ground.md). `splits` says which pictures the set itself puts
    in which split: a pattern of some of `files`, or of text files that name a picture per line; where two claim a picture, the
    later has it. `dates`: which scenes a layer on the ground describes, those acquired then; by default all. `licence`,
    `attribution`: of the annotations, where they differ from the scenes'.
    """

    __pydantic_config__ = STRICT
    format: str
    files: str | tuple[str, ...]
    exhaustive: bool | tuple[str, ...] | None = None
    categories: dict[str, str] = field(default_factory=dict)  # rename: name in the file -> name in the dataset ("" drops it)
    options: dict[str, Any] = field(default_factory=dict)
    splits: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    dates: Period | None = None
    allow_outside: bool = False  # an absolute name may be of another folder: pictures are matched by file name
    licence: Annotated[str, Field(min_length=1)] | None = None
    attribution: str = ""

    def __post_init__(self) -> None:
        if self.dates and not self.on_ground:
            raise ValueError(
                f"dates says which scenes a layer on the ground describes (format {', '.join(sorted(GROUND_FORMATS))}); "
                f"format {self.format} describes the pictures that its files name: leave dates out"
            )

    @property
    def on_ground(self) -> bool:
        return self.format in GROUND_FORMATS

    def complete_categories(self, categories: Sequence[str]) -> tuple[str, ...]:
        """Those of `categories` of which every instance is annotated."""
        complete = not self.on_ground if self.exhaustive is None else self.exhaustive
        if isinstance(complete, bool):
            return tuple(categories) if complete else ()
        return tuple(category for category in categories if category in complete)


# One entry, or a list of them. Brackets in a tag keep it out of the paths that messages name.
AnnotationEntries = Annotated[
    Annotated[Annotations, Tag("[one]")] | Annotated[tuple[Annotations, ...], Tag("[several]")],
    Discriminator(lambda value: "[several]" if isinstance(value, (list, tuple)) else "[one]"),
]
