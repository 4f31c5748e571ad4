"""The coordinate contract of every text form that others write boxes in, and what breaks it.

A literal table. A row says how a box is spelled, which range its numbers have, what they are shares of, and whether
an angle goes with it; origin is the upper left corner and x comes first in all of them. Numbers are checked as written in the
text, before anything is converted, because it is in the conversion that such faults hide.

Sources: MMRS-1M https://arxiv.org/abs/2401.16822 (padded square, two decimals), LLaVA
https://github.com/haotian-liu/LLaVA/issues/606 (the same), GeoChat https://arxiv.org/abs/2311.15826 and its geochat_demo.py
(0 to 100 of the picture's own sides, an angle in degrees; no range of it is stated, so a full turn either way is let pass),
Qwen2-VL https://arxiv.org/abs/2409.12191, Qwen2.5-VL and Qwen3-VL https://github.com/QwenLM/Qwen3-VL, InternVL
https://internvl.readthedocs.io/en/latest/get_started/chat_data_format.html (0 to 1000). `pixels` is for sets whose boxes are
pixels of the picture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rsflow.spatial.geometry import ring_area

Size = tuple[int, int]  # height_px, width_px

_N = r"\s*-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\s*"
_FOUR_OR_EIGHT = rf"{_N}(?:,{_N}){{3}}(?:(?:,{_N}){{4}})?"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_BRACKETS = re.compile(rf"(?<!\[)\[({_FOUR_OR_EIGHT}(?:;{_FOUR_OR_EIGHT})*)\]")
_ANGLED = re.compile(r"\{\s*((?:<\s*-?\d+(?:\.\d+)?\s*>\s*)+)(?:\|\s*<?\s*(-?\d+(?:\.\d+)?)\s*>?)?\s*\}")
_BBOX_2D = re.compile(r'"bbox_2d"\s*:\s*\[([^\]]*)\]')
_TAGGED = re.compile(
    r"<\|box_start\|>\s*\(([^()]*)\)\s*,\s*\(([^()]*)\)(?:\s*,\s*\(([^()]*)\)\s*,\s*\(([^()]*)\))?\s*<\|box_end\|>"
)
_INTERN = re.compile(r"<box>\s*\[(.*?)\]\s*</box>", re.DOTALL)
_INNER = re.compile(r"\[([^\[\]]*)\]")

FULL_TURN = 360.0
EDGE_TOLERANCE_PX = 1.0  # boxes in pixels may reach so far beyond the edge: VOC counts from 1, others round outward


@dataclass(frozen=True, slots=True)
class TextBox:
    """One box as written in a text: four numbers (or eight: corners), the angle in degrees where there is one."""

    text: str
    numbers: tuple[float, ...]
    angle: float | None = None


@dataclass(frozen=True, slots=True)
class BoxFormat:
    """`high`: the numbers run from 0 to it; None: they are pixels. `square`: of the padded square, else of the picture itself.

    `step`: what rounding may add. `resized`: pixels of a picture that the model's processor resized, whose size is not known.
    """

    max_value: float | None
    padded_square: bool = False
    rounding: float = 0.0
    is_resized: bool = False

    def find_fault(self, box: TextBox, size: Size | None) -> tuple[str, str] | None:
        """(reason, what is wrong) with a box on a picture of this size (None: unknown), or None where it keeps the contract."""
        if len(box.numbers) not in {4, 8}:
            return "box_not_a_box", f"it has {len(box.numbers)} numbers, expected four or eight"
        if box.angle is not None and abs(box.angle) > FULL_TURN:
            return "angle_out_of_range", f"its angle is {box.angle:g} degrees, expected at most {FULL_TURN:g} either way"
        low, high = min(box.numbers), max(box.numbers)
        if self.max_value is not None and (low < 0 or high > self.max_value):
            return "value_out_of_range", f"{low if low < 0 else high:g} is not within 0 and {self.max_value:g}"
        if self.max_value != 1 and high <= 1 and any(number % 1 for number in box.numbers):
            unit = f"0 to {self.max_value:g}" if self.max_value else "pixels"
            return "value_out_of_range", f"its numbers are shares from 0 to 1, expected {unit}"
        if not _area(box.numbers) > 0:
            inverted = len(box.numbers) == 4 and (box.numbers[0] > box.numbers[2] or box.numbers[1] > box.numbers[3])
            return "box_empty", "its corners are in the wrong order" if inverted else "it has no area"
        return self._outside(box, size)

    def _outside(self, box: TextBox, size: Size | None) -> tuple[str, str] | None:
        xs, ys = box.numbers[::2], box.numbers[1::2]
        if self.is_resized or (size is None and self.max_value is None):
            return ("box_outside", "it begins left of or above the picture") if min(box.numbers) < 0 else None
        if size is None or (self.max_value is not None and not self.padded_square):
            return None
        (x0, x1), (y0, y1) = self._frame(size)
        if min(xs) < x0 or max(xs) > x1 or min(ys) < y0 or max(ys) > y1:
            return "box_outside", f"it reaches beyond its picture of {size[1]} x {size[0]} pixels (width x height)"
        return None

    def _frame(self, size: Size) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the picture lies in the numbers' own frame, as (x0, x1), (y0, y1), rounding allowed for."""
        height, width = size
        if self.max_value is None:
            return (-EDGE_TOLERANCE_PX, width + EDGE_TOLERANCE_PX), (-EDGE_TOLERANCE_PX, height + EDGE_TOLERANCE_PX)
        side = max(size)
        # Pads are whole pixels, cut down: up to one pixel more may lie on the far side.
        pad_x, pad_y = ((side - width) // 2 / side, (side - height) // 2 / side)
        return (
            (pad_x - self.rounding, pad_x + width / side + self.rounding),
            (pad_y - self.rounding, pad_y + height / side + self.rounding),
        )


BOX_FORMATS: dict[str, BoxFormat] = {
    "geochat": BoxFormat(max_value=100),
    "internvl": BoxFormat(max_value=1000),
    "lisa": BoxFormat(max_value=1, padded_square=True, rounding=0.011),
    "llava": BoxFormat(max_value=1, padded_square=True, rounding=0.011),
    "mmrs": BoxFormat(max_value=1, padded_square=True, rounding=0.011),
    "pixels": BoxFormat(max_value=None),
    "qwen": BoxFormat(max_value=None, is_resized=True),
    "qwen2": BoxFormat(max_value=1000),
    "qwen3": BoxFormat(max_value=1000),
}


def find_boxes(text: str, form: str) -> Iterator[TextBox]:
    """The boxes of a text, as the form (a key of BOX_FORMATS) spells them."""
    if form == "geochat":
        return _angled(text)
    if form in {"qwen", "qwen3"}:
        return (TextBox(m[0], _numbers(m[1])) for m in _BBOX_2D.finditer(text)) if "bbox_2d" in text else iter(())
    if form == "qwen2":
        return _tagged(text) if "<|box_start|>" in text else iter(())
    if form == "internvl":
        return _intern(text) if "<box>" in text else iter(())
    return _bracketed(text) if "[" in text else iter(())


def detect_format(texts: Iterable[str]) -> str:
    """The form that most boxes of these texts are spelled in; `llava` where there is no box at all."""
    votes: Counter[str] = Counter()
    for text in texts:
        found = {form: sum(1 for _ in find_boxes(text, form)) for form in ("geochat", "internvl", "qwen", "qwen2")}
        votes.update(found)
        # Brackets stand inside the forms above as well.
        for box in find_boxes(text, "pixels") if not any(found.values()) else ():
            small = max(box.numbers) <= 1.5  # a little beyond 1 is a fault of shares, not another unit
            # MMRS-1M writes no spaces and ends a phrase with </p>; LLaVA writes a space after each comma.
            votes["mmrs" if small and ", " not in box.text else "llava" if small else "pixels"] += 1
    best = max(votes.values(), default=0)
    return next((form for form in sorted(votes) if votes[form] == best), "llava") if best else "llava"


def _angled(text: str) -> Iterator[TextBox]:
    if "{" in text:
        for match in _ANGLED.finditer(text):
            yield TextBox(match[0], _numbers(match[1]), float(match[2]) if match[2] else None)


def _bracketed(text: str) -> Iterator[TextBox]:
    for match in _BRACKETS.finditer(text):
        parts = match[1].split(";")
        for part in parts:
            yield TextBox(match[0] if len(parts) == 1 else f"[{part}]", _numbers(part))


def _tagged(text: str) -> Iterator[TextBox]:
    for match in _TAGGED.finditer(text):
        yield TextBox(match[0], _numbers(" ".join(part for part in match.groups() if part)))


def _intern(text: str) -> Iterator[TextBox]:
    for match in _INTERN.finditer(text):
        for inner in _INNER.finditer(match[1]):
            yield TextBox(inner[0], _numbers(inner[1]))


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in _NUMBER.findall(text))


def _area(numbers: tuple[float, ...]) -> float:
    if len(numbers) == 8:
        return ring_area(numbers)
    return (numbers[2] - numbers[0]) * (numbers[3] - numbers[1]) if numbers[2] > numbers[0] else 0.0
