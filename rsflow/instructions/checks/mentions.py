"""Claims as free English makes them: which things a sentence speaks of, how many, where, and whether it says so at all.

One idea: a noun that the lexicon knows is an anchor, and the claim is read outwards from it: to the left its number and
adjectives, to the right what narrows it down; negation and hedging from the clause around it; places from the sentence in the
order in which they are said. Each step that stays open weakens the claim: adjectives that pick some out make a number the
least, a hedge makes it no claim, and a noun that only modifies another ("car park") is no mention.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rsflow.instructions.checks import english, quantities
from rsflow.instructions.checks.denials import Stance, denial_ends, stance
from rsflow.instructions.checks.english import BREAKS, HEDGES, IDLE, word_set
from rsflow.instructions.checks.lexicon import Entry, Lexicon, Sense
from rsflow.instructions.checks.quantities import Quantity
from rsflow.instructions.checks.regions import Part, parts
from rsflow.instructions.checks.sentences import Sentence

SUPERLATIVES = {
    **dict.fromkeys(["largest", "biggest", "larger", "bigger"], "largest"),
    **dict.fromkeys(["smallest", "tiniest", "smaller"], "smallest"),
    **{word: word for word in ("leftmost", "rightmost", "topmost", "bottommost")},
    "uppermost": "topmost",
    "lowermost": "bottommost",
    "lowest": "bottommost",
}
_MOST = word_set("mostly mainly primarily predominantly largely concentrated clustered majority generally chiefly grouped")
_ALL = word_set("all both each every entirely exclusively solely")
_SOME = word_set("one another other others some most remaining rest first second third few several two three four")
_SUBSETS = word_set("other others another remaining rest additional further second also these those them")
_AFTER_VERB = english.PREPOSITIONS | word_set("a an the its up out down off roughly about") | english.NUMBERS.keys()
_AS = word_set("classified identified described recognised recognized mapped")
_LOOKING = word_set("look zoom examine compared seen viewed looking")
_DEFINITE = word_set("the all both these those each every its")
_LIKE = word_set("like resembling resemble resembles as than type kind")


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the picture that a mention is said to be in. `how`: "some" of them, "most", "all", or a superlative."""

    part: Part
    how: str


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `start` to `stop` of the sentence. `quantity` holds how many are meant, None where no number is said.

    `denied`: that there are any is denied. `hedged`: nothing is claimed. `narrowed`: the number is of some of them alone.
    `definite`: "the ships". `bare`: a singular without any determiner, which claims nothing. `picked`: a value of SUPERLATIVES,
    "" for none. `asked`: the noun is the question's, `reply` is what was answered.
    """

    sentence: Sentence
    start: int
    stop: int
    sense: Sense
    plural: bool
    quantity: Quantity | None = None
    definite: bool = False
    bare: bool = False
    denied: bool = False
    hedged: bool = False
    narrowed: bool = False
    picked: str = ""
    places: tuple[Place, ...] = ()
    asked: bool = False
    reply: str = ""

    @property
    def turn(self) -> int:
        return self.sentence.turn

    @property
    def said(self) -> str:
        """The words around the noun, and the answer where the noun is the question's."""
        around = self.sentence.said(max(0, self.start - 4), self.stop + 4)
        return f"{around}? {self.reply}" if self.reply else around


@lru_cache(maxsize=4096)  # several checks read a sentence, and questions repeat from tile to tile
def mentions(sentence: Sentence, lexicon: Lexicon) -> tuple[Mention, ...]:
    """The mentions of a sentence in order, with what is said of each."""
    words = sentence.words
    if lexicon.entries.keys().isdisjoint(words):
        return ()
    anchors = [found for found in _anchors(words, lexicon) if found[1].plural or not _modifies(words, found[0], found[1])]
    if not anchors:
        return ()
    ends = [0, *(start + len(entry.spelled) for start, entry in anchors)]
    starts = [*(start for start, _ in anchors[1:]), len(words)]
    found = [_mention(sentence, *anchor, since, until) for anchor, since, until in zip(anchors, ends, starts, strict=False)]
    return tuple(_placed(_together(found), sentence))


def _anchors(words: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, Entry]]:
    at = 0
    while at < len(words):
        for entry in lexicon.entries.get(words[at], ()):
            if words[at : at + len(entry.spelled)] == entry.spelled:
                yield at, entry
                at += len(entry.spelled) - 1
                break
        at += 1


def _mention(sentence: Sentence, start: int, entry: Entry, since: int, until: int) -> Mention:
    """`since` and `until`: where the mentions before and after end and begin."""
    words, stop = sentence.words, start + len(entry.spelled)
    before, after = quantities.before(words, start), quantities.after(words, start, stop)
    clause = max([since, *(index + 1 for index in range(since, start) if words[index] in BREAKS)])
    until = min([until, *(index for index in range(stop, until) if words[index] in BREAKS)])
    said = "denied" if before.determiner == "no" else stance(words, clause, before.start, stop, until)
    quantity = after or before.quantity
    if said == "open" and words[before.start - 1 : before.start] == ("not",) and quantity and quantity.most == 1:
        said = "denied"
    narrowed = not IDLE.issuperset(before.adjectives) or before.determiner in _SUBSETS or before.subset
    alike = _example(words, before.start, stop)
    lack = words[before.start - 2 : before.start] in {("lack", "of"), ("absence", "of")}
    return Mention(
        sentence,
        start,
        stop,
        entry.sense,
        entry.plural,
        None if said == "denied" and quantity and quantity.most == 1 else quantity,
        definite=before.determiner in _DEFINITE,
        bare=not entry.plural and not before.determiner and not quantity,
        denied=said == "denied",
        hedged=said == "open" or (alike and said == "said") or _hedged(words, _clause(words, start), start, stop, said),
        narrowed=narrowed or (said == "denied" and not lack and not denial_ends(words, stop)),
        picked=next((SUPERLATIVES[word] for word in before.adjectives if word in SUPERLATIVES), ""),
    )


