"""The closed word classes of English that the claim reader needs, and numbers in words.

No tagger and no grammar. The words that carry no content are few and fixed; what is in none of these sets is taken
for a content word, and where that leaves a sentence open, the reader claims nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


IMAGE = word_set(
    "image picture scene frame photo photograph tile view imagery snapshot shot chip patch area region map composition shot"
    " layout footage capture"
)
BE = word_set("is are was were be been being 's")
AUXILIARY = BE | word_set("has have had do does did can could may might will would shall should must")
PREPOSITIONS = word_set(
    "for of in on at by to from with within near along across around over under through between among amid into onto towards"
    " toward beside behind beyond past against throughout inside outside above below beneath underneath about per as than via"
    " without like including"
)
CONJUNCTIONS = word_set("and or but nor while whereas whilst although though because so yet that which who where when if")
BREAKS = word_set("but while whereas whilst although though however :")  # a new statement begins
PRONOUNS = word_set("it they them these those this that which one ones others each both all some most none there here")
# Verbs after which a picture's content is listed; they end what may stand between a number and its noun.
SHOWING = word_set(
    "show shows showing shown depict depicts depicting depicted feature features featuring contain contains containing include"
    " includes including capture captures capturing captured display displays displaying reveal reveals revealing present"
    " presents presenting showcase showcases showcasing hold holds holding see sees seeing observe observes observed spot spots"
    " spotted identify identifies identified detect detects detecting detected count counts counted counting exhibit exhibits"
    " illustrate illustrates host hosts hosting portray portrays comprise comprises comprising house houses boast boasts has"
    " have having seen find finds found note noted make makes out"
)
# What may follow a noun that stands for all of its kind: "no ships are visible", "three ships in the image".
THERE = word_set(
    "visible present seen observed detected found shown identified discernible apparent evident noticeable identifiable here"
    " anywhere appear appears appearing exist exists total altogether overall depicted captured recorded detectable displayed"
    " clearly can be made out in within throughout across the this whole entire of any at all discerned noticed recognised"
    " spotted noted counted recognized entirely completely altogether totally wholly distinguished perceived sighted "
    "encountered pictured imaged represented featured included occur occurs"
)
# Adjectives that pick nothing out.
IDLE = word_set(
    "visible distinct individual separate identifiable discernible detected noticeable different observable annotated clearly"
    " distinguishable apparent evident recognisable recognizable present actual clear such single total more or less "
    "cylindrical"
)
# What may follow a singular noun that stands for itself; after any other word it only describes that word ("car park").
FOLLOWS = AUXILIARY | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | SHOWING | THERE
FOLLOWS |= word_set(
    "lie lies sits sit rests rest stands stand occupies occupy count counts number instances near next be relative close"
    " adjacent"
    " covers measures spans extends stretches takes alone only dominates dots fills reaches faces points heads moves floats"
    " emerges stays remains forms casts creates possesses runs leads contrasts blends comes not nowhere too also just what how"
    " again then now left length lengths width diameter diameters wingspan situated isn't aren't wasn't doesn't don't itself "
    "nearby ahead afloat ashore away right directly"
    " roughly about exactly each every another any such total"
)
HEDGES = word_set(
    "may might could would should possibly perhaps probably likely unlike used elsewhere regions helps monitor say says"
    " said storyly potentially potential presumably maybe like comparison suggest"
    " suggests suggesting suggestive indicate indicates indicating indicative imply implies implying if unless whether suppose"
    " imagine hypothetical hypothetically typical typically usually often generally commonly seem seems seemingly suitable"
    " intended designed example unclear uncertain possible expected capable resemble resembles resembling reminiscent"
    " mistaken confused usual presumed assumed inferred when planned proposed future unlike formerly designated e eg ie"
    " consistent"
    " unknown characteristic allow allows allowing enable enables enabling potentially"
)
# Verbs and adjectives that draw a conclusion: what follows is the conclusion, what stands before is there.
CONCLUDING = word_set(
    "suggest suggests suggesting suggestive indicate indicates indicating indicative imply implies implying consistent"
)
NEGATIONS = word_set("no not without lacks lack lacking absence absent devoid neither nor never none n't missing zero free")

_NUMERAL = re.compile(r"[0-9]+(?:,[0-9]+)*(?:\.[0-9]+)?")
_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}")
_ONES: tuple[str, ...] = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_ONES += ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS: tuple[str, ...] = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBERS = {word: value for value, word in enumerate(_ONES)} | {word: 10 * value for value, word in enumerate(_TENS, 2)}


def number(word: str) -> float | None:
    """A single word or numeral as a number: `twelve`, `1,200`, `3.5`, `12,5`; None for what is neither."""
    if word in NUMBERS:
        return NUMBERS[word]
    if not _NUMERAL.fullmatch(word):
        return None
    return float(word.replace(",", ".") if _COMMA.fullmatch(word) else word.replace(",", ""))


def number_before(words: Sequence[str], stop: int) -> tuple[float, int] | None:
    """The number that ends just before `stop`, and where it starts: `twenty three`, `a dozen`, `two hundred and five`."""
    if stop < 1:
        return None
    last = words[stop - 1]
    if last in {"dozen", "hundred", "thousand"}:
        unit = {"dozen": 12, "hundred": 100, "thousand": 1000}[last]
        if tuple(words[max(0, stop - 3) : stop - 1]) == ("half", "a"):
            return unit / 2, stop - 3
        before = number(words[stop - 2]) if stop > 1 else None
        return (before * unit, stop - 2) if before else (unit, stop - 2 if stop > 1 and words[stop - 2] == "a" else stop - 1)
    value = number(last)
    if value is None:
        return None
    if stop > 1 and last in _ONES[1:10] and words[stop - 2] in _TENS:
        return value + NUMBERS[words[stop - 2]], stop - 2
    if stop > 3 and words[stop - 2] == "and" and words[stop - 3] == "hundred" and number(words[stop - 4]):
        return value + 100 * (number(words[stop - 4]) or 1), stop - 4
    return value, stop - 1
