"""The contact sheet: boxes where they belong, text inside its card, the same picture every time."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.report.pictures.contact_sheet import BOX_COLOURS, CARD, EDGE, GAP, PAD, PAGE, SheetSample, contact_sheet
from rsflow.report.pictures.text_layout import Run, font, lay_out, line_height, width
from rsflow.text.turns import Turn, mark

INK = (0, 0, 0)
GREY = np.full((64, 64), 128, dtype=np.uint8)


def sample(**changes: object) -> SheetSample:
    turns = (Turn("user", "Where are the ships?"), Turn("assistant", f"There are {mark('2 ships', 0, 1)}."))
    base = SheetSample(GREY, "scene/0_0_64\nsar · detection", turns, ((8, 8, 24, 20), (40.5, 30, 60, 62)), "checked")
    return replace(base, **changes)  # type: ignore[arg-type]


def pixels(*samples: SheetSample, columns: int = 3, picture_px: int = 512) -> np.ndarray:
    return np.asarray(contact_sheet(samples, columns, picture_px))


def picture_origin(sheet: np.ndarray, picture_px: int) -> tuple[int, int]:
    """(row, col) of the upper left corner of the first card's grey picture."""
    grey = (sheet == 128).all(axis=2)
    rows = np.flatnonzero(grey.sum(axis=1) > picture_px // 3)
    return int(rows[0]), GAP + PAD


def test_the_same_samples_give_the_same_bytes() -> None:
    files = []
    for _ in range(2):
        stream = io.BytesIO()
        contact_sheet([sample(), sample()]).save(stream, "PNG")
        files.append(stream.getvalue())
    assert files[0] == files[1]


def test_boxes_are_drawn_around_their_pixels_scaled_with_the_picture() -> None:
    boxes = ((8.0, 8.0, 24.0, 20.0), (40.0, 32.0, 60.0, 60.0))
    sheet = pixels(sample(boxes=boxes), picture_px=256)
    top, left = picture_origin(sheet, 256)
    area = sheet[top : top + 256, left : left + 256]
    colour = (area == BOX_COLOURS[0]).all(axis=2)
    for x0, y0, x1, y1 in np.array(boxes, dtype=int) * 4:
        inside = area[y0:y1, x0:x1]
        assert (inside == 128).all(), "the object itself is covered"
        middle = (y0 + y1) // 2
        assert colour[middle, x0 - 2 : x0].all()
        assert colour[middle, x1 : x1 + 2].all()
        assert not colour[middle, x0:x1].any()


def test_words_and_boxes_share_a_colour_per_phrase() -> None:
    text = f"{mark('a ship', 0)} and {mark('a tank', 1)}"
    sheet = pixels(sample(turns=(Turn("assistant", text),)))
    top, left = picture_origin(sheet, 512)
    picture, below = sheet[top : top + 512, left : left + 512], sheet[top + 520 :, left : left + 512]
    for colour in BOX_COLOURS[:2]:
        assert (picture == colour).all(axis=2).any()
        assert (below == colour).all(axis=2).any()
    assert not (sheet == BOX_COLOURS[2]).all(axis=2).any()


def test_equal_boxes_are_one_box_with_one_number() -> None:
    twice = (Turn("assistant", mark("a ship", 0)), Turn("assistant", mark("a ship", 1)))
    once = (Turn("assistant", mark("a ship", 0)), Turn("assistant", mark("a ship", 0)))
    box = (8.0, 8.0, 24.0, 20.0)
    np.testing.assert_array_equal(pixels(sample(turns=twice, boxes=(box, box))), pixels(sample(turns=once, boxes=(box,))))


def test_cards_grow_with_their_text_and_keep_it_inside() -> None:
    long = sample(turns=(Turn("assistant", "word " * 400 + "x" * 300),), title="t" * 200 + "\n" + "f" * 300)
    short, tall = pixels(sample()), pixels(long)
    assert tall.shape[0] > short.shape[0] + 300
    # Margins between cards and page stay clean: nothing is drawn over an edge.
    for sheet in (short, tall, pixels(sample(), long, sample(), long, columns=2)):
        assert (sheet[:, :GAP] == PAGE).all()
        assert (sheet[:, -GAP:] == PAGE).all()
        assert (sheet[-GAP:] == PAGE).all()
        # The pads beside the text, but for the round corners and a pixel that a letter may lean over.
        for pad in (slice(GAP + 9, GAP + PAD - 1), slice(-GAP - PAD + 1, -GAP - 9)):
            colours = {tuple(map(int, pixel)) for pixel in np.unique(sheet[:, pad].reshape(-1, 3), axis=0)}
            assert colours <= {CARD, PAGE, EDGE}


def test_a_missing_box_is_shown_and_not_hidden() -> None:
    with_fault = sample(turns=(Turn("assistant", f"{mark('a ship', 7)}"),))
    assert (pixels(with_fault) != pixels(sample(turns=(Turn("assistant", "a ship"),)))).any()


@pytest.mark.parametrize("shape", [(5, 5), (5, 900), (900, 5, 3), (2000, 1500, 3)])
def test_pictures_of_any_shape_fit(shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 90, dtype=np.uint8)
    box = (0.0, 0.0, float(shape[1]), float(shape[0]))
    sheet = contact_sheet([SheetSample(picture, "x", (), (box,))], picture_px=300)
    assert sheet.width == 300 + 2 * PAD + 2 * GAP


def test_wrong_input_is_refused() -> None:
    for wrong in ([], [sample(picture=GREY.astype(np.float32))], [sample(picture=np.zeros((0, 4), dtype=np.uint8))]):
        with pytest.raises(ValueError, match=r"nothing to draw|a picture is"):
            contact_sheet(wrong)
    with pytest.raises(ValueError, match="0 columns"):
        contact_sheet([sample()], columns=0)


words = st.lists(st.one_of(st.text("abc XY\n\t—é", max_size=30), st.just("w" * 60)), max_size=6)


@given(words, st.integers(60, 300), st.booleans())
@settings(max_examples=80, deadline=None)
def test_laid_out_text_fits_its_width_and_loses_nothing(texts: list[str], wide: int, tagged: bool) -> None:
    runs = [Run(text, INK) for text in texts] + [Run(str(number), INK, tag=True) for number in range(12) if tagged]
    block = lay_out(runs, 14, wide)
    assert "".join(word.run.text for word in block.words) == "".join("".join(run.text.split()) for run in runs)
    for word in block.words:
        assert word.x >= 0
        # A tag stays whole, and two pixels of rounding are allowed to a word.
        assert word.x + width(word.run, 14) <= wide + 2
        assert word.y + line_height(14) <= block.height_px
    on_line: dict[int, int] = {}
    for word in block.words:
        assert word.x >= on_line.get(word.y, 0), "two words overlap"
        on_line[word.y] = word.x + width(word.run, 14)


def test_the_font_ships_with_pillow() -> None:
    assert font(14).getlength("ship") > 10


def test_an_oriented_box_is_drawn_along_its_sides() -> None:
    diamond = (32.0, 8.0, 56.0, 32.0, 32.0, 56.0, 8.0, 32.0)
    sheet = pixels(sample(boxes=(diamond,), turns=(Turn("assistant", mark("a ship", 0)),)), picture_px=256)
    top, left = picture_origin(sheet, 256)
    area = sheet[top : top + 256, left : left + 256]
    colour = (area == BOX_COLOURS[0]).all(axis=2)
    for x, y in ((44, 20), (44, 44), (20, 44), (20, 20)):  # the middles of its sides
        assert colour[4 * y - 2 : 4 * y + 2, 4 * x - 2 : 4 * x + 2].any()
    assert (area[96:160, 96:160] == 128).all(), "the object itself is covered"
    assert not colour[40:48, 48:80].any(), "the corner of the box around it is free"


def test_polygons_are_drawn_beside_their_boxes_and_follow_them() -> None:
    ring = (10.0, 10.0, 40.0, 10.0, 10.0, 40.0)
    box, other = (10.0, 10.0, 40.0, 40.0), (50.0, 50.0, 60.0, 60.0)
    turns = (Turn("assistant", f"{mark('a tree', 0, 2)} and {mark('a car', 1)}"),)
    plain = sample(boxes=(box, other, box), turns=turns)
    drawn = pixels(replace(plain, outlines=((2, ring),)), picture_px=256)
    top, left = picture_origin(drawn, 256)
    slope = drawn[top + 4 * 25 - 2 : top + 4 * 25 + 2, left + 4 * 25 - 2 : left + 4 * 25 + 2]
    assert (slope == BOX_COLOURS[0]).all(axis=2).any(), "in the colour of the box it belongs to, whichever of two equal ones"
    assert (drawn != pixels(plain, picture_px=256)).any()