def _example(words: Sequence[str], start: int, stop: int) -> bool:
    """Whether a noun stands for a likeness or an example alone: `such as ships`, but not `such as ships are visible`."""
    named = start > 1 and words[start - 2] in _AS
    there = len(words) > stop + 1 and words[stop] in english.BE and words[stop + 1] in english.THERE
    return start > 0 and words[start - 1] in _LIKE and not named and not there


def _modifies(words: Sequence[str], start: int, entry: Entry) -> bool:
    """Whether a singular noun only describes the next word: `car park`, `ship channel`; true of any unknown word."""
    stop = start + len(entry.spelled)
    after = words[stop] if stop < len(words) else ","
    if after.endswith("s") and words[stop + 1 : stop + 2] and words[stop + 1] in _AFTER_VERB:
        return False  # "the ship breaks up the surface"
    return after not in english.FOLLOWS and after[0].isalpha() and not after.endswith(("ed", "ing", "ly"))


def _clause(words: Sequence[str], at: int) -> int:
    """Where the statement around a word begins."""
    return next((index + 1 for index in range(at - 1, -1, -1) if words[index] in BREAKS), 0)


def _hedged(words: Sequence[str], clause: int, start: int, stop: int, said: Stance) -> bool:
    """Whether a word before it in the statement, or next to it, takes the claim back."""
    early = not HEDGES.isdisjoint(words[clause:start])
    if early and any(_hedges(words, index, said) for index in range(clause, start)):
        return True
    for word in words[stop : stop + 5]:
        if word in BREAKS or word == ",":
            return False
        if word in HEDGES:
            return True
    return words[clause : clause + 2] == ("what", "appears") or (
        said == "said" and _purpose(words[max(clause, start - 3) : start])
    )


def _hedges(words: Sequence[str], at: int, said: Stance) -> bool:
    """Whether a word makes what follows a mere possibility. "Could not find", "if you look closely", "when seen from above" and
    "there seem to be none" do not."""
    word, after = words[at], words[at + 1 : at + 3]
    if word not in HEDGES or (word in {"could", "would"} and after[:1] == ("not",)):
        return False
    if word in {"if", "when"} and not _LOOKING.isdisjoint(after):
        return False
    return not (word in {"seem", "seems"} and said == "denied")


def _purpose(words: Sequence[str]) -> bool:
    """Whether the words just before say what something is for: `space for ships`."""
    return any(word == "for" and words[index - 1 : index] != ("but",) for index, word in enumerate(words))


def _together(found: list[Mention]) -> list[Mention]:
    """With what a list shares: a denial goes on (`no ships, cars or buses`), a number over "and" is nobody's."""
    result: list[Mention] = []
    for mention in found:
        last = result[-1] if result else None
        if last:
            between = mention.sentence.words[last.stop : mention.start]
            joined = between in {(",",), ("or",), ("nor",), ("and",), (",", "or"), (",", "and"), ("/",), ("&",)}
            if joined and last.denied:
                mention = replace(mention, denied=True, narrowed=last.narrowed or mention.narrowed)
                if not last.narrowed or last.stop + len(between) == mention.start:
                    result[-1] = replace(last, narrowed=mention.narrowed)
            elif between in {("and",), ("or",), ("/",), ("&",)} and mention.quantity is None and last.quantity:
                result[-1] = replace(last, quantity=None, hedged=True)
                mention = replace(mention, hedged=True)
        result.append(mention)
    return result


def _placed(found: list[Mention], sentence: Sentence) -> list[Mention]:
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
        if not earlier or found[earlier[-1]].stop <= since:
            front = part
            upto = min((other.start for other in named if other.start > part.start), default=len(words))
            upto = min([upto, *(i for i in range(part.stop, len(words)) if words[i] in BREAKS)])
            for index, mention in enumerate(found):
                if part.stop <= mention.start < upto:
                    places[index].append(Place(part, mention.picked or "some"))
            continue
        last = earlier[-1]
        how = _how(words[found[last].stop : part.start], found[last])
        places[last] = [] if front and places[last] else places[last]
        places[last].append(Place(part, how))
    return [
        replace(mention, places=tuple(told) if len(told) == 1 else ()) if told else mention
        for mention, told in zip(found, places, strict=True)
    ]


def _how(between: Sequence[str], mention: Mention) -> str:
    """Which of the mentioned are meant by a place that comes after these words."""
    picked = [SUPERLATIVES[word] for word in between if word in SUPERLATIVES]
    if picked:
        return picked[-1]
    if any(word in _ALL for word in between):
        return "all"
    if any(word in _MOST for word in between):
        return "most"
    if not _SOME.isdisjoint(between):
        return "any"
    if mention.picked:
        return mention.picked
    return "some"


def meant(quantity: Quantity | None) -> Quantity:
    """A mention without a number means at least one."""
    return quantity or Quantity(1, math.inf, "")
