"""Numbers that an answer states, against the boxes that it gives and against each other.

Only claims that can mean one thing are compared. A number counts boxes where it stands before a noun and the boxes
follow with nothing but connecting words between; "three of them, one at [...]" is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.audit.records.answer_kinds import HOW_MANY, IS_THERE, LINKED, NUMBER, PICTURE, bare_question, read_number
from rsflow.imports.box_formats import find_boxes
from rsflow.imports.conversation import Exchange
from rsflow.instructions.wording.english import singular_form, singular_noun

_FOUR = r"\s*-?[\d.eE+-]+\s*(?:,\s*-?[\d.eE+-]+\s*)+"
OWN_BOXES: dict[str, re.Pattern[str]] = {
    "geochat": re.compile(r"\{\s*(?:<[^<>]*>\s*)+(?:\|[^{}]*)?\}"),
    "internvl": re.compile(r"<box>.*?</box>", re.DOTALL),
    "qwen2": re.compile(r"<\|box_start\|>.*?<\|box_end\|>", re.DOTALL),
    **dict.fromkeys(("qwen", "qwen3"), re.compile(r'\{[^{}]*"bbox_2d"[^{}]*\}')),
    **dict.fromkeys(("lisa", "llava", "mmrs", "pixels"), re.compile(rf"\[{_FOUR}(?:;{_FOUR})*\]")),
}
_TAGS = re.compile(r"</?(?:p|ref)>|<\|object_ref_(?:start|end)\|>|<delim>")
_BEFORE = r"(?:^|[.!?:;,\n]\s*|\b(?:is|are|were|and|with|has|have|sees?|shows?|contains?|includes?|found|detect(?:ed)?)\s+)"
_BETWEEN = (
    r"(?:[\s.,:;()\[\]]|\b(?:in|on|at|the|this|here|of|image|picture|scene|remote|sensing|satellite|aerial|shown|visible|"
    r"present|found|detected|and|they|their|them|these|is|are|located|locations?|positions?|coordinates?|horizontal|oriented|"
    r"bounding|box|boxes|given|by|as|follows|following|below)\b)*"
)
_STATED_NUMBER = re.compile(
    rf"{_BEFORE}({NUMBER})\s+((?:[^\W\d_][\w/-]*\s+){{0,3}}?[^\W\d_][\w/-]*)\s*{_BETWEEN}\s*"
    r"(\0(?:[\s,;\[\]]*(?:\band\b)?[\s,;\[\]]*\0)*)",
    re.IGNORECASE,
)
_NONE = ("no", "zero", "0", "not any", "not a", "none")
_FIRST_NUMBER = re.compile(rf"({NUMBER})\b(?!\s+(?:of|or|to)\b)", re.IGNORECASE)
_VERDICT = re.compile(
    r"(?P<verdict>yes|no)\b[\s,.;:!]+(?:(?:there (?:is|are)|i (?:can )?see) (?:only )?)?"
    rf"(?:(?P<amount>not any|not a|none|{NUMBER}|an?|some|several|many|a few) (?P<noun>[a-z][\w -]*))?",
    re.IGNORECASE,
)
_BOTH = re.compile(r"(?:yes\W+(?:and )?no|no\W+(?:and )?yes)\W*", re.IGNORECASE)
_SOME = re.compile(rf"\bthere (?:is|are) ({NUMBER}|an?|some|several|many) ([a-z][a-z-]*)", re.IGNORECASE)
_IN_FIGURES = re.compile(rf"\b({NUMBER}) \((\d{{1,3}})\)", re.IGNORECASE)
_PART_COUNT = re.compile(rf"(?:^|,|\band)\s*({NUMBER}) [a-z]", re.IGNORECASE)
# What the parts may be kinds of; "two rows: ..." and "2 May: ..." are no totals.
_TOTALLED = (
    r"(?:vehicles|cars|trucks|vessels|ships|boats|aircraft|airplanes|planes|helicopters|buildings|houses|structures|courts|tanks|"
    r"objects|targets|instances|items)"
)
_SUM = re.compile(
    rf"(?:^|(?<=[.!?])\s+|\b(?:there (?:is|are)|shows?|contains?|has)\s+)({NUMBER}) "
    rf"(?:(?!(?:of|in|on|with|for)\b)[a-z][\w-]* ){{0,2}}?{_TOTALLED},?\s*"
    r"(?P<how>:|namely|consisting of|made up of|including)"
    rf"(?P<parts>\s*(?:{NUMBER}) [\w -]+?(?:(?:, and|,| and) (?:{NUMBER}) [\w -]+?)+)(?=[.;]|$)",
    re.IGNORECASE,
)
_IT_IS_AT = re.compile(r"no\b(?:\W|\b(?:it|they|is|are|at|in|on|the|located|here|position|box)\b)*", re.IGNORECASE)
_WHOLE = re.compile(
    rf"(?:there (?:is|are)|(?:the|this) (?:image|picture|scene) (?:shows|contains|has))\s+({NUMBER})\s+"
    rf"([a-z][a-z-]*(?: [a-z][a-z-]*)?)(?: (?:visible|present))?{PICTURE}[.!;]?",
    re.IGNORECASE,
)


def find_miscounts(exchange: Exchange, form: str) -> Iterator[str]:
    """Answers that say another number than they give boxes: "There are 3 ships" before two, "3. They are at" before two."""
    answer = exchange.answer
    for number, name, given in find_stated_counts(answer, form):
        if number != given:
            yield f"says {number} {name} and gives {given}: {answer[:80]!r}"
    first = _FIRST_NUMBER.match(answer) if HOW_MANY.fullmatch(bare_question(exchange)) else None
    given = sum(1 for _ in find_boxes(answer, form)) if first else 0
    if first and given and given != read_number(first[1]):
        yield f"says {first[1]} and gives {given} boxes: {answer[:80]!r}"


def find_contradictions(exchange: Exchange, form: str) -> Iterator[str]:
    """Answers that affirm and deny one thing, or say two numbers of it."""
    answer = exchange.answer.strip()
    asked = IS_THERE.fullmatch(bare_question(exchange))
    found = _VERDICT.match(answer) if asked else None
    if found and asked:
        denies = found["verdict"].lower() == "no"
        is_same = not found["noun"] or _is_named(asked[1], found["noun"])
        is_none = found["amount"] is not None and found["amount"].lower() in _NONE
        if (found["amount"] and is_same and is_none != denies) or (denies and _gives_place(answer, form)):
            yield f"{exchange.question[:60]!r}: {answer[:80]!r}"
    if _BOTH.fullmatch(answer):
        yield f"{exchange.question[:60]!r}: {answer[:80]!r}"
    yield from _two_numbers(answer)


def _gives_place(answer: str, form: str) -> bool:
    """Whether a box follows with no other noun before it: "No, it is at [...]", not "No, but there is a ship at [...]"."""
    first = next(iter(find_boxes(answer, form)), None)
    return first is not None and _IT_IS_AT.fullmatch(OWN_BOXES[form].split(answer, maxsplit=1)[0]) is not None


def _two_numbers(answer: str) -> Iterator[str]:
    for word, digits in _IN_FIGURES.findall(answer):
        if read_number(word) != int(digits):
            yield f"{word} ({digits}) in {answer[:80]!r}"
    for found in _SUM.finditer(answer):
        total, parts = read_number(found[1]), [read_number(part) for part in _PART_COUNT.findall(found["parts"])]
        if len(parts) > 1 and (sum(parts) > total if found["how"].lower() == "including" else sum(parts) != total):
            yield f"{' + '.join(map(str, parts))} is not {total}: {found[0][:80]!r}"
    counts: dict[str, int] = {}
    for number, name in find_whole_counts(answer):
        if counts.setdefault(singular_noun(name) or name, number) != number:
            yield f"{counts[singular_noun(name) or name]} and {number} {name} in {answer[:80]!r}"
    for amount, name in _SOME.findall(answer):
        if counts.get(singular_noun(name) or name) == 0 and amount.lower() not in _NONE:
            yield f"no {name} and {amount} {name} in {answer[:80]!r}"


def find_whole_counts(text: str) -> Iterator[tuple[int, str]]:
    """(number, noun) of sentences that say only how many of something there are in the picture."""
    for sentence in re.split(r"(?<=[.!?;])\s+", text):
        if found := _WHOLE.fullmatch(sentence):
            yield read_number(found[1]), found[2]


def find_stated_counts(text: str, form: str) -> Iterator[tuple[int, str, int]]:
    """(stated number, noun, boxes that follow) for every counted noun that is followed by boxes."""
    bare = _TAGS.sub(" ", OWN_BOXES[form].sub(lambda found: "\0" * sum(1 for _ in find_boxes(found[0], form)), text))
    for found in _STATED_NUMBER.finditer(bare) if "\0" in bare else ():
        number = read_number(found[1])
        # "3 storey building" counts no buildings, and "2 lanes of cars" no cars.
        if (number == 1 or _is_plural(found[2])) and not LINKED.search(found[2]):
            yield number, found[2], found[3].count("\0")


def _is_plural(words: str) -> bool:
    last = words.split()[-1].lower()
    return singular_form(last) != last


def _is_named(asked: str, noun: str) -> bool:
    """Whether the words of an answer begin with what was asked for: "ships moored" for "ship"."""
    one = singular_noun(asked) or asked
    return any((singular_noun(" ".join(noun.split()[:count])) or "").casefold() == one.casefold() for count in (1, 2, 3))
