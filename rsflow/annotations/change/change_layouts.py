"""Where published sets of changes keep their pictures and masks: a literal table.

A mask names its pair: the pictures of both dates have its file name in folders beside its own. HRSCD's names hold the date, and
are equal but for it (`key`). Sources: LEVIR-CD (https://justchenhao.github.io/LEVIR/), WHU-CD
(https://gpcv.whu.edu.cn/data/building_dataset.html), SECOND (https://arxiv.org/abs/2010.05687), S2Looking
(https://arxiv.org/abs/2107.09244), HRSCD (https://rcdaudt.github.io/hrscd/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reading = Literal["areas", "directions", "transitions", "covers"]
Legend = dict[str, str | None]

LAND_COVER = "land cover"


@dataclass(frozen=True, slots=True)
class ChangeLayout:
    """`masks`, `before`, `after`: names of folders, of a mask and of its pictures. `others`: folders of further masks of the
    pair.

    `reading`: "areas" (a mask of what changed), "directions" (a mask of what is new, one of what is gone), "transitions" (the
    classes of what changed, at both dates), "covers" (a mask of what changed, and the classes of all ground at both dates).
    `key`: what of a file's name (without extension) two files of a pair share, the groups of a regular expression. `legend`: of
    classes; `colours`: the same in colours, also of a mask of what changed that may have several.
    """

    masks: str
    before: str
    after: str
    others: tuple[str, ...] = ()
    reading: Reading = "areas"
    category: str = "building"
    key: str = "(.*)"
    legend: Legend | None = None
    colours: Legend | None = None


# Classes of SECOND as its colours, and as the numbers that most code for it writes (https://github.com/ggsDing/Bi-SRNet).
_SECOND_COLOURS: Legend = {
    "255,255,255": "",
    "0,0,255": "water",
    "128,128,128": "non-vegetated ground",
    "0,128,0": "low vegetation",
    "0,255,0": "tree",
    "128,0,0": "building",
    "255,0,0": "playground",
}
_SECOND_NUMBERS: Legend = {str(number): name for number, name in enumerate(_SECOND_COLOURS.values())}
# In the mask of all changes new and demolished buildings may have the colours of their own masks.
_S2LOOKING_COLOURS: Legend = {"0,0,255": "building", "255,0,0": "building"}
_HRSCD: Legend = {
    "0": None,
    "1": "artificial surface",
    "2": "agricultural area",
    "3": "forest",
    "4": "wetland",
    "5": "water",
}
_HRSCD_KEY = r"(\d+)-\d{4}-(\d+-\d+).*"


def _second(masks: str, other: str, before: str, after: str) -> ChangeLayout:
    return ChangeLayout(masks, before, after, (other,), "transitions", LAND_COVER, "(.*)", _SECOND_NUMBERS, _SECOND_COLOURS)


def _hrscd(masks: str, before: str, after: str, *covers: str) -> ChangeLayout:
    return ChangeLayout(masks, before, after, covers, "covers", LAND_COVER, _HRSCD_KEY, _HRSCD)


# Several rows of a set are the ways in which it is handed on. The first row whose folders are all there is taken.
LAYOUTS: dict[str, tuple[ChangeLayout, ...]] = {
    "levir_cd": (ChangeLayout("label", "A", "B"),),
    "whu_cd": (
        *(ChangeLayout(masks, "A", "B") for masks in ("label", "Label", "OUT")),
        ChangeLayout("change label", "before", "after"),
        ChangeLayout("change_label", "before", "after"),
    ),
    "second": (
        _second("label1", "label2", "im1", "im2"),
        _second("labelA", "labelB", "A", "B"),
    ),
    "s2looking": (
        ChangeLayout("label1", "Image1", "Image2", ("label2",), "directions"),
        ChangeLayout("label", "Image1", "Image2", colours=_S2LOOKING_COLOURS),
    ),
    "hrscd": (
        _hrscd("labels_change", "images_2006", "images_2012", "labels_land_cover_2006", "labels_land_cover_2012"),
        _hrscd("labels_change", "images_2005", "images_2012", "labels_land_cover_2005", "labels_land_cover_2012"),
        _hrscd("labels/change", "images/2006", "images/2012", "labels/2006", "labels/2012"),
        _hrscd("labels/change", "images/2005", "images/2012", "labels/2005", "labels/2012"),
    ),
}
