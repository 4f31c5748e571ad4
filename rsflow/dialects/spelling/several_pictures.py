"""Several pictures in one conversation: how a family names them, and boxes that are on different ones.

Texts call pictures "image 1", "image 2". A dialect says with PICTURE_NAME what stands before the picture of each number;
families without a form of their own get "Image 1: ". Sources: InternVL's "Image-1: "
(https://internvl.readthedocs.io/en/latest/get_started/chat_data_format.html#multi-image-data), Qwen-VL's "Picture 1: "
(`add_vision_id` of its chat template); LLaVA-NeXT-Interleave puts pictures one after the other without a name
(https://arxiv.org/abs/2407.07895).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rsflow.dialects.contract import Dialect
from rsflow.spatial.geometry import Region
from rsflow.text.turns import Mark, mark, replace_marks

DEFAULT_NAME = "Image {}: "

Spell = Callable[[str, Sequence[Region], int, int], str]


def picture_names(dialect: Dialect, count: int) -> tuple[str, ...]:
    """What stands before each of `count` pictures: nothing before a single one."""
    if count == 1:
        return ("",)
    name: str = getattr(dialect, "PICTURE_NAME", DEFAULT_NAME)
    return tuple(name.format(number) for number in range(1, count + 1))


def spell_on_pictures(
    spell: Spell, text: str, boxes: Sequence[Region], pictures: Sequence[int], sizes: Sequence[tuple[int, int]]
) -> str:
    """The text with each mark spelled for the picture that its boxes are on.

    `pictures`: of each box its picture, from 0; `sizes`: (height, width) of each picture in pixels. Boxes of one mark are on
    one picture.
    """

    def spell_mark(found: Mark) -> str:
        return spell(mark(found.phrase, *found.boxes), boxes, *sizes[pictures[found.boxes[0]]])

    return replace_marks(text, spell_mark)
