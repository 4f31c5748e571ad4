"""Faults of a record that its wording shows: refusals, loops, broken encodings, tokens, malformed boxes.

Each rule is one row of a table, a name and a function from the record's texts to what is wrong; only what no careful
maker writes is a fault, so that a clean set has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rsflow.audit.records.answer_rules import find_exchange_faults
from rsflow.imports.conversation import Conversation
from rsflow.imports.label_parsing import match_phrasing
from rsflow.instructions.phrasings import HINT
from rsflow.text.control_tokens import find_control_token

_REFUSAL = re.compile(
    r"\b(?:as an ai\b|as a(?:n ai)?(?: large| text-based)? (?:language model|ai)\b|i(?:'m| am) (?:just |only )?an ai\b|"
    r"i(?:'m| am) (?:sorry|afraid|unable to|not able to)|i apologi[sz]e|i (?:cannot|can't|can not) "
    r"(?:assist|help|access|process|provide|answer|comply|fulfil|analy[sz]e|generate|"
    r"(?:see|view|open) (?:it|the|this|that|your|images?|pictures?)\b)|"
    r"i (?:cannot|can't|can not) (?:tell|determine|say|answer)[^.]{0,40} without (?:seeing|access|the (?:image|picture))|"
    r"i do(?:n't| not) have (?:access|the ability|enough information)|my (?:knowledge cutoff|training data)|"
    r"no image (?:was|has been|is) (?:provided|attached|uploaded)|there is no image attached|"
    r"please (?:upload|provide|share|attach) (?:the|an|your) (?:image|picture))",
    re.IGNORECASE,
)
_FILE = r"(?:image|picture|photo|photograph|file|input)(?: (?:file|data))?"
_USED = r"(?:load|open|read|find|fetch|retriev|decod|download|access|display|render|process)"
_NOT_LOADED = re.compile(  # what a program says in place of an answer
    rf"\b{_FILE}s? (?:(?:could not|couldn't|cannot|can't|can not) be|(?:was|were|is|has) not(?: been)?|wasn't|"
    rf"failed to(?: be)?) {_USED}(?:e?d)?\b(?! (?:as|by|with|in|from|at))|"
    rf"\b(?:failed|unable|not able|could not|couldn't) (?:to )?{_USED}e? (?:the |an? |this )?{_FILE}\b|"
    rf"\b{_FILE} (?:(?:is |was )?(?:not (?:found|available|provided)|unavailable|corrupted)|is missing)\W*$|"
    rf"^\W*(?:no {_FILE} (?:is )?(?:available|found|provided|uploaded)|{_FILE} (?:load|read)\w* error|missing {_FILE})\W*$",
    re.IGNORECASE,
)
# UTF-8 read as Latin-1 or Windows-1252, and the mark of a byte that was no text.
_MOJIBAKE = re.compile(
    "[\ufffd\u200b\u2060\ufeff\u00ad]|[ÃÂ][\u0080-\u00bf]|(?:[\u00c2-\u00df][\u0080-\u00bf]){2}|[\u00e0-\u00ef][\u0080-\u00bf]{2}|â€[\u0080-\u024f\u2018-\u203a™œ]?|ï»¿|Ã[ƒ‚…€]|\\\\u[0-9a-fA-F]{4}|&(?:amp|lt|gt|quot|nbsp|apos|#\\d+|#x[0-9a-fA-F]+);"
)
# Runs of what the bytes above 0x7F are in Latin-1 and Windows-1252.
_HIGH = re.compile("[\u0080-\u00ffŒœŠšŸŽžƒˆ˜\u2013-\u2022…‰‹›€™]{2,}")
_LOOP = re.compile(r"\b((?:\S+\s+){0,11}\S*[^\W\d_]\S*)(?:\s+\1(?!\w)){3,}", re.IGNORECASE)
_N = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
_LIST = re.compile(rf"(?<!\[)\[\s*({_N}(?:\s*,\s*{_N}){{2,}})\s*\]", re.IGNORECASE)
_SPACED = re.compile(rf"\[\s*{_N}(?:\s+{_N}){{3}}\s*\]")  # without the commas
_ANGLED = re.compile(r"\{((?:<[^<>{}]*>)+)(?:\|[^{}]*)?\}")
_TOKEN = re.compile(r"<(?:image|ImageHere)>")
_OWN = re.compile(  # what the forms themselves spell boxes and pictures with
    r"<(?:image|ImageHere)>|</?(?:ref|box|quad|p)>|<delim>|\[SEG\]|<\|/?(?:object_ref|box|quad|vision|image_pad)[a-z_]*\|>"
)

_HINT = re.compile(rf"{re.escape(HINT)}\s*$", re.IGNORECASE)
_LABELLED = re.compile(r'"label"\s*:\s*"([^"\\]+)"')

_COUNTED = ("internvl", "qwen", "qwen3")  # whose boxes the coordinate contract counts the numbers of, as those of geochat

Rule = Callable[[Conversation, list[str], str], Iterator[str]]


def _answers(texts: list[str]) -> list[str]:
    return texts[1::2]


def _refusal(conversation: Conversation, texts: list[str], form: str) -> Iterator[str]:
    for text in (answer.replace("’", "'") for answer in _answers(texts)):
        if _REFUSAL.search(text) or _NOT_LOADED.search(text):
            yield f"{text[:80]!r}"


def _mojibake(conversation: Conversation, texts: list[str], form: str) -> Iterator[str]:
    for text in texts:
        if found := _find_mojibake(text):
            yield f"{found!r} in {text[:80]!r}"


def _find_mojibake(text: str) -> str:
    """What was once UTF-8, in any script: a run of letters and signs whose bytes are that."""
    if found := _MOJIBAKE.search(text):
        return found[0]
    return next((run for run in _HIGH.findall(text) if any(_is_utf8(run, table) for table in ("latin-1", "cp1252"))), "")


def _is_utf8(run: str, table: str) -> bool:
    try:
        return len(run.encode(table).decode("utf-8")) < len(run)
    except UnicodeError:
        return False


def _loop(conversation: Conversation, texts: list[str], form: str) -> Iterator[str]:
    yield from (f"{found[1][:60]!r} stands four times in a row" for text in _answers(texts) if (found := _LOOP.search(text)))


def _control(conversation: Conversation, texts: list[str], form: str) -> Iterator[str]:
    for text in texts:
        if found := find_control_token(_OWN.sub(" ", text)):
            yield f"{found} in {text[:80]!r}"


def _tokens(conversation: Conversation, texts: list[str], form: str) -> Iterator[str]:
    count = sum(len(_TOKEN.findall(text)) for text in texts[::2])
    if answered := sum(len(_TOKEN.findall(text)) for text in _answers(texts)):
        yield f"an answer holds {answered} picture tokens, expected none"
    elif count and count != len(conversation.pictures):
        yield f"its questions hold {count} picture tokens, its pictures are {len(conversation.pictures)}"


def _boxes(conversation: Conversation, texts: list[str], form: str) -> Iterator[str]:
    """Lists that look like boxes and do not have four or eight finite numbers."""
    if form in _COUNTED:
        return
    for text in texts:
        yield from (f"{found[0]}: expected commas between its numbers" for found in _SPACED.finditer(text))
        lists = [re.split(r"\s*,\s*", found[1]) for found in _LIST.finditer(text)]
        if form == "geochat":
            lists = [re.findall(r"<([^<>]*)>", found[1]) for found in _ANGLED.finditer(text)]
        for numbers in lists:
            # "Bands [4, 3, 2]" and "[2019, 2020, 2021]" are no shares of a picture.
            whole = form != "pixels" and not re.search(r"[.a-z]", "".join(numbers), re.IGNORECASE)
            if (len(numbers) not in {4, 8} and form != "geochat" and not whole) or not all(
                re.fullmatch(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*", n) for n in numbers
            ):
                yield f"[{', '.join(numbers)}]: expected four or eight finite numbers"


RULES: dict[str, Rule] = {
    "refusal": _refusal,
    "mojibake": _mojibake,
    "loop": _loop,
    "control_token": _control,
    "picture_tokens": _tokens,
    "box_not_a_box": _boxes,
}


def find_faults(conversation: Conversation, form: str) -> Iterator[tuple[str, str]]:
    """(fault, what is wrong) of everything in the texts of a conversation."""
    texts = list(conversation.texts)
    for fault, rule in RULES.items():
        yield from ((fault, detail) for detail in rule(conversation, texts, form))
    for exchange in conversation.exchanges:
        yield from find_exchange_faults(exchange, form)


def count_picture_tokens(conversation: Conversation) -> int:
    """In the questions."""
    return sum(len(_TOKEN.findall(text)) for text in conversation.texts[::2])


def iter_named_categories(conversation: Conversation) -> Iterator[str]:
    """The categories that a record names as such: classes of its picture, and labels of boxes in JSON."""
    for exchange in conversation.exchanges:
        if match_phrasing(_HINT.sub("", exchange.question))[0] == "classification":
            yield exchange.answer.strip().rstrip(".")
        yield from _LABELLED.findall(exchange.answer)
