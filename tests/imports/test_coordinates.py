"""The coordinate contract: what every dialect spells is found and sound, what breaks the contract is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow import dialects
from rsflow.errors import DataError
from rsflow.imports.box_formats import BOX_FORMATS, detect_format, find_boxes
from rsflow.text.turns import mark

FORMS = sorted(set(BOX_FORMATS) & set(dialects.DIALECTS))
SHARES = st.tuples(*[st.floats(0, 1) for _ in range(4)])


def test_every_form_of_the_dialects_has_a_contract() -> None:
    assert set(dialects.DIALECTS) <= set(BOX_FORMATS)


@settings(max_examples=150, deadline=None)
@given(form=st.sampled_from(FORMS), shares=SHARES, height=st.integers(60, 3000), width=st.integers(60, 3000))
def test_a_box_that_a_dialect_spells_keeps_its_contract(
    form: str, shares: tuple[float, float, float, float], height: int, width: int
) -> None:
    x0, x1 = sorted((shares[0] * width, shares[2] * width))
    y0, y1 = sorted((shares[1] * height, shares[3] * height))
    if min(x1 - x0, y1 - y0) < 0.05 * max(height, width):
        return  # rounding may leave no area, which is the dialect's business
    try:
        text = dialects.get_dialect(form).spell(f"Look: {mark('', 0)}.", [(x0, y0, x1, y1)], height, width)
    except DataError:
        return
    found = list(find_boxes(text, form))
    assert len(found) == 1
    assert BOX_FORMATS[form].find_fault(found[0], (height, width)) is None
    assert BOX_FORMATS[form].find_fault(found[0], None) is None


FAULTS = [
    ("geochat", "{<10><20><30><40>|<411>}", None, "angle_out_of_range"),
    ("geochat", "{<10><20><30><40>|<-361>}", None, "angle_out_of_range"),
    ("geochat", "{<10><20><130><40>|<11>}", None, "value_out_of_range"),
    ("geochat", "{<-3><20><30><40>|<11>}", None, "value_out_of_range"),
    ("geochat", "{<10><20><10><40>|<11>}", None, "box_empty"),
    ("geochat", "{<10><20><40>|<11>}", None, "box_not_a_box"),
    ("mmrs", "[0.10,0.20,1.30,0.40]", None, "value_out_of_range"),
    ("mmrs", "[0.10,0.20,0.10,0.40]", None, "box_empty"),
    ("mmrs", "[0.50,0.20,0.10,0.40]", None, "box_empty"),
    ("mmrs", "[0.10,0.05,0.30,0.40]", (500, 1000), "box_outside"),  # above the picture, in the square's padding
    ("mmrs", "[0.10,0.30,0.30,0.85]", (500, 1000), "box_outside"),
    ("llava", "[0.1, 0.3, 0.2, 0.45]", (1000, 500), "box_outside"),
    ("pixels", "[6793, 2739, 3871, 2852]", (10000, 10000), "box_empty"),
    ("pixels", "[2500, 3000, 2600, 3100]", (1000, 1000), "box_outside"),
    ("pixels", "[-5, 3, 26, 31]", None, "box_outside"),
    ("internvl", "<box>[[10, 20, 1030, 40]]</box>", None, "value_out_of_range"),
    ("qwen", '{"bbox_2d": [10, 20, 5, 40]}', None, "box_empty"),
    ("qwen2", "<|box_start|>(10,20),(1010,40)<|box_end|>", None, "value_out_of_range"),
    ("qwen3", '{"bbox_2d": [10, 20, 500, 1040]}', None, "value_out_of_range"),
]


@pytest.mark.parametrize(("form", "text", "size", "reason"), FAULTS)
def test_every_fault_is_told_by_its_name(form: str, text: str, size: tuple[int, int] | None, reason: str) -> None:
    (box,) = find_boxes(f"It is at {text}.", form)
    fault = BOX_FORMATS[form].find_fault(box, size)
    assert fault is not None
    assert fault[0] == reason


SOUND = [
    ("geochat", "{<0><0><100><100>|<0>}", (100, 900)),
    ("geochat", "{<10><20><30><40>|<90>}", (100, 900)),
    ("geochat", "{<10><20><30><40>}", None),
    ("mmrs", "[0.10,0.25,0.30,0.75]", (500, 1000)),
    ("mmrs", "[0.25,0.00,0.75,1.00]", (1000, 500)),
    ("pixels", "[0, 0, 640, 512]", (512, 640)),
]


@pytest.mark.parametrize(("form", "text", "size"), SOUND)
def test_sound_boxes_are_left_alone(form: str, text: str, size: tuple[int, int] | None) -> None:
    (box,) = find_boxes(text, form)
    assert BOX_FORMATS[form].find_fault(box, size) is None


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("lisa", "qwen3")])
def test_the_form_is_told_from_texts(form: str) -> None:
    spelled = [
        dialects.get_dialect(form).spell(
            f"There are {mark('2 ships', 0, 1)}.", [(10, 20, 300, 250), (50, 60, 400, 420)], 480, 640
        )
        for _ in range(3)
    ]
    assert detect_format([*spelled, "Yes.", "no boxes here [1]"]) == form


def test_brackets_that_are_no_boxes_are_left_alone() -> None:
    assert list(find_boxes("See [1], [2, 3] and [1, 2, 3, 4, 5]; [a, b, c, d].", "pixels")) == []
