"""Scenes of which the truth is known, that benchmarks/reader_texts.txt tells of.

One idea: few objects, each placed so that what a sentence says of it is plainly true or plainly not. All are 1000 x 1000
pixels.
"""

from __future__ import annotations

from rsflow.records import Label, Provenance, Shape, TileFacts
from rsflow.sensors import SensorName

SIDE_PX = 1000
_TRUTH = Provenance("annotation", "made")

Boxes = dict[str, list[tuple[int, int, int, int]]]


def _scene(
    name: str,
    sensor: SensorName,
    gsd_m: float,
    boxes: Boxes,
    absent: tuple[str, ...],
    covers: dict[str, float],
    facts: dict[str, str],
) -> TileFacts:
    labels = [
        Label("box", category, _TRUTH, Shape((float(x0), float(y0), float(x1), float(y1))))
        for category, found in boxes.items()
        for x0, y0, x1, y1 in found
    ]
    labels += [Label("cover", category, _TRUTH, value=share) for category, share in covers.items()]
    labels += [Label("fact", category, _TRUTH, text=text) for category, text in facts.items()]
    return TileFacts(f"told/{name}", sensor, SIDE_PX, SIDE_PX, gsd_m, tuple(labels), (*boxes, *absent))


SCENES = {
    "port": _scene(
        "port",
        "optical",
        0.5,
        {
            "ship": [(60, 300, 100, 420), (70, 480, 105, 580), (50, 640, 90, 740), (160, 350, 200, 450), (620, 800, 880, 870)],
            "storage-tank": [(x, y, x + 40, y + 40) for y in (60, 120, 180) for x in (700, 760, 820, 880)],
        },
        ("bridge", "helicopter", "roundabout"),
        {"water": 0.52, "impervious surface": 0.33, "vegetation": 0.06},
        {"brightness": "medium", "brightest_part": "upper right", "colour": "blue"},
    ),
    "airfield": _scene(
        "airfield",
        "optical",
        1.0,
        {
            "plane": [*((100 + 110 * i, 830, 150 + 110 * i, 880) for i in range(6)), (120, 120, 200, 200)],
            "helicopter": [(850, 480, 875, 505)],
            "large-vehicle": [(800, 850, 812, 856), (840, 870, 852, 876), (880, 900, 892, 906)],
        },
        ("ship", "swimming-pool", "tennis-court"),
        {"impervious surface": 0.55, "vegetation": 0.38, "bare soil": 0.07, "water": 0.0},
        {"brightness": "bright", "brightest_part": "bottom", "colour": "grey", "texture": "smooth"},
    ),
    "suburb": _scene(
        "suburb",
        "optical",
        0.3,
        {
            "building": [(x, y, x + 70, y + 60) for y in (60, 200, 640, 800) for x in (60, 200, 340, 580, 720, 860)],
            "swimming-pool": [(80, 290, 110, 310), (90, 560, 120, 580), (860, 400, 890, 420)],
            "tennis-court": [(600, 900, 680, 940), (780, 900, 860, 940)],
            "car": [(480, 50 + 60 * i, 495, 65 + 60 * i) for i in range(15)],
        },
        ("truck", "bus"),
        {"vegetation": 0.48, "built-up": 0.42, "bare soil": 0.06, "water": 0.0},
        {"brightness": "medium", "colour": "green", "texture": "strongly textured"},
    ),
    "sea": _scene(
        "sea",
        "sar",
        10.0,
        {
            "ship": [
                (100, 80, 112, 90),
                (300, 150, 315, 160),
                (450, 60, 462, 72),
                (620, 200, 640, 212),
                (800, 100, 812, 110),
                (900, 260, 915, 270),
                (200, 700, 215, 712),
                (700, 850, 730, 865),
            ]
        },
        (),
        {"water": 0.96},
        {"brightness": "dark", "texture": "smooth"},
    ),
    "strait": _scene(
        "strait",
        "sar",
        3.0,
        {"ship": [(480, 150, 520, 200), (560, 760, 600, 840)], "bridge": [(300, 450, 700, 500)]},
        ("storage-tank", "airplane"),
        {"water": 0.62, "vegetation": 0.20, "built-up": 0.12},
        {"brightness": "dark", "brightest_part": "centre", "darkest_part": "bottom"},
    ),
    "street": _scene(
        "street",
        "infrared",
        0.1,
        {
            "Person": [
                (650, 100, 665, 140),
                (700, 220, 715, 260),
                (760, 400, 775, 440),
                (820, 420, 835, 460),
                (880, 600, 895, 640),
                (930, 760, 945, 800),
            ],
            "Car": [(80, 150, 125, 170), (90, 450, 135, 470), (100, 750, 145, 770)],
        },
        ("Bicycle",),
        {},
        {"brightness": "medium", "brightest_part": "right"},
    ),
    "farm": _scene(
        "farm",
        "optical",
        10.0,
        {},
        (),
        {"farmland": 0.71, "tree cover": 0.18, "bare soil": 0.05, "water": 0.03, "built-up": 0.0},
        {"brightness": "medium", "colour": "green", "texture": "moderately textured"},
    ),
    "windpark": _scene(
        "windpark",
        "optical",
        2.0,
        {
            "wind turbine": [(x, y, x + 60, y + 60) for y in (150, 450, 750) for x in (200, 480, 760)],
            "building": [(60, 480, 110, 520)],
        },
        ("chimney",),
        {"bare soil": 0.58, "vegetation": 0.33, "water": 0.0},
        {"brightness": "bright", "brightest_part": "upper right", "colour": "brown", "texture": "smooth"},
    ),
    "parking": _scene(
        "parking",
        "optical",
        0.15,
        {
            "car": [(100 + 60 * i, y, 115 + 60 * i, y + 30) for y in (300, 400, 500, 600) for i in range(12)][:46],
            "truck": [(x, 50, x + 25, 110) for x in (200, 350, 500, 650)],
            "bus": [(800, 880, 880, 900)],
        },
        ("motorcycle",),
        {"impervious surface": 0.78, "vegetation": 0.12, "bare soil": 0.04},
        {"brightness": "bright", "colour": "grey", "texture": "moderately textured"},
    ),
    "river": _scene(
        "river",
        "optical",
        1.0,
        {"bridge": [(300, 180, 700, 210), (350, 720, 650, 750)], "ship": [(480, 820, 500, 880)]},
        ("dam",),
        {"tree cover": 0.44, "water": 0.31, "built-up": 0.15, "bare soil": 0.0},
        {"brightness": "dark", "darkest_part": "centre", "colour": "green", "texture": "strongly textured"},
    ),
    "sports": _scene(
        "sports",
        "optical",
        0.5,
        {
            "tennis-court": [(80, 80, 130, 150), (150, 80, 200, 150), (80, 180, 130, 250), (150, 180, 200, 250)],
            "basketball-court": [(820, 420, 880, 460), (820, 500, 880, 540)],
            "soccer-ball-field": [(380, 760, 600, 900)],
            "ground-track-field": [(700, 700, 960, 950)],
        },
        ("baseball-diamond", "swimming-pool"),
        {"vegetation": 0.57, "impervious surface": 0.28, "bare soil": 0.10, "water": 0.0},
        {"brightness": "medium", "colour": "green"},
    ),
    "junction": _scene(
        "junction",
        "optical",
        0.2,
        {
            "small-vehicle": [(10 + 45 * i, 480, 30 + 45 * i, 490) for i in range(22)],
            "large-vehicle": [(x, 100, x + 50, 115) for x in (700, 760, 820, 880, 940)],
            "roundabout": [(400, 380, 600, 590)],
        },
        ("bridge", "swimming-pool"),
        {"impervious surface": 0.46, "vegetation": 0.37, "built-up": 0.12, "water": 0.0},
        {"brightness": "medium", "colour": "green", "texture": "moderately textured"},
    ),
    "campus": _scene(
        "campus",
        "optical",
        0.8,
        {
            "stadium": [(560, 420, 860, 700)],
            "baseball field": [(640, 60, 760, 180), (820, 80, 940, 200)],
            "basketball court": [(60, 760, 90, 820), (120, 760, 150, 820), (180, 760, 210, 820)],
        },
        ("tennis court", "train station", "overpass"),
        {"vegetation": 0.51, "built-up": 0.34, "bare soil": 0.09, "water": 0.0},
        {"brightness": "bright", "brightest_part": "right", "colour": "green"},
    ),
    "quay": _scene(
        "quay",
        "sar",
        5.0,
        {
            "ship": [
                *((800, 80 + 80 * i, 816, 120 + 80 * i) for i in range(11)),
                (150, 200, 166, 240),
                (200, 500, 216, 540),
                (120, 800, 136, 840),
            ]
        },
        ("bridge",),
        {"water": 0.70, "built-up": 0.25},
        {"brightness": "dark", "brightest_part": "right"},
    ),
    "anchorage": _scene(
        "anchorage",
        "infrared",
        1.0,
        {"ship": [(150, 620, 190, 760), (450, 700, 480, 800), (800, 850, 830, 940)]},
        ("person",),
        {},
        {"brightness": "dark", "brightest_part": "lower left"},
    ),
}
