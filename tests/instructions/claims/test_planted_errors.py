"""Errors of many kinds, planted in claims and in words: every one is found, and no true sentence is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rsflow.instructions.claims import Claim, ClaimFacts, Statement, faults_of
from rsflow.instructions.facts.objects import tile_object
from rsflow.records import Label, Provenance, Shape, TileFacts
from rsflow.sensors import SensorName

GOLD = Provenance("annotation", "boxes.json")
MEASURED = Provenance("labeller", "scene", quality=1.0)


def box(category: str, *corners: float) -> Label:
    return Label("box", category, GOLD, Shape(corners))  # type: ignore[arg-type]


# 1000 x 1000 pixels of 0.5 m. Ships 1 (upper left, 60 x 20 m), 2 (lower right, 30 x 10 m), 3 (right, 20 x 10 m);
# dock 4 (centre); tanks 5 (lower left) and 6 (bottom).
HARBOUR = (
    box("ship", 100, 100, 220, 140),
    box("ship", 800, 800, 860, 820),
    box("ship", 850, 480, 890, 500),
    box("dock", 430, 460, 560, 540),
    box("storage_tank", 60, 820, 120, 880),
    box("storage_tank", 450, 860, 490, 900),
    Label("cover", "water", GOLD, value=0.62),
    Label("cover", "vegetation", GOLD, value=0.2),
    Label("cover", "bare soil", GOLD, value=0.18),
    Label("category", "harbor", GOLD),
    Label("fact", "colour", MEASURED, text="blue", value=0.6),
)
VOCABULARY = ("ship", "dock", "storage_tank", "bridge", "helicopter")


def facts_of(labels: tuple[Label, ...], sensor: SensorName = "optical", gsd_m: float | None = 0.5, **own: Any) -> ClaimFacts:
    facts = TileFacts("t", sensor, 1000, 1000, gsd_m, labels, VOCABULARY, **own)
    objects = [
        (label.category.replace("_", " "), tile_object(i, label.shape, facts))
        for i, label in enumerate(labels)
        if label.kind == "box" and label.shape
    ]
    earlier = TileFacts("t0", sensor, 1000, 1000, gsd_m, labels[1:], VOCABULARY)
    return ClaimFacts.of_objects(facts, objects, earlier)


THERMAL = (
    box("ship", 100, 100, 220, 140),
    Label("fact", "warmest_part", MEASURED, text="upper left", value=301.0),
    Label("fact", "coolest_part", MEASURED, text="bottom", value=280.0),
)
SCENES = {
    "harbour": facts_of(HARBOUR),
    "no gsd": facts_of(HARBOUR, gsd_m=None),
    "radar": facts_of(HARBOUR, "sar"),
    "thermal": facts_of(THERMAL, "infrared"),
    "ignored": facts_of((*HARBOUR[:6], Label("box", "ship", GOLD, Shape((0.0, 0.0, 9.0, 9.0), flags=("difficult",))))),
}


def s(text: str, *claims: Claim) -> Statement:
    return Statement(text, claims)


def c(kind: Any, category: str = "", *objects: int, **fields: Any) -> Claim:
    return Claim(kind, category, objects, **fields)


COUNT = c("count", "ship", value=3)
FIRST, SECOND = c("place", "ship", 1, word="upper left"), c("place", "ship", 2, word="lower right")
DOCK, TANK = c("place", "dock", 4, word="centre"), c("place", "storage tank", 5, word="lower left")
LEFT = c("relation", "ship", 1, others=(4,), other_category="dock", word="left")
ABOVE = c("relation", "dock", 4, others=(6,), other_category="storage tank", word="above")
LONG = c("size", "ship", 1, value=60, unit="m", word="length")
WIDE = c("size", "ship", 1, value=20, unit="m", word="width")
AREA = c("area", "ship", 1, value=1200, unit="m2")
WATER, GREEN = c("share", "water", value=62, unit="percent"), c("share", "vegetation", value=20, unit="percent")
NO_BRIDGE = c("absence", "bridge")

TRUE: list[tuple[str, Statement]] = [
    ("harbour", s("There are three ships in the image.", COUNT)),
    ("harbour", s("The image shows 3 ships and two storage tanks.", COUNT, c("count", "storage tank", value=2))),
    ("harbour", s("At least two ships are visible.", c("count", "ship", value=2, at_least=True))),
    ("harbour", s("Several ships lie in the water.", COUNT, c("presence", "water"))),
    ("harbour", s("There is a dock.", c("presence", "dock"))),
    ("harbour", s("Ships can be seen on the right of the image.", c("count", "ship", value=2, word="right"))),
    ("harbour", s("There are two ships on the right.", c("count", "ship", value=2, word="right"))),
    ("harbour", s("There are no bridges in the image.", NO_BRIDGE)),
    ("harbour", s("No ship lies in the lower left.", c("absence", "ship", word="lower left"))),
    ("harbour", s("A ship lies in the upper left corner.", FIRST)),
    ("harbour", s("One ship is in the upper left and another ship in the lower right.", FIRST, SECOND)),
    ("harbour", s("The dock lies at the centre, a storage tank in the lower left.", DOCK, TANK)),
    ("harbour", s("The dock lies above a storage tank.", ABOVE)),
    ("harbour", s("A storage tank lies below the dock.", ABOVE)),
    ("harbour", s("A ship about 60 m long lies in the upper left.", LONG, FIRST)),
    ("harbour", s("The ship in the upper left is about 60 by 20 metres.", FIRST, LONG, WIDE)),
    ("harbour", s("The ship covers about 1,200 square metres.", AREA)),
    ("harbour", s("Water covers about 62 percent of the image.", WATER)),
    ("harbour", s("About 62% of the image is water and 20% is vegetation.", WATER, GREEN)),
    ("harbour", s("The majority of the image is water.", c("share", "water", word="largest"))),
    ("harbour", s("A fifth of the image is vegetation.", GREEN)),
    ("harbour", s("Most of the image is water.", c("share", "water", word="largest"))),
    ("harbour", s("The image is mainly blue.", c("colour", word="blue"))),
    ("harbour", s("The picture shows a harbor.", c("class", word="harbor"))),
    ("harbour", s("There are more ships than docks.", c("comparison", "ship", other_category="dock", word="more"))),
    ("harbour", s("There are fewer docks than ships.", c("comparison", "dock", other_category="ship", word="fewer"))),
    ("harbour", s("The largest ship lies in the upper left.", FIRST, c("comparison", "ship", 1, word="largest"))),
    ("harbour", s("All three ships are visible.", COUNT)),
    ("harbour", s("The number of ships has increased by one.", c("change", "ship", word="increased", value=1))),
    ("harbour", s("The number of docks is unchanged.", c("change", "dock", word="unchanged"))),
    ("harbour", s("A vessel lies in the upper left.", c("place", "vessel", 1, word="upper left"))),
    ("harbour", s("Two storage tanks lie at the bottom.", c("count", "storage tank", value=2, word="bottom"))),
    ("no gsd", s("A small ship lies in the lower right.", SECOND, c("size", "ship", 2, word="small"))),
    ("no gsd", s("The ship is 120 pixels long.", c("size", "ship", 1, value=120, unit="px"))),
    ("radar", s("The radar image shows three ships.", COUNT, c("name", word="sar", scope="sensor"))),
    ("thermal", s("The warmest part lies in the upper left.", c("temperature", "highest", word="upper left"))),
    ("thermal", s("The highest temperature is about 301 K.", c("temperature", "highest", value=301, unit="K"))),
    ("thermal", s("The coolest part lies at the bottom.", c("temperature", "lowest", word="bottom"))),
    ("ignored", s("There are at least three ships.", c("count", "ship", value=3, at_least=True))),
]

# Each kind of error by its name: a scene and a sentence that is not true, or not known.
FALSE: list[tuple[str, str, Statement]] = [
    ("count: claim too high", "harbour", s("There are four ships.", c("count", "ship", value=4))),
    ("count: claim too low", "harbour", s("There are two ships.", c("count", "ship", value=2))),
    ("count: words beside the claim", "harbour", s("There are five ships.", COUNT)),
    ("count: digits beside the claim", "harbour", s("There are 13 ships.", COUNT)),
    (
        "count: swapped between nouns",
        "harbour",
        s("There are two ships and three storage tanks.", COUNT, c("count", "storage tank", value=2)),
    ),
    ("count: bound told as a number", "harbour", s("There are two ships.", c("count", "ship", value=2, at_least=True))),
    ("count: at least too many", "harbour", s("There are at least four ships.", c("count", "ship", value=4, at_least=True))),
    ("count: fraction", "harbour", s("There are 2.5 ships.", c("count", "ship", value=2.5))),
    ("count: in the wrong place", "harbour", s("There are two ships on the left.", c("count", "ship", value=2, word="left"))),
    ("count: of what is uncertain", "ignored", s("There are three ships.", COUNT)),
    ("count: all of what is uncertain", "ignored", s("All ships are visible.", c("count", "ship", value=3, at_least=True))),
    ("count: many of few", "harbour", s("Many docks line the water.", c("presence", "dock"), c("presence", "water"))),
    ("count: plural of one", "harbour", s("Docks can be seen.", c("presence", "dock"))),
    ("count: one told of several", "harbour", s("There is a ship.", COUNT)),
    ("count: numbers of objects do not add up", "harbour", s("There are three ships.", c("count", "ship", 1, 2, value=3))),
    ("presence: absent category", "harbour", s("There is a bridge.", c("presence", "bridge"))),
    ("presence: category not annotated", "harbour", s("There is a windmill.", c("presence", "windmill"))),
    ("presence: noun that no claim names", "harbour", s("There are three ships and a bridge.", COUNT)),
    ("presence: noun of no vocabulary", "harbour", s("There are three ships and a lighthouse.", COUNT)),
    ("presence: in an empty place", "harbour", s("A ship lies in the lower left.", c("presence", "ship", word="lower left"))),
    ("presence: of another kind", "harbour", s("A tanker lies in the upper left.", c("place", "tanker", 1, word="upper left"))),
    ("absence: of what is there", "harbour", s("There are no ships.", c("absence", "ship"))),
    ("absence: of what is not annotated", "harbour", s("There are no cars.", c("absence", "car"))),
    (
        "absence: in a place that holds one",
        "harbour",
        s("No ship lies in the upper left.", c("absence", "ship", word="upper left")),
    ),
    ("absence: claimed and not said", "harbour", s("There is a bridge.", NO_BRIDGE)),
    ("absence: said and not claimed", "harbour", s("There are no ships.", COUNT)),
    ("absence: of another noun", "harbour", s("There are no docks.", NO_BRIDGE)),
    ("place: wrong", "harbour", s("A ship lies in the upper right.", c("place", "ship", 1, word="upper right"))),
    ("place: words beside the claim", "harbour", s("A ship lies in the lower right.", FIRST)),
    (
        "place: swapped between nouns",
        "harbour",
        s("The dock lies in the lower left, a storage tank at the centre.", DOCK, TANK),
    ),
    ("place: compass", "harbour", s("A ship lies in the north.", FIRST)),
    ("place: of another object", "harbour", s("The dock lies in the upper left.", c("place", "dock", 1, word="upper left"))),
    (
        "place: number that is not there",
        "harbour",
        s("A ship lies in the upper left.", c("place", "ship", 9, word="upper left")),
    ),
    (
        "relation: wrong way",
        "harbour",
        s(
            "The dock lies below a storage tank.",
            c("relation", "dock", 4, others=(6,), other_category="storage tank", word="below"),
        ),
    ),
    ("relation: words turned round", "harbour", s("A storage tank lies above the dock.", ABOVE)),
    ("relation: other word", "harbour", s("The dock lies to the right of a storage tank.", ABOVE)),
    ("relation: not plain", "harbour", s("A ship lies to the left of the dock.", LEFT)),
    ("relation: not said", "harbour", s("The dock and a storage tank are visible.", ABOVE)),
    ("size: wrong", "harbour", s("The ship is about 90 m long.", c("size", "ship", 1, value=90, unit="m", word="length"))),
    ("size: words beside the claim", "harbour", s("The ship is about 90 m long.", LONG)),
    ("size: other unit", "harbour", s("The ship is about 60 km long.", LONG)),
    ("size: without a pixel size", "no gsd", s("The ship is about 60 m long.", LONG)),
    (
        "size: any tolerance",
        "harbour",
        s("The ship is about 90 m long.", c("size", "ship", 1, value=90, unit="m", tolerance=0.9)),
    ),
    ("size: adjective", "no gsd", s("A large ship lies in the lower right.", SECOND, c("size", "ship", 2, word="large"))),
    ("size: adjective unclaimed", "harbour", s("There are three large ships.", COUNT)),
    ("area: wrong", "harbour", s("The ship covers about 2,400 square metres.", c("area", "ship", 1, value=2400, unit="m2"))),
    ("area: words beside the claim", "harbour", s("The ship covers about 120 square metres.", AREA)),
    ("share: wrong", "harbour", s("Water covers about 70 percent.", c("share", "water", value=70, unit="percent"))),
    ("share: words beside the claim", "harbour", s("Water covers about 26 percent.", WATER)),
    ("share: swapped", "harbour", s("About 20% of the image is water and 62% is vegetation.", WATER, GREEN)),
    ("share: fraction in words", "harbour", s("A quarter of the image is water.", WATER)),
    ("share: majority of another", "harbour", s("The majority of the image is vegetation.", GREEN)),
    ("relation: near", "harbour", s("A ship lies near the dock.", FIRST, c("presence", "dock"))),
    ("relation: along", "harbour", s("Three ships lie along the dock.", COUNT, c("presence", "dock"))),
    ("count: couple of one", "harbour", s("A couple of docks are visible.", c("presence", "dock"))),
    ("share: not the largest", "harbour", s("Most of the image is vegetation.", c("share", "vegetation", word="largest"))),
    ("share: largest of another", "harbour", s("Most of the image is vegetation.", GREEN)),
    ("colour: wrong", "harbour", s("The image is mainly green.", c("colour", word="green"))),
    ("colour: words beside the claim", "harbour", s("The image is mainly red.", c("colour", word="blue"))),
    ("colour: of radar", "radar", s("The image is mainly blue.", c("colour", word="blue"))),
    ("colour: of an object", "harbour", s("There are three white ships.", COUNT)),
    (
        "colour: of an object, claimed",
        "harbour",
        s("The blue ship lies in the upper left.", FIRST, c("colour", "ship", 1, word="blue")),
    ),
    (
        "temperature: wrong place",
        "thermal",
        s("The warmest part lies at the bottom.", c("temperature", "highest", word="bottom")),
    ),
    (
        "temperature: wrong value",
        "thermal",
        s("The temperature is about 330 K.", c("temperature", "highest", value=330, unit="K")),
    ),
    (
        "temperature: words turned round",
        "thermal",
        s("The coolest part lies in the upper left.", c("temperature", "highest", word="upper left")),
    ),
    ("temperature: of an optical picture", "harbour", s("The ship is warm.", c("presence", "ship"))),
    ("class: wrong", "harbour", s("The picture shows an airport.", c("class", word="airport"))),
    ("class: words beside the claim", "harbour", s("The picture shows an airport.", c("class", word="harbor"))),
    (
        "name: wrong category",
        "harbour",
        s("The bridge lies at the centre.", c("name", "bridge", 4), c("place", "bridge", 4, word="centre")),
    ),
    ("name: wrong sensor", "radar", s("The image shows three ships.", COUNT, c("name", word="optical", scope="sensor"))),
    ("change: wrong direction", "harbour", s("The number of ships has decreased.", c("change", "ship", word="decreased"))),
    (
        "change: wrong number",
        "harbour",
        s("The number of ships has increased by two.", c("change", "ship", word="increased", value=2)),
    ),
    ("change: words turned round", "harbour", s("The number of ships has decreased.", c("change", "ship", word="increased"))),
    ("change: unclaimed", "harbour", s("Three new ships are visible.", COUNT)),
    (
        "comparison: wrong",
        "harbour",
        s("There are more docks than ships.", c("comparison", "dock", other_category="ship", word="more")),
    ),
    (
        "comparison: words turned round",
        "harbour",
        s("There are more docks than ships.", c("comparison", "ship", other_category="dock", word="more")),
    ),
    (
        "comparison: not the largest",
        "harbour",
        s("The largest ship lies in the lower right.", SECOND, c("comparison", "ship", 2, word="largest")),
    ),
    ("comparison: largest unclaimed", "harbour", s("The largest ship lies in the lower right.", SECOND)),
    (
        "comparison: of what is uncertain",
        "ignored",
        s("There are more ships than docks.", c("comparison", "ship", other_category="dock", word="more")),
    ),
    ("no claim", "harbour", s("The scene is calm.")),
    (
        "free words",
        "harbour",
        s("A ship of the merchant navy sails proudly towards distant shores full of hope.", c("presence", "ship")),
    ),
    ("value: not finite", "harbour", s("Water covers much.", c("share", "water", value=float("nan"), unit="percent"))),
]


def test_planted_errors_are_found_and_true_sentences_stand() -> None:
    missed = [name for name, scene, statement in FALSE if not faults_of(statement, SCENES[scene])]
    wronged = [(statement.text, faults) for scene, statement in TRUE if (faults := faults_of(statement, SCENES[scene]))]
    assert (missed, wronged) == ([], [])
    assert len({name for name, _, _ in FALSE}) == len(FALSE) >= 60
    assert set(Counter(name.split(":")[0] for name, _, _ in FALSE)) >= {"count", "share", "change", "temperature", "name"}
