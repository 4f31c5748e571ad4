"""A contact sheet: samples with their boxes and their conversation, for a person to judge the quality of a dataset.

One idea: one card per sample. Picture above, text below; a box and the words about it share a colour and a number
(counted from 1, equal boxes once), so that a wrong claim is seen at a glance. Cards grow with their text: nothing is cut off
or overlaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rsflow.report.pictures.text_layout import Block, Colour, Run, draw, draw_tag, lay_out, tag_size
from rsflow.spatial.geometry import Box, Region, area, bounding_box, clip_box
from rsflow.text.turns import Mark, Turn, mark, marks, replace_marks

PAGE: Colour = (236, 239, 243)
CARD: Colour = (255, 255, 255)
EDGE: Colour = (208, 214, 222)
INK: Colour = (24, 30, 40)
QUIET: Colour = (100, 110, 124)
ASKED: Colour = (246, 247, 249)
ANSWERED: Colour = (235, 243, 253)
ROLE: dict[str, Colour] = {"user": (120, 128, 140), "assistant": (30, 98, 190)}

# Colours that stand apart from each other and from terrain; after the eight they come round again.
BOX_COLOURS: tuple[Colour, ...] = (
    (228, 30, 60),
    (0, 116, 217),
    (214, 110, 0),
    (150, 40, 190),
    (0, 132, 112),
    (220, 30, 150),
    (90, 90, 220),
    (120, 80, 30),
)

GAP, PAD, GUTTER = 18, 14, 26
TITLE_PX, TEXT_PX, SMALL_PX, LABEL_PX = 19, 17, 14, 14


@dataclass(frozen=True, slots=True)
class SheetSample:
    """One card. `picture` (rows, cols) or (rows, cols, 3) uint8; `boxes` in its pixels; marks in `turns` index them.

    `outlines`: pairs of a box's index and a polygon of the same object, a flat ring, drawn as a thin line beside the box.
    `title`: the first line stands out, further lines (sensor, task, source, split …) are small. `footer` is small too.
    """

    picture: npt.NDArray[np.uint8]
    title: str
    turns: tuple[Turn, ...] = ()
    boxes: tuple[Region, ...] = ()
    footer: str = ""
    outlines: tuple[tuple[int, tuple[float, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class _Card:
    """A sample ready to be drawn: its picture with boxes, and its blocks of text with their backgrounds and roles."""

    picture: Image.Image
    blocks: tuple[tuple[Block, str], ...]

    @property
    def height_px(self) -> int:
        return 2 * PAD + self.picture.height + sum(_block_height(block, role) for block, role in self.blocks)


def contact_sheet(samples: Sequence[SheetSample], columns: int = 3, picture_px: int = 512) -> Image.Image:
    """Draw samples as cards, row by row. The same samples give the same image with the same Pillow.

    Pictures are fitted into `picture_px` square: small ones enlarged without smoothing, so that a pixel stays a pixel, large
    ones reduced. Raises ValueError for no samples, a column number below 1 or a picture of another shape or type.
    """
    if not samples or columns < 1:
        raise ValueError(f"nothing to draw: {len(samples)} samples in {columns} columns")
    columns = min(columns, len(samples))
    cards = [_card(_merge_equal_boxes(sample), picture_px) for sample in samples]
    rows = [cards[start : start + columns] for start in range(0, len(cards), columns)]
    heights = [max(card.height_px for card in row) for row in rows]
    wide = picture_px + 2 * PAD
    page = Image.new("RGB", (columns * (wide + GAP) + GAP, sum(heights) + GAP * (len(rows) + 1)), PAGE)
    y = GAP
    for row, height in zip(rows, heights, strict=True):
        for column, card in enumerate(row):
            _draw_card(page, card, GAP + column * (wide + GAP), y, wide, height)
        y += height + GAP
    return page


def _merge_equal_boxes(sample: SheetSample) -> SheetSample:
    """The sample with equal boxes made one, so that instructions about the same box show the same number."""
    place = {box: number for number, box in enumerate(dict.fromkeys(sample.boxes))}
    number = dict(enumerate(place[box] for box in sample.boxes))

    def moved(found: Mark) -> str:
        return mark(found.phrase, *(number.get(index, len(sample.boxes) + index) for index in found.boxes))

    turns = tuple(Turn(turn.role, replace_marks(turn.text, moved)) for turn in sample.turns)
    outlines = tuple(dict.fromkeys((number[index], ring) for index, ring in sample.outlines))
    return replace(sample, turns=turns, boxes=tuple(place), outlines=outlines)


def _card(sample: SheetSample, picture_px: int) -> _Card:
    colours = _box_colours(sample)
    head, _, facts = sample.title.partition("\n")
    blocks = [(lay_out([Run(head, INK)], TITLE_PX, picture_px), "title")]
    if facts:
        blocks.append((lay_out([Run(facts, QUIET)], SMALL_PX, picture_px), "facts"))
    for turn in sample.turns:
        runs = list(_runs(turn.text, colours))
        blocks.append((lay_out(runs, TEXT_PX, picture_px - GUTTER - PAD), turn.role))
    if sample.footer:
        blocks.append((lay_out([Run(sample.footer, QUIET)], SMALL_PX, picture_px), "footer"))
    return _Card(_draw_annotations(sample, colours, picture_px), tuple(blocks))


def _box_colours(sample: SheetSample) -> list[Colour]:
    """One colour per phrase that marks boxes; boxes that no text marks go on with the next colours."""
    found = [found for turn in sample.turns for found in marks(turn.text)]
    groups: dict[str, int] = {}
    chosen: dict[int, int] = {}
    # Phrases first, so that a group keeps one colour though one of its boxes is also named alone.
    for phrase, boxes in [(m.phrase, m.boxes) for m in found if m.phrase] + [("", m.boxes) for m in found if not m.phrase]:
        for index in boxes:
            if index not in chosen:
                chosen[index] = groups.setdefault(phrase or f"#{index}", len(groups))
    return [BOX_COLOURS[chosen.get(index, len(groups) + index) % len(BOX_COLOURS)] for index in range(len(sample.boxes))]


def _runs(text: str, colours: list[Colour]) -> Iterator[Run]:
    """The text with its marks as coloured phrases, each followed by the numbers of its boxes."""
    found: list[Mark] = marks(text)
    # A character that free text cannot hold at this place stands for each mark while the text is cut at them.
    plain = replace_marks(text.replace("\x00", " "), lambda _: "\x00").split("\x00")
    for index, part in enumerate(plain):
        if part:
            yield Run(part, INK)
        if index < len(found):
            yield from _mark_runs(found[index], colours)


def _mark_runs(found: Mark, colours: list[Colour]) -> Iterator[Run]:
    known = [index for index in found.boxes if index < len(colours)]
    if found.phrase:
        yield Run(found.phrase + (" " if found.boxes else ""), colours[known[0]] if known else INK)
    for index in found.boxes:
        # A mark without a box is a fault in the data, and shown as one.
        yield Run(str(index + 1), colours[index], tag=True) if index < len(colours) else Run("?", INK, tag=True)


def _draw_annotations(sample: SheetSample, colours: list[Colour], picture_px: int) -> Image.Image:
    picture = _as_image(sample.picture)
    scale = picture_px / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    fitted = picture.resize(size, Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS)
    canvas = ImageDraw.Draw(fitted)
    for index, ring in sample.outlines:
        _draw_ring(canvas, [value * scale for value in ring], colours[index], 1)
    scaled = [bounding_box(box) for box in sample.boxes]
    scaled = [(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in scaled]
    for drawn, box, colour in zip(sample.boxes, scaled, colours, strict=True):
        if len(drawn) == 8:
            _draw_ring(canvas, [value * scale for value in drawn], colour, 2)
        else:
            _draw_box(canvas, box, colour)
    text_px = LABEL_PX if len(scaled) <= 12 else LABEL_PX - 3
    numbers: list[Box] = []
    for index, (box, colour) in enumerate(zip(scaled, colours, strict=True)):
        plate = tag_size(str(index + 1), text_px)
        others = scaled[:index] + scaled[index + 1 :]
        x, y = _number_place(box, plate, size, numbers, others)
        numbers.append((x, y, x + plate[0], y + plate[1]))
        draw_tag(canvas, str(index + 1), colour, round(x), round(y), text_px)
    return fitted


def _as_image(picture: npt.NDArray[Any]) -> Image.Image:
    grey, colour = picture.ndim == 2, picture.ndim == 3 and picture.shape[2] == 3
    if picture.dtype != np.uint8 or not (grey or colour) or 0 in picture.shape:
        raise ValueError(f"a picture is {picture.dtype} {picture.shape}: expected uint8 (rows, cols) or (rows, cols, 3)")
    return Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")


def _draw_box(canvas: ImageDraw.ImageDraw, box: Box, colour: Colour) -> None:
    """A two-pixel stroke around the box's pixels, between thin white lines that keep it legible on any ground."""
    x0, y0, x1, y1 = round(box[0]), round(box[1]), round(box[2]) - 1, round(box[3]) - 1
    x1, y1 = max(x0, x1), max(y0, y1)
    canvas.rectangle((x0 - 3, y0 - 3, x1 + 3, y1 + 3), outline=(255, 255, 255))
    canvas.rectangle((x0 - 2, y0 - 2, x1 + 2, y1 + 2), outline=colour, width=2)


