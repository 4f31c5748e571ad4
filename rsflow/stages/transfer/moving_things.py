"""Categories of things that are not where they were at another time: they move, or they pass.

What moves is named by its head noun, so that `fishing boat` and `small-vehicle` do and `car park` and `ship yard` do not; types
of aircraft and ships are known by their names. Where in doubt a thing moves: it is unknown at the other time, not absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rsflow.instructions.wording import english

VEHICLES = (
    "vehicle car automobile sedan suv hatchback limousine pickup taxi cab ambulance camper caravan motorhome truck lorry van "
    "minivan bus coach minibus trailer tractor jeep buggy motorcycle motorbike motor bike bicycle scooter tricycle rickshaw "
    "excavator digger backhoe bulldozer loader grader scraper mixer paver dumper hauler forklift stacker crane "
    "train tram locomotive carriage wagon railcar container"
)
VESSELS = (
    "ship boat vessel ferry tanker barge tugboat tug yacht sailboat motorboat dinghy skiff catamaran gondola schooner warship "
    "destroyer frigate carrier cruiser submarine corvette minesweeper hovercraft watercraft trawler canoe kayak raft craft "
    "freighter cargo merchant"
)
AIRCRAFT = "aircraft airplane aeroplane plane helicopter jet airliner drone bomber fighter glider balloon airship"
CREATURES = (
    "person pedestrian human man woman child people crowd swimmer rider cyclist motorcyclist animal cow cattle sheep horse "
    "goat deer camel elephant dog bird penguin seal walrus whale dolphin herd flock"
)
PASSING = "cloud shadow smoke fire flame haze fog dust snow ice flood floodwater iceberg floe wave wake plume target"
# Classes and hull symbols in ShipRSImageNet (https://github.com/zzndream/ShipRSImageNet) and HRSC2016.
SHIP_CLASSES = (
    "nimitz enterprise midway ticonderoga perry kidd burke asagiri atago hatsuyuki hyuga masyuu osumi austen wasp tarawa "
    "sanantonio yuting yudeng yudao yuzhao dd ll as aoe epf lcs lsd lha lpd roro"
)
MOVING = frozenset(" ".join((VEHICLES, VESSELS, AIRCRAFT, CREATURES, PASSING, SHIP_CLASSES)).split())
SUFFIXES = ("boat", "plane", "craft", "truck", "cycle")
# Types of aircraft, as in FAIR1M (Boeing737, A220, ARJ21) and MAR20 (SU-35, P-3C, A1 to A20).
AIRCRAFT_TYPE = re.compile(
    r"(boeing|airbus|embraer|bombardier|cessna|gulfstream|learjet|comac|tupolev|sukhoi|ilyushin|antonov)(?![a-z]).*"
    r"|((arj|crj|erj|emb|su|tu|mig|il|an|kc|fa|f a|f/a|md|dc|mq|rq|uh|ah|ch|mi|ka|ec)-?|a|[a-z](-|(?=\d\d)))"
    r"\d+[a-z]{0,3}"
)
ATTRIBUTES = re.compile(r"\b(of|w|with|without|in|on|at|under)\b.*|( (small|medium|large|big|other|unknown|\d+))+$")
ARMED = frozenset(["battle", "military", "armoured", "armored", "army", "main", "light", "heavy"])  # tanks that store nothing
# Heads of nouns for places of vehicles.
_PLACES = (
    "lot park parking station stop depot garage yard road lane track path bridge facility shop wash area site building storage "
    "ramp gate terminal plant factory"
)
PLACES = frozenset(_PLACES.split())


def is_moving(category: str, further: Iterable[str] = ()) -> bool:
    """Whether things of a category move or pass; `further`: categories that do beside those of the table."""
    noun = english.singular_noun(category)
    others = {english.singular_noun(name) for name in further}
    return _is_known_to_move(category) or noun in others or any(english.is_kind_of(noun, other) for other in others if other)


@lru_cache(maxsize=4096)
def _is_known_to_move(category: str) -> bool:
    plain = re.sub(r"\s*\([^)]*\)", "", category)
    name = english.singular_form(plain).lower()
    if AIRCRAFT_TYPE.fullmatch(name):
        return True
    words = english.singular_form(ATTRIBUTES.sub("", name).strip()).lower().split()
    if not words:
        return False
    *front, head = words
    if head == "tank":
        return ARMED.issuperset(front)
    return head in MOVING or head.endswith(SUFFIXES) or ("vehicle" in front and head not in PLACES)
