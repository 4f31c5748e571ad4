"""Which mention a part of the picture belongs to, and how many of its things are said to be there.

A part named first goes with all that follows it, any other with what was mentioned before it; where two readings are
left, it goes with none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rsflow.instructions.checks import english
from rsflow.instructions.checks.amounts import Portion, portion
from rsflow.instructions.checks.english import BREAKS, word_set
from rsflow.instructions.checks.mention import SUPERLATIVES, Mention, Place
from rsflow.instructions.checks.regions import Part, parts
from rsflow.instructions.checks.sentences import Sentence

_MOST = word_set("mostly mainly primarily predominantly largely concentrated clustered majority generally chiefly grouped")
_ALL = word_set("all both each every entirely exclusively solely")
_SOME = word_set("one another other others some most remaining rest first second third few several two three four")
_CARRIES_ON = word_set("which all both each one most with mostly mainly of is are") | SUPERLATIVES.keys()
_LINKS = english.PREPOSITIONS | {"the", "its"}
_THEM = word_set("them these those which")


def placed(found: list[Mention], sentence: Sentence) -> list[Mention]:
    """With the parts of the picture: one said first goes with all that follows, any other with what was said before it."""
    words = sentence.words
    named = parts(words)
    if not named:
        return found
    places: list[list[Place]] = [[] for _ in found]
    front: Part | None = None
    for part in named:
        earlier = [index for index, mention in enumerate(found) if mention.stop <= part.start]
        since = max((index + 1 for index in range(part.start) if words[index] in BREAKS - {":"}), default=0)
        told_next = bool(earlier) and words[found[earlier[-1]].stop :][:2] == ("and", ",")  # "ships and, at the top, a bridge"
        if not earlier or found[earlier[-1]].stop <= since or told_next:
            front = part
            upto = min((other.start for other in named if other.start > part.start), default=len(words))
            upto = min([upto, *(i for i in range(part.stop, len(words)) if words[i] in BREAKS or words[i] == "by")])
            for index, mention in enumerate(found):
                if part.stop <= mention.start < upto:
                    places[index].append(Place(part, mention.picked or "some", mention.portion))
            continue
        last = earlier[-1]
        between = words[found[last].stop : part.start]
        if _counts_others(between):
            continue  # "apart from the four on the left"
        if "than" in between or (between[:1] == (",",) and len(earlier) > 1 and not _CARRIES_ON.intersection(between)):
            continue  # "larger than the one at the top"; "the bus is below the cars, near the bottom" is of the bus
        how, portion = _how(between, found[last])
        if how == "some" and found[last].definite and _picks_out(between, words[part.stop :]):
            how = "any"
        places[last] = [] if front and places[last] else places[last]
        places[last].append(Place(part, how, portion))
    return [_there(mention, told) for mention, told in zip(found, places, strict=True)]


def _picks_out(between: Sequence[str], behind: Sequence[str]) -> bool:
    """Whether a place says which are meant and a verb follows: `the ships in the lower right are larger`."""
    if tuple(behind[:2]) == ("of", "the"):
        behind = behind[3:]
    return all(word in _LINKS for word in between) and bool(behind) and behind[0] in english.AUXILIARY


def _counts_others(between: Sequence[str]) -> bool:
    """Whether a number without a noun stands before the place, which is then of those."""
    last = between[-4:]
    return any(word == "the" and (english.number(behind) or 0) > 1 for word, behind in pairwise(last))


def _there(mention: Mention, told: Sequence[Place]) -> Mention:
    """In one part of the picture, and maybe one of them in another ("the largest on the left"); where more parts are named,
    nobody knows how many are in which."""
    of_all = [place for place in told if place.how not in SUPERLATIVES.values()]
    if len(told) == 1 or (len(told) == 2 and len(of_all) == 1 and told[0] is of_all[0]):
        return replace(mention, places=tuple(told))
    return replace(mention, narrowed=True) if told else mention


def _how(between: Sequence[str], mention: Mention) -> tuple[str, Portion | None]:
    """Which of the mentioned are meant by a place that comes after these words, and how many of them."""
    picked = [SUPERLATIVES[word] for word in between if word in SUPERLATIVES]
    if picked:
        return picked[-1], None
    for at in range(len(between) - 1):
        if between[at] == "of" and between[at + 1] in _THEM:
            count = english.number(between[at + 2]) if between[at + 2 : at + 3] else None
            told = Portion(count, False) if count else portion(between, at)
            if told:
                return "any", told
    if any(word in _ALL for word in between) and tuple(between[:4])[-2:] != ("in", "all"):
        return "all", None
    if any(word in _MOST for word in between):
        return "most", None
    if not _SOME.isdisjoint(between):
        return "any", None
    return mention.picked or "some", mention.portion