def _draw_ring(canvas: ImageDraw.ImageDraw, ring: Sequence[float], colour: Colour, width_px: int) -> None:
    """A closed stroke along a flat ring, with a thin white edge; its middle is where the ring is."""
    points = [(x - 0.5, y - 0.5) for x, y in zip(ring[::2], ring[1::2], strict=True)]
    points += points[:2]  # once more, so that the last corner is joined like the others
    canvas.line(points, (255, 255, 255), width_px + 2, "curve")
    canvas.line(points, colour, width_px, "curve")


def _number_place(
    box: Box, plate: tuple[int, int], size: tuple[int, int], numbers: list[Box], others: list[Box]
) -> tuple[float, float]:
    """Where a box's number goes: the first corner inside the picture that hides no other number and, if it can be, no box."""
    wide, high = plate
    x0, y0, x1, y1 = box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2
    corners = [(x0, y0 - high), (x1 - wide, y0 - high), (x1, y0), (x0 - wide, y0), (x0, y1), (x1 - wide, y1), (x0, y0)]
    inside = [(x, y) for x, y in corners if 0 <= x <= size[0] - wide and 0 <= y <= size[1] - high]
    for avoid in (numbers + others, numbers):
        for x, y in inside:
            if not any(area(clip_box((x, y, x + wide, y + high), other)) for other in avoid):
                return x, y
    return inside[0] if inside else (min(max(x0, 0), size[0] - wide), min(max(y0, 0), size[1] - high))


