"""Text for pictures: words in several colours, wrapped to a width, with small numbered tags among them.

One idea: text is first laid out into lines of placed words whose size is known, and then drawn; so a cell can be made as tall
as its text before anything is painted. A word wider than the line is broken, never cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import ImageDraw, ImageFont

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one colour; a `tag` is drawn as white text on a small plate of that colour and never broken."""

    text: str
    colour: Colour
    tag: bool = False


@dataclass(frozen=True, slots=True)
class PlacedRun:
    """A word and where its line box begins, in pixels from the block's upper left corner."""

    run: Run
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Block:
    words: tuple[PlacedRun, ...]
    size: int
    height_px: int


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The TrueType font that ships with Pillow: the same on every machine."""
    loaded = ImageFont.load_default(size=size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise ImportError("this Pillow was built without FreeType: install the Pillow wheel from PyPI")
    return loaded


def line_height(size: int) -> int:
    return round(size * 1.36)


def lay_out(runs: Iterable[Run], size: int, width_px: int) -> Block:
    """Wrap runs to a width: every word lies within [0, width_px]. A newline in a text starts a new line."""
    words: list[PlacedRun] = []
    x = line = 0
    for unit in _units(runs):
        if unit == "\n":
            x, line = 0, line + 1
            continue
        if isinstance(unit, str):
            x += _space(size) if x else 0
            continue
        for group in _break_word(unit, size, width_px):
            wide = sum(width(run, size) for run in group)
            if x and x + wide > width_px:
                x, line = 0, line + 1
            for run in group:
                words.append(PlacedRun(run, x, line * line_height(size)))
                x += width(run, size)
    return Block(tuple(words), size, (line + 1) * line_height(size) if words else 0)


def draw(canvas: ImageDraw.ImageDraw, block: Block, x: int, y: int) -> None:
    """Draw a block with its upper left corner at (x, y)."""
    for word in block.words:
        if word.run.tag:
            draw_tag(canvas, word.run.text, word.run.colour, x + word.x + 1, y + word.y + 1, block.size)
        else:
            canvas.text((x + word.x, y + word.y + block.size), word.run.text, word.run.colour, font(block.size), anchor="ls")


def draw_tag(canvas: ImageDraw.ImageDraw, text: str, colour: Colour, x: int, y: int, size: int) -> None:
    """A number on a plate of `tag_size`, upper left corner at (x, y)."""
    wide, high = tag_size(text, size)
    canvas.rounded_rectangle((x, y, x + wide - 1, y + high - 1), 3, colour)
    ink = (20, 24, 32) if sum(w * c for w, c in zip((0.3, 0.59, 0.11), colour, strict=True)) > 150 else (255, 255, 255)
    canvas.text((x + wide / 2, y + high / 2), text, ink, font(_tag_font(size)), anchor="mm")


def tag_size(text: str, size: int) -> tuple[int, int]:
    """(width, height) in pixels of a tag among text of a size."""
    return round(font(_tag_font(size)).getlength(text)) + 7, round(size * 1.12)


def width(run: Run, size: int) -> int:
    """What a run takes up on its line, in pixels."""
    return tag_size(run.text, size)[0] + 2 if run.tag else _word_width(run.text, size)


@lru_cache(maxsize=10_000)
def _word_width(text: str, size: int) -> int:
    return round(font(size).getlength(text))


def _tag_font(size: int) -> int:
    return max(8, round(size * 0.8))


def _space(size: int) -> int:
    return _word_width(" ", size)


def _units(runs: Iterable[Run]) -> Iterable[list[Run] | str]:
    """Words (runs that stand together without a space between), " " and newlines."""
    word: list[Run] = []
    for run in runs:
        if run.tag and word and word[-1].tag:  # a line may break between two tags
            yield word
            word = []
        for part in [run.text] if run.tag else re.split(r"(\s+)", run.text):
            if part and (run.tag or not part.isspace()):
                word.append(Run(part, run.colour, run.tag))
            elif part:
                if word:
                    yield word
                yield "\n" if "\n" in part else " "
                word = []
    if word:
        yield word


def _break_word(word: list[Run], size: int, width_px: int) -> Iterable[list[Run]]:
    """The word itself where it fits a line, else pieces that do."""
    if sum(width(run, size) for run in word) <= width_px:
        yield word
        return
    for run in word:
        rest = run.text
        while rest:
            fits = len(rest) if run.tag else _longest_prefix(rest, lambda text: font(size).getlength(text) <= width_px)
            yield [Run(rest[:fits], run.colour, run.tag)]
            rest = rest[fits:]


def _longest_prefix(text: str, fits: Callable[[str], bool]) -> int:
    """How many characters of the text fit, at least one."""
    count = 1
    while count < len(text) and fits(text[: count + 1]):
        count += 1
    return count
