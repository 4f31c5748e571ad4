"""Points, scribbles and outlines by which a question shows a region.

One idea: a path is a list of points in the coordinates of the family's boxes, and its punctuation continues that of the
family's outlines. Marks of paths are those of rsflow.text.turns (`[[|@0]]`). `{"point_2d": [x, y]}` is Qwen's own
(https://github.com/QwenLM/Qwen3-VL/blob/main/cookbooks/spatial_understanding.ipynb); of the other spellings of points and
scribbles none is documented by its family, and they are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rsflow.dialects.spelling.outlines import Frame
from rsflow.errors import ConfigError
from rsflow.text.turns import PathMark, replace_path_marks

FORMS = ("point", "scribble", "polygon")


@dataclass(frozen=True, slots=True)
class PathForm:
    """What stands around a path of each form, around each point of it, and between x and y and the points."""

    around: Mapping[str, tuple[str, str]]
    point: tuple[str, str, str] = ("", ", ", "")
    between_points: str = ", "

    def spell(self, form: str, path: Sequence[float], frame: Frame) -> str:
        numbers = frame.write(tuple(path))
        before, between, after = self.point
        points = [f"{before}{x}{between}{y}{after}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        start, end = self.around[form]
        return f"{start}{self.between_points.join(points)}{end}"


BRACKETS = PathForm(dict.fromkeys(FORMS, ("[", "]")))


class PathDialect(Protocol):
    """A dialect that can spell paths."""

    PATH_FORM: PathForm

    def outline_frame(self, height_px: int, width_px: int) -> Frame: ...


def spell_paths(dialect: object, text: str, form: str, paths: Sequence[Sequence[float]], height_px: int, width_px: int) -> str:
    """The text with each mark of a path in the family's spelling. `paths`: flat lists x0, y0, x1, y1, … in float pixels.

    ConfigError for a dialect that spells none; an index beyond `paths` is an IndexError: a bug of the maker.
    """
    if not isinstance(getattr(dialect, "PATH_FORM", None), PathForm):
        name = getattr(dialect, "__name__", type(dialect).__name__).rpartition(".")[2]
        raise ConfigError(
            f"dialect {name}: found a region given as a {form}, which it does not spell; see instructions.regions"
        )
    known: PathDialect = dialect  # type: ignore[assignment]  # it has the form, and so the frame
    frame = known.outline_frame(height_px, width_px)

    def spell(found: PathMark) -> str:
        return " ".join(known.PATH_FORM.spell(form, paths[index], frame) for index in found.paths)

    return replace_path_marks(text, spell)
