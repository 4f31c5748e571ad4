"""Whether an answer is of the kind that its question asks for: a number, yes or no, one of two things, a word, a statement.

Of questions for yes or no, or for a thing, those are judged whose first word shows it: "Is the ship white?" asks for yes or
no, "Where is the ship?" for a place. A question of several clauses ("What is shown, and is it urban?") or with a choice ("Is it
3 or 4?") may ask for both and is not judged, nor is one that mentions amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.audit.records.duplicate_texts import closed_answer
from rsflow.imports.conversation import Exchange
from rsflow.imports.label_parsing import match_phrasing, strip_answer_hints
from rsflow.instructions.phrasings import HINT
from rsflow.instructions.wording.english import NUMBER_WORDS

_SEVERAL = re.compile(r"[,:;\n]|[?.!]\s+\S|\b(?:and|or|whether|if)\b", re.IGNORECASE)
_CLOSED = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can (?:you|we|one) (?:see|find|identify|observe|spot|detect)|"
    r"could (?:this|it|that)|will|would|should)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:(?:in |on |at |to |from |for )?(?:what|which|whose)\b(?! if\b| about\b)|who\b|why\b|when\b|"
    r"where (?:exactly )?(?:is|are|was|were|do|does|did|can|could|in|on|within|has|have)\b|how\b|"
    r"(?:please )?(?:briefly )?(?:describe|caption|summari[sz]e|explain)\b|"
    r"(?:please )?(?:provide|give|write) (?:me )?(?:an? |the )?(?:\w+ ){0,3}(?:caption|description|summary)\b)",
    re.IGNORECASE,
)
# Open questions that no number answers.
_NUMBERLESS = re.compile(
    r"(?:who|why|where|please|briefly|describe|caption|summari[sz]e|explain|provide|give|write)\b|"
    r"(?:what|which)(?: (?:is|are) the)? (?:main |dominant |primary |most common )?"
    r"(?:types?|kinds?|sorts?|colou?rs?|shapes?|materials?|land ?(?:cover|use)s?|objects?|sides?|directions?|weather|seasons?|"
    r"textures?|patterns?|scenes?|themes?)\b(?! (?:id|ids|code|codes|number|numbers|index)\b)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\b(?:many|much|numbers?|counts?|totals?|amounts?|percent\w*|shares?|fractions?|ratios?|years?|times?|dates?|heights?|"
    r"widths?|lengths?|areas?|distances?|sizes?|levels?|scores?|ids?|codes?|index|degrees?|angles?|coordinates?)\b",
    re.IGNORECASE,
)
_INNER_QUESTION = re.compile(r"\b(?:how|what|which|where|tell|numbers?|counts?|totals?|amounts?|percent\w*)\b", re.IGNORECASE)

NUMBER = rf"\d{{1,3}}|zero|{'|'.join(NUMBER_WORDS)}"
PICTURE = (
    r"(?:\s+(?:in|on)\s+(?:this|the)\s+(?:(?:given|provided|remote sensing|satellite|aerial|sar|infrared)\s+)*"
    r"(?:image|picture|scene))?"
)
HOW_MANY = re.compile(
    r"(?:how many|what is the number of)\s+([\w /-]+?)"
    rf"(?:\s+(?:are|is)(?:\s+(?:there|visible|present|shown))?)?{PICTURE}(?:\s+(?:in total|altogether))?\s*\??",
    re.I,
)
IS_THERE = re.compile(
    rf"(?:is\s+there\s+(?:an?|any)|are\s+there(?:\s+any|\s+some)?(?!\s+(?:{NUMBER}|more|fewer|less|many|only|at|the)\b))\s+"
    rf"([\w /-]+?)(?:\s+(?:visible|present))?{PICTURE}\s*\??",
    re.I,
)
_ALL_OF = re.compile(
    rf"(?:detect|find|locate|mark|list)\s+(?:all|every|each)(?:\s+of)?(?:\s+the)?\s+([\w -]+?){PICTURE}\s*\.?", re.I
)
_OBJECTS = ("object", "objects", "target", "targets", "thing", "things")
LINKED = re.compile(r"\b(?:of|at|in|on|near|with|and|or|to|from|by)\b", re.I)
_AMOUNT = re.compile(
    rf"\d|\b(?:{'|'.join(NUMBER_WORDS)}|many|few|several|some|couple|dozens?|hundreds?|thousands?|hundred|zero|none|no|any|"
    r"lots?|numerous|multiple|more|less|about|around|between|eleven|twelve|\w+teen|twenty|thirty|\w+ty|unknown|unclear)\b",
    re.IGNORECASE,
)
_LOOSE_AMOUNT = re.compile(
    r"\b(?:an?|single|pairs?|both|not|plenty|abundan\w+|dense\w*|countless|uncountable|cannot|can't|all|only|every|each|full|"
    r"absent|present|visible)\b",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:yes|no|yeah|yep|nope|not|true|false|correct|incorrect|right|wrong|indeed|maybe|perhaps|possibly|likely|probably|"
    r"certain\w*|uncertain|unsure|absent|present|visible|sure|definitely|it is|there (?:is|are))\b",
    re.IGNORECASE,
)
_UNDECIDED = re.compile(
    r"\b(?:hard|difficult|impossible|unable|too|unanswerable|undetermined|indistinguishable|unknown|unclear|uncertain|seen|only|just)\b",
    re.IGNORECASE,
)
_EITHER = re.compile(
    r"is (?:it|this|the (?:area|image|scene|picture)) (?:an? )?(\w+)(?: \w+)? or (?:an? )?(\w+)"
    r"(?: (?:area|scene|image|region|one))?\s*\??",
    re.IGNORECASE,
)
_BARE = re.compile(r"\s*(?:yes|no|-?\d+(?:\.\d+)?)\s*[.!]?\s*", re.IGNORECASE)
_BARE_VERDICT = re.compile(
    r"(?:yes|no|yeah|yep|nope)(?:,? (?:it|there|they|this|that) (?:is|are|does|do|has|have|was|were)(?:n't| not)?)?\s*[.!]?",
    re.IGNORECASE,
)
_IS_QUESTION = re.compile(r"(?:what|where|how|which|who|is there|are there|can you|could you)\b[^.!?]*\?", re.IGNORECASE)
_HINT = re.compile(rf"{re.escape(HINT)}\s*$", re.IGNORECASE)
_ONE_WORD = re.compile(r"\b(?:single|one) word or (?:a )?(?:short )?phrase\b", re.IGNORECASE)
MAX_PHRASE_WORDS = 12


def find_wrong_answer_kinds(exchange: Exchange, form: str) -> Iterator[str]:
    """Answers of another kind than their question asks for."""
    question, closed = bare_question(exchange), closed_answer(exchange, form)
    bare = strip_answer_hints(exchange.question).strip()
    is_number = closed is not None and re.fullmatch(r"-?\d+(?:\.\d+)?", closed) is not None
    is_undecided = _UNDECIDED.search(exchange.answer) is not None
    expected = ""
    if HOW_MANY.fullmatch(question):
        expected = "a number" if not is_undecided and _is_no_amount(closed, exchange.answer, is_number) else ""
    elif IS_THERE.fullmatch(question):
        expected = "yes or no" if not is_undecided and _is_no_verdict(closed, is_number) else ""
    elif is_number and _asks_for_words(bare):
        expected = "words"
    elif is_number and _asks_yes_or_no(bare):
        expected = "yes or no"
    elif _asks_openly(bare) and _BARE_VERDICT.fullmatch(exchange.answer.strip()):
        expected = "more than yes or no"
    elif _IS_QUESTION.fullmatch(exchange.answer) and exchange.answer != exchange.question:
        expected = "no question"
    elif _ONE_WORD.search(exchange.question) and len(exchange.answer.split()) > MAX_PHRASE_WORDS:
        expected = "a word or a phrase"
    if expected:
        yield f"{exchange.question[:60]!r} asks for {expected}, its answer is {exchange.answer[:40]!r}"


def find_other_choices(exchange: Exchange, form: str) -> Iterator[str]:
    """Answers to "is it a rural or an urban area?" that are a number, or yes or no."""
    found = _EITHER.fullmatch(bare_question(exchange))
    if found and _BARE.fullmatch(exchange.answer):
        yield f"the answer {exchange.answer[:40]!r} is neither {found[1]} nor {found[2]}"


def bare_question(exchange: Exchange) -> str:
    """The question without the hint how to answer."""
    return _HINT.sub("", exchange.question).strip()


def asked_category(exchange: Exchange) -> str:
    """The category all of whose objects are asked for; empty where none is."""
    question = strip_answer_hints(exchange.question)
    kind, gaps = match_phrasing(question)
    found = _ALL_OF.fullmatch(question.strip())
    name = gaps.get("many", "") if kind == "detection_one" else found[1] if found and not kind else ""
    return "" if name.lower() in _OBJECTS else name


def read_number(text: str) -> int:
    """The value of what NUMBER finds."""
    lower = text.lower()
    return int(lower) if lower.isdecimal() else 0 if lower == "zero" else NUMBER_WORDS.index(lower)


def _is_no_amount(closed: str | None, answer: str, is_number: bool) -> bool:
    if closed is not None:
        return not _AMOUNT.search(closed) if not is_number else not closed.isdecimal()
    return not _AMOUNT.search(answer) and not _LOOSE_AMOUNT.search(answer)


def _is_no_verdict(closed: str | None, is_number: bool) -> bool:
    return is_number or (closed is not None and not _VERDICT.search(closed) and not _AMOUNT.search(closed))


def _asks_yes_or_no(question: str) -> bool:
    """Whether only yes, no or the like answers it."""
    bare = question.rstrip("?. ")
    return bool(_CLOSED.match(bare)) and not _SEVERAL.search(bare) and not _INNER_QUESTION.search(bare)


def _asks_openly(question: str) -> bool:
    """Whether neither yes nor no answers it."""
    return bool(_OPEN.match(question)) and not _SEVERAL.search(question.rstrip("?. "))


def _asks_for_words(question: str) -> bool:
    """Whether neither yes, no nor a number answers it."""
    return _asks_openly(question) and bool(_NUMBERLESS.match(question)) and not _QUANTITY.search(question)
