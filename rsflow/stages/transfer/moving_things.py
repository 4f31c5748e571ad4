"""Categories of things that are not where they were at another time: they move, or they pass.

What moves is named by its head noun, so that `fishing boat` and `small-vehicle` do and `car park` and `ship yard` do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rsflow.instructions.wording import english

VEHICLES = (
    "vehicle car automobile sedan suv truck lorry van minivan bus coach minibus trailer tractor excavator bulldozer crane jeep "
    "motorcycle motorbike motor bike bicycle scooter tricycle train tram locomotive carriage wagon railcar container"
)
VESSELS = (
    "ship boat vessel ferry tanker barge tugboat tug yacht sailboat motorboat warship destroyer frigate carrier cruiser "
    "submarine corvette hovercraft watercraft trawler canoe kayak raft craft freighter"
)
AIRCRAFT = "aircraft airplane aeroplane plane helicopter jet airliner drone bomber fighter glider balloon airship"
CREATURES = (
    "person pedestrian human man woman child people crowd animal cow cattle sheep horse goat deer elephant dog bird herd flock"
)
PASSING = "cloud shadow smoke fire flame haze fog dust snow ice flood floodwater iceberg floe wave wake plume target"
MOVING = frozenset(" ".join((VEHICLES, VESSELS, AIRCRAFT, CREATURES, PASSING)).split())


def is_moving(category: str, further: Iterable[str] = ()) -> bool:
    """Whether things of a category move or pass; `further`: categories that do beside those of the table."""
    noun = english.singular_noun(category)
    others = {english.singular_noun(name) for name in further}
    return _head(noun) in MOVING or noun in others or any(english.is_kind_of(noun, other) for other in others if other)


@lru_cache(maxsize=4096)
def _head(noun: str) -> str:
    return noun.partition(" of ")[0].split(" ")[-1].lower()
