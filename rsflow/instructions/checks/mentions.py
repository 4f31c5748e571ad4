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

from rsflow.instructions.checks import english, quantities
from rsflow.instructions.checks.english import BREAKS, HEDGES, IDLE, IMAGE, NEGATIONS, SAME_CLAUSE, THERE, word_set
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
_SOME = word_set("one another other others some most it they remaining rest first second third few several two three four")
_SUBSETS = word_set("other others another remaining rest additional further second also these those them")
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


def mentions(sentence: Sentence, lexicon: Lexicon) -> tuple[Mention, ...]:
    """The mentions of a sentence in order, with what is said of each."""
    found = [_mention(sentence, start, entry) for start, entry in _anchors(sentence.words, lexicon)]
    kept = [mention for mention in found if mention]
    return tuple(_placed(_together(kept), sentence)) if kept else ()


def _anchors(words: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, Entry]]:
    at = 0
    while at < len(words):
        for entry in lexicon.get(words[at], ()):
            if tuple(words[at : at + len(entry.spelled)]) == entry.spelled:
                yield at, entry
                at += len(entry.spelled) - 1
                break
        at += 1


def _mention(sentence: Sentence, start: int, entry: Entry) -> Mention | None:
    words, stop = sentence.words, start + len(entry.spelled)
    if not entry.plural and _modifies(words, stop):
        return None
    before = quantities.before(words, start)
    after = quantities.after(words, start, stop)
    mention = Mention(
        sentence,
        start,
        stop,
        entry.sense,
        entry.plural,
        after or before.quantity,
        definite=before.determiner in {"the", "all", "both", "these", "those", "each", "every", "its"},
        bare=not entry.plural and not before.determiner and not before.quantity and not after,
        picked=next((SUPERLATIVES[word] for word in before.adjectives if word in SUPERLATIVES), ""),
    )
    clause = _clause(words, start)
    if words[before.start - 1 : before.start] and words[before.start - 1] in _LIKE | {"of the"}:
        return replace(mention, hedged=True)
    denied = (
        before.determiner == "no"
        or words[before.start - 1 : before.start] == ("not",)
        or _denied(words, clause, before.start, stop)
    )
    narrow = not IDLE.issuperset(before.adjectives) or before.determiner in _SUBSETS
    if denied:
        narrow = narrow or not denial_ends(words, stop)
    hedged = _hedged(words, clause, start, stop)
    return replace(mention, denied=denied, narrowed=narrow or before.subset, hedged=hedged)


def _modifies(words: Sequence[str], stop: int) -> bool:
    """Whether a singular noun only describes the next word: `car park`, `ship channel`; true of any unknown word."""
    if stop >= len(words):
        return False
    after = words[stop]
    known = (
        after in english.AUXILIARY
        or after in english.PREPOSITIONS
        or after in english.CONJUNCTIONS
        or after in english.PRONOUNS
        or after in english.SHOWING
        or after in THERE
        or not after[0].isalpha()
        or after.endswith(("ed", "ing", "ly"))
        or after
        in {"lies", "sits", "rests", "stands", "occupies", "located", "appears", "count", "counts", "number", "instances"}
        or after
        in {
            "near",
            "next",
            "lie",
            "be",
            "relative",
            "close",
            "adjacent",
            "covers",
            "measures",
            "spans",
            "extends",
            "takes",
            "alone",
            "only",
        }
    )
    return not known


def _clause(words: Sequence[str], at: int) -> int:
    """Where the statement around a word begins."""
    return next((index + 1 for index in range(at - 1, -1, -1) if words[index] in BREAKS), 0)


def _denied(words: Sequence[str], clause: int, start: int, stop: int) -> bool:
    """Whether what is said around a mention is that there is none."""
    span = words[max(clause, start - SAME_CLAUSE) : start]
    if "only" in span and "not" in span:
        return False
    behind = words[stop : stop + 6]
    if behind[:2] in {("is", "not"), ("are", "not"), ("do", "not"), ("does", "not"), ("can", "not")} or behind[:1] == (
        "cannot",
    ):
        return any(word in THERE for word in behind[2:]) or behind[:1] == ("cannot",) or "appear" in behind
    if behind[:1] and behind[0] in english.BE and any(word in {"absent", "missing", "lacking"} for word in behind[1:4]):
        return True
    if behind[:2] == ("free",) or not span:
        return False
    if span[-1] in {"without", "lacks", "lacking", "nor", "neither"}:
        return True
    if span[-1] in {"of", "from"} and len(span) > 1 and span[-2] in {"lack", "absence", "devoid", "free", "none"}:
        return True
    if span[-1] == "any":
        return any(word in NEGATIONS or word.endswith("n't") or word == "cannot" for word in span)
    shown = [index for index, word in enumerate(span) if word in english.SHOWING]
    return bool(shown) and shown[-1] == len(span) - 1 and shown[-1] > 0 and span[shown[-1] - 1] in {"not", "never"}


def denial_ends(words: Sequence[str], stop: int) -> bool:
    """Whether nothing narrows down what is denied: `no ships`, `no ships are visible in the image`, but not `no ships move`."""
    for word in words[stop:]:
        if word in BREAKS or word in {",", "and", "or", "nor", ".", ")"}:
            return True
        if word in {"absent", "missing", "lacking", "not", "cannot", "from"}:
            continue
        if word not in THERE and word not in english.BE and word not in IMAGE and word not in {"sar", "infrared", "optical"}:
            return bool(parts(words[stop:])) and word not in english.SHOWING and not word.endswith(("ed", "ing"))
    return True


def _hedged(words: Sequence[str], clause: int, start: int, stop: int) -> bool:
    """Whether a word before it in the statement, or next to it, takes the claim back."""
    if any(word in HEDGES for word in words[clause:start]) or ("such" in words[clause:start] and words[start - 1] == "as"):
        return True
    for word in words[stop : stop + 5]:
        if word in BREAKS or word == ",":
            return False
        if word in HEDGES:
            return True
    return words[clause : clause + 2] == ("what", "appears") or "for" in words[max(clause, start - 3) : start]


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
        since = max((index + 1 for index in range(part.start) if words[index] in BREAKS), default=0)
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
    if any(word in _SOME for word in between):
        return "any"
    if mention.picked:
        return mention.picked
    return "some"


def meant(quantity: Quantity | None) -> Quantity:
    """A mention without a number means at least one."""
    return quantity or Quantity(1, math.inf, "")