def _block_height(block: Block, role: str) -> int:
    return block.height_px + (22 if role in ROLE else 6)


def _draw_card(page: Image.Image, card: _Card, x: int, y: int, wide: int, high: int) -> None:
    canvas = ImageDraw.Draw(page)
    canvas.rounded_rectangle((x, y, x + wide - 1, y + high - 1), 8, CARD, EDGE)
    left, top, inner = x + PAD, y + PAD, wide - 2 * PAD
    blocks = list(card.blocks)
    # Title and facts stand above the picture, the conversation and the footer below.
    above = [(block, role) for block, role in blocks if role in {"title", "facts"}]
    for block, role in above:
        draw(canvas, block, left, top)
        top += _block_height(block, role)
    page.paste(card.picture, (left + (inner - card.picture.width) // 2, top))
    top += card.picture.height
    for block, role in blocks[len(above) :]:
        if role in ROLE:
            _draw_turn(canvas, block, role, left, top, inner)
        else:
            draw(canvas, block, left, top + 6)
        top += _block_height(block, role)


def _draw_turn(canvas: ImageDraw.ImageDraw, block: Block, role: str, x: int, y: int, wide: int) -> None:
    ground = ASKED if role == "user" else ANSWERED
    canvas.rounded_rectangle((x, y + 8, x + wide - 1, y + 16 + block.height_px), 5, ground)
    canvas.rectangle((x, y + 12, x + 2, y + 12 + block.height_px), ROLE[role])
    letter = Run("Q" if role == "user" else "A", ROLE[role])
    draw(canvas, lay_out([letter], TEXT_PX, GUTTER), x + 10, y + 12)
    draw(canvas, block, x + GUTTER + 4, y + 12)
