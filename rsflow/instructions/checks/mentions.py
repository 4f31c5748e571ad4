"""Claims as free English makes them: which things a sentence speaks of, how many, where, and whether it says so at all.

A noun that the lexicon knows is an anchor, and the claim is read outwards from it: to the left its number and
adjectives, to the right what narrows it down; negation and hedging from the clause around it; places from the sentence in the
order in which they are said. Each step that stays open weakens the claim: adjectives that pick some out make a number the
least, a hedge makes it no claim, and a noun that only modifies another ("car park") is no mention.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from rsflow.instructions.checks import english, quantities
from rsflow.instructions.checks.amounts import arranged
from rsflow.instructions.checks.english import BREAKS, CONCLUDING, HEDGES, word_set
from rsflow.instructions.checks.lexicon import Entry, Lexicon
from rsflow.instructions.checks.mention import SUPERLATIVES, Mention
from rsflow.instructions.checks.negation import Stance, denial_ends, stance
from rsflow.instructions.checks.place_phrases import placed
from rsflow.instructions.checks.pronouns import pronouns
from rsflow.instructions.checks.sentences import Sentence
from rsflow.instructions.checks.subset_phrases import narrowed

ARRANGED = 14  # words behind a noun in which its rows and columns may be told
_AFTER_VERB = english.PREPOSITIONS | word_set("a an the its up out down off roughly about") | english.NUMBERS.keys()
_AS = word_set("classified identified described recognised recognized mapped")
_LOOKING = word_set("look zoom examine compared seen viewed looking")
_DEFINITE = word_set("the all both these those each every its")
_WOULD = word_set("would could might")
_NOBODY = word_set("none neither nobody nothing")
_WITHIN_DENIAL = BREAKS | {",", "and", "or", "nor", "&", "/", ";", "("}
_LIKE = word_set("like resembling resemble resembles as than type kind")


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
    return tuple(placed(_together(pronouns(found)), sentence))


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
    if before.quantity and words[stop + 2 : stop + 4] == ("of", "them"):
        after = None  # "three ships, two of them small"
    clause = max([since, *(index + 1 for index in range(since, start) if words[index] in BREAKS)])
    until = min([until, *(index for index in range(stop, until) if words[index] in BREAKS)])
    said = "denied" if before.determiner == "no" else stance(words, clause, before.start, stop, until)
    quantity = after or before.quantity
    if said == "open" and words[before.start - 1 : before.start] == ("not",) and quantity and quantity.most == 1:
        said = "denied"
    statement = _clause(words, start)
    some = narrowed(words, clause, statement, before, quantity, stop)
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
        hedged=said == "open"
        or (alike and said == "said")
        or _supposed(words, start, quantity is not None)
        or _hedged(words, statement, start, stop, said),
        narrowed=some or (said == "denied" and not lack and not denial_ends(words, stop)),
        picked=next(
            (SUPERLATIVES[word] for word in (*before.adjectives, *_of_the(words, before.start)) if word in SUPERLATIVES), ""
        ),
        portion=before.portion,
        arranged=arranged(words[stop : stop + ARRANGED]) if entry.plural else None,
    )


def _of_the(words: Sequence[str], start: int) -> Sequence[str]:
    """The word before "of the": `the largest of the planes`."""
    return words[start - 2 : start - 1] if start > 1 and words[start - 1] == "of" else ()


def _supposed(words: Sequence[str], start: int, counted: bool) -> bool:
    """Whether the sentence opens with a comparison or a supposition that holds the noun: `without ships, the sea would`,
    `compared with a port of 40 tanks`."""
    if "," in words[:start] or "," not in words:
        return False
    return (words[0] == "without" and not _WOULD.isdisjoint(words)) or (counted and words[0] in {"compared", "unlike"})


def _example(words: Sequence[str], start: int, stop: int) -> bool:
    """Whether a noun stands for a likeness or an example alone: `such as ships`, but not `such as ships are visible`."""
    named = start > 1 and words[start - 2] in _AS
    there = len(words) > stop + 1 and words[stop] in english.BE and words[stop + 1] in english.THERE
    many = words[start - 1 : start + 1] == ("as", "many")
    return start > 0 and words[start - 1] in _LIKE and not named and not there and not many


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
        if word in HEDGES and word not in CONCLUDING:
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
    if word == "typical" and after[:1] not in {("of",), ("for",), ("in",)}:
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
            if last.denied and between in {("such", "as"), ("like",)}:
                mention = replace(mention, denied=True, hedged=False, narrowed=last.narrowed or mention.narrowed)
            elif joined and last.denied:
                mention = replace(mention, denied=True, narrowed=last.narrowed or mention.narrowed)
                if not last.narrowed or last.stop + len(between) == mention.start:
                    result[-1] = replace(last, narrowed=mention.narrowed)
            elif _WITHIN_DENIAL.isdisjoint(between) and (
                last.denied or _NOBODY.intersection(mention.sentence.words[: last.start])
            ):
                mention = replace(mention, hedged=mention.hedged or not mention.denied)  # "none of the people rides a bicycle"
            elif between == ("and",) and mention.quantity is None and last.quantity and last.quantity.words == "both":
                result[-1] = replace(last, quantity=None)
            elif between in {("and",), ("or",), ("/",), ("&",)} and mention.quantity is None and last.quantity:
                result[-1] = replace(last, quantity=None, hedged=True)
                mention = replace(mention, hedged=True)
        result.append(mention)
    return result
