"""The limits of Qwen2.5-VL's processor: those of the released models, or those that are named."""

from __future__ import annotations

import json

import pytest

from rsflow.dialects import get_dialect
from rsflow.errors import ConfigError

BOX = (819.2, 1638.4, 972.8, 1945.6)


def spelled(dialect: str, height_px: int, width_px: int) -> list[int]:
    return json.loads(get_dialect(dialect).spell("[[|0]]", [BOX], height_px, width_px))["bbox_2d"]


def test_a_picture_below_the_released_limit_keeps_its_size() -> None:
    assert spelled("qwen", 2048, 1024) == [829, 1635, 984, 1942]  # in 2044 x 1036


def test_named_limits_are_those_of_the_resize() -> None:
    assert get_dialect("qwen:max_pixels=1003520").resized(1024, 1024) == (980, 980)
    assert get_dialect("qwen:min_pixels=12544,max_pixels=100000").resized(20, 20) == (112, 112)


@pytest.mark.parametrize(
    "name",
    ["qwen:max_pixels=big", "qwen:size=3", "qwen:max_pixels", "qwen:max_pixels=1", "qwen3:max_pixels=9", "qwen:min_pixels=-4"],
)
def test_impossible_settings_are_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigError, match=name.partition(":")[0]):
        get_dialect(name)


def test_the_released_processor_resizes_alike() -> None:
    resize = pytest.importorskip("transformers.models.qwen2_vl.image_processing_qwen2_vl").smart_resize
    for size in [(1024, 1024), (640, 480), (3000, 5000), (3600, 3600), (30, 41), (20, 3000)]:
        for low, high in [(3136, 12_845_056), (784, 1_003_520), (200_704, 1_003_520)]:
            assert get_dialect(f"qwen:min_pixels={low},max_pixels={high}").resized(*size) == resize(*size, 28, low, high)
