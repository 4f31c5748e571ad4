"""Parts of the picture as free English names them, and whether a box may be said to lie there.

Two readings of each word. The wide one accepts what anybody could call "left"; a box outside it contradicts the
claim. The narrow one is what everybody would call so; a box inside it contradicts a denial. Compass words are no parts: nothing
known of a tile says which way is north. "To the left of the bridge" and "on top of a roof" are no parts either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.instructions.checks.english import IMAGE, word_set
from rsflow.sensors import SENSOR_NAMES
from rsflow.spatial.geometry import Box

_DOWN = dict.fromkeys(["upper", "top", "uppermost", "topmost"], -1) | dict.fromkeys(["lower", "bottom", "lowermost"], 1)
_ACROSS = {"left": -1, "right": 1, "leftmost": -1, "rightmost": 1, "lefthand": -1, "righthand": 1}
_MIDDLE = frozenset(["centre", "center", "middle", "central"])
_FILL = frozenset(["far", "extreme", "hand", "very", "most"])
_TO = frozenset((end, "to") for end in (*_ACROSS, *_DOWN))
_HEADING = word_set("pointing point points facing face faces heading heads oriented directed leads leading towing")
_NAMES = _DOWN.keys() | _ACROSS.keys() | _MIDDLE
_PARTS = word_set(
    "side sides part parts portion corner corners edge edges half area region section quadrant third margin border zone"
    " end sector segment"
)
_HALVES = frozenset(["half", "side", "sides"])
_BEFORE = word_set("the its in at on to near toward towards along from this image's picture's scene's by occupies")
# A word after "top", "centre" or "right" that makes it part of another name, or an adverb.
_OTHER = word_set(
    "column columns row rows wing wings down view pivot line lane angle angles next now behind away span turn of "
    "resolution density alone"
)

TOLERANCE = 0.42  # of a side: "left" is said of what has its centre left of this
MIDDLE = (0.27, 0.73)  # "in the centre" is said of what has its centre between these
EDGE = 0.02  # of a side: how far from a border of thirds a box still touches the next


@dataclass(frozen=True, slots=True)
class Part:
    """`down` and `across`: -1, 0, 1 for the first, middle and last third, None where the words leave the axis open."""

    start: int
    stop: int
    down: int | None
    across: int | None
    half: bool
    said: str


def parts(words: Sequence[str]) -> list[Part]:
    """The parts of the picture that a sentence names, in order."""
    found = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in _DOWN or word in _ACROSS or word in _MIDDLE:
            part = _part(words, at)
            if part:
                found.append(part)
                at = part.stop
                continue
            while at + 1 < len(words) and (words[at + 1] in _ACROSS or words[at + 1] in _DOWN):
                at += 1
        at += 1
    return found


def _part(words: Sequence[str], start: int) -> Part | None:
    down, across, middle, at = None, None, False, start
    while at < len(words):
        word = words[at]
        if word in _DOWN and down is None:
            down = _DOWN[word]
        elif word in _ACROSS and across is None:
            across = _ACROSS[word]
        elif word in _MIDDLE:
            middle = True
        elif word not in _FILL:
            break
        at += 1
    named = at < len(words) and words[at] in _PARTS
    half = named and words[at] in _HALVES
    stop = at + named
    if not _stands_alone(words, start, stop, named):
        return None
    if middle:  # "top centre" leaves nothing open
        down, across = down or 0, across or 0
    return Part(start, stop, down, across, half, " ".join(words[start:stop]))


def _stands_alone(words: Sequence[str], start: int, stop: int, named: bool) -> bool:
    """Whether the words name a part of the picture and not of something else, nor a direction."""
    first = start
    while first and words[first - 1] in _FILL:
        first -= 1
    before = words[first - 1] if first else ""
    after = words[stop] if stop < len(words) else ""
    if after == "of":
        rest = [
            word for word in words[stop + 1 : stop + 5] if word not in {"the", "this", "entire", "whole", "remote", "sensing"}
        ]
        if not rest or not _image(rest):
            return False
    elif after in _OTHER or (after == "'" and not named) or (after.endswith("'s") and after[:-2] in _PARTS):
        return False
    if not _HEADING.isdisjoint(words[max(0, first - 4) : first]) or "through" in words[max(0, first - 2) : first]:
        return False  # "pointing to the left"
    if stop - start == 1 and after == "," and words[stop + 1 : stop + 2] and words[stop + 1] in _NAMES:
        return False  # "the left, middle and right columns"
    if after == "to" or tuple(words[max(0, start - 2) : start]) in _TO:
        return False  # "from left to right"
    single = stop - start == 1
    if single and words[start] in {"upper", "lower", "central"}:
        return not before and not after
    if named and stop - start == 2 and words[start] in _MIDDLE and words[stop - 1] in {"line", "third"}:
        return False
    if single and words[start] in _ACROSS and words[max(0, start - 2) : start] == ("to", "the") and after != "of":
        return False
    if single and not after and before in {":", "is", "are", "–"}:
        return True
    if single and (before not in _BEFORE or words[start].endswith("most")):
        return not before and not after
    return True


def _image(words: Sequence[str]) -> bool:
    """Whether the first noun is the picture: `image`, `SAR image`, `remote sensing scene`."""
    return any(word in IMAGE for word in words[:2]) or words[0] in {"it", *SENSOR_NAMES}


def may_be(box: Box, part: Part) -> bool:
    """Whether somebody could say that the box (in shares of the sides) lies in the part."""
    if part.down == part.across == 0:
        inside = MIDDLE[0] < _centre(box, 0) < MIDDLE[1] and MIDDLE[0] < _centre(box, 1) < MIDDLE[1]
    else:
        inside = _near(_centre(box, 0), part.across, part.half) and _near(_centre(box, 1), part.down, part.half)
    return inside or (_touches(box, 0, part.across) and _touches(box, 1, part.down))


def must_be(box: Box, part: Part) -> bool:
    """Whether nobody could deny that the box lies in the part: its centre is in the third, and it does not fill the picture."""
    small = box[2] - box[0] <= 0.6 and box[3] - box[1] <= 0.6
    return small and _within(_centre(box, 0), part.across) and _within(_centre(box, 1), part.down)


def _centre(box: Box, axis: int) -> float:
    return (box[axis] + box[axis + 2]) / 2


def _near(centre: float, third: int | None, half: bool) -> bool:
    if third is None:
        return True
    if third == 0:
        return MIDDLE[0] < centre < MIDDLE[1]
    limit = 0.5 + EDGE if half else TOLERANCE
    return (centre if third < 0 else 1 - centre) < limit


def _touches(box: Box, axis: int, third: int | None) -> bool:
    if third is None:
        return True
    low, high = (third + 1) / 3 - EDGE, (third + 2) / 3 + EDGE
    return box[axis] < high and box[axis + 2] > low


def _within(centre: float, third: int | None) -> bool:
    return third is None or (third + 1) / 3 + EDGE < centre < (third + 2) / 3 - EDGE
