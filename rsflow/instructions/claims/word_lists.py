"""Words that state something checkable, by what they state; and grammar that states nothing by itself. Literal tables."""

from __future__ import annotations

from typing import Literal

from rsflow.instructions.claims.claim import Unit
from rsflow.instructions.wording import english
from rsflow.instructions.wording.attributes import COLOURS

TokenKind = Literal[
    "number", "noun", "place", "direction", "negation", "colour", "size", "comparison", "change", "temperature", "all"
]

WORDS_BY_KIND: dict[TokenKind, str] = {
    "negation": "no not none without never neither nor cannot isn't aren't lacks lacking absent empty devoid free",
    "size": "small medium-sized large tiny huge big giant little long short wide narrow massive",
    "comparison": "more fewer less most largest smallest biggest larger smaller bigger equal twice longest outnumber dominant "
    "mostly mainly majority minority thirds quarters fifths tenths",
    "change": "appeared disappeared new gone increased decreased grown shrunk unchanged former previously earlier added "
    "removed",
    "temperature": "warm warmer warmest hot hottest cool cooler coolest cold coldest temperature",
    "all": "all every each only entire entirely whole always",
    "colour": " ".join(COLOURS),
    "place": "left right top bottom centre center middle upper lower corner edge central north south east west northern "
    "southern eastern western",
}
PLACE_PAIRS = tuple(
    f"{row}{joint}{side}" for row in ("upper", "lower", "top", "bottom") for joint in (" ", "-") for side in ("left", "right")
)
_UNCHECKED_RELATIONS = (
    "near, next to, close to, beside, adjacent to, alongside, along, behind, in front of, between, among, surrounded by, "
    "surrounding, opposite, inside, outside, facing, north of, south of, east of, west of"
)
DIRECTIONS = {
    "to the left of": "left",
    "left of": "left",
    "to the right of": "right",
    "right of": "right",
    "above": "above",
    "below": "below",
    "beneath": "below",
    "underneath": "below",
    # Relations that no claim has, so that nothing explains them.
    **dict.fromkeys(_UNCHECKED_RELATIONS.split(", "), ""),
}
NUMBERS = {
    **{word: float(n) for n, word in enumerate(english.NUMBER_WORDS) if n},
    "zero": 0.0,
    "eleven": 11.0,
    "twelve": 12.0,
    "thirteen": 13.0,
    "fourteen": 14.0,
    "fifteen": 15.0,
    "sixteen": 16.0,
    "seventeen": 17.0,
    "eighteen": 18.0,
    "nineteen": 19.0,
    "twenty": 20.0,
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "hundred": 100.0,
    "dozen": 12.0,
    "both": 2.0,
    "pair": 2.0,
    "single": 1.0,
}
# Shares of a whole in words, in percent.
FRACTIONS = {
    "half": 50.0,
    "a third": 33.3,
    "one third": 33.3,
    "two thirds": 66.7,
    "a quarter": 25.0,
    "one quarter": 25.0,
    "three quarters": 75.0,
    "a fifth": 20.0,
    "one fifth": 20.0,
    "four fifths": 80.0,
    "a tenth": 10.0,
    "one tenth": 10.0,
}
UNIT_WORDS: dict[str, Unit] = {
    "%": "percent",
    "percent": "percent",
    "m": "m",
    "metre": "m",
    "metres": "m",
    "meter": "m",
    "meters": "m",
    "km": "km",
    "kilometres": "km",
    "kilometers": "km",
    "pixels": "px",
    "pixel": "px",
    "px": "px",
    "hectares": "ha",
    "hectare": "ha",
    "ha": "ha",
    "k": "K",
    "kelvin": "K",
    "c": "C",
}
SQUARE_UNITS: dict[Unit, Unit] = {"m": "m2", "km": "km2", "px": "px"}
# Vague amounts, with the least number that each can mean.
VAGUE = {
    "several": 3.0,
    "many": 5.0,
    "numerous": 5.0,
    "multiple": 2.0,
    "few": 2.0,
    "some": 1.0,
    "dozens": 24.0,
    "hundreds": 200.0,
}
_GRAMMAR = """a an the
    this that these those there here it its they them their is are was were be been being has have had do does
    and or but with of in on at to from by for as into within around across over under while where
    which who what also can may image picture scene view shows show seen visible lies lie located contains appears
    appear about roughly approximately another other one side part area together total least"""
FUNCTION_WORDS = frozenset(_GRAMMAR.split())
# Objects of the common annotated sets (DOTA, DIOR, FAIR1M, xView, RSVQA), beside the tile's own vocabulary.
_OBJECTS = """airport,
    airfield, antenna, baseball diamond, barge, basketball court, bridge, bus stop, car park, chimney, church,
    crane, container crane, container, dam, dock, excavator, factory, farm, fence, football field, fountain, garage,
    gas station, hut, golf course, greenhouse, ground track field, hangar, harbour, harbor, helipad, house,
    intersection, jetty, lighthouse, mast, mine, oil tank, overpass, parking lot, pier, pipeline, playground, plane,
    pond, pool, port, power plant, pylon, quay, quarry, railway station, railway, reservoir, river, road, roundabout,
    runway, school, shed, silo, soccer field, solar panel, stadium, station, storage tank, swimming pool, tank, tennis
    court, tent, terminal, toll station, tower, track, train, tree, tunnel, viaduct, warehouse, wharf, wind turbine,
    windmill, crater, island, lake, glacier, volcano"""
OBJECT_NOUNS = frozenset(" ".join(name.split()) for name in _OBJECTS.split(","))
