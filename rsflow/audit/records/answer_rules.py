"""Faults of a question and its answer: options that are not kept to, echoes, roles in the text.

Every rule is a row of ANSWER_RULES: a name and a function from one exchange to what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rsflow.audit.records.answer_kinds import find_other_choices, find_wrong_answer_kinds
from rsflow.audit.records.box_texts import find_broken_objects, find_foreign_boxes, find_missing_boxes
from rsflow.audit.records.stated_counts import find_contradictions, find_miscounts
from rsflow.audit.records.template_texts import find_cut_texts, find_placeholders, find_program_texts, find_prompt_texts
from rsflow.imports.box_formats import find_boxes
from rsflow.imports.conversation import Exchange

_LABELLED = re.compile(r"(?:^|[\n(\s,;])\(?([A-H])[.):]\)?\s+(.+?)(?=[\s,;]+\(?[A-H][.):]\)?\s|\n|$)", re.DOTALL)
_LETTER = re.compile(
    r"(?i:(?:the\s+)?(?:(?:correct\s+)?(?:answer|option|choice)\s*(?:is|:)?\s*)?)\(?([A-Z])(?:[.):]\)?\s*(.*)|\s*)", re.DOTALL
)
_LETTERS = re.compile(  # of questions with several right options
    r"(?i:(?:the\s+)?(?:(?:correct\s+)?(?:answers?|options?|choices?)\s*(?:are|is|:)?\s*)?)"
    r"\(?[A-Z]\)?(?:(?:[\s,;&/+]|\band\b)*\(?[A-Z]\)?)+"
)
_ALL_OR_NONE = re.compile(r"(?:none|all|both|neither|any)(?: (?:of|are)\b.*)?", re.IGNORECASE | re.DOTALL)
_LISTED = re.compile(
    r"(?:(?:choose|select|pick|classify)\b[^:?]{0,80}|\b(?:options|classes|categories|choices)(?: are)?)\s*:\s*([^\n.?]+)",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"\s*(?:n/?a|null|nan|undefined|nil|<?unk>?|error[:!]?.*)\s*\.?\s*", re.IGNORECASE)
_ROLE = re.compile(
    r"(?:^|\n|[.!?]\s)\s*(?:###\s*)?(?:USER|User|ASSISTANT|Assistant|Human|HUMAN|GPT|SYSTEM|Instruction|Response)\s*:"
)
_FIELD = re.compile(
    r"(?:^|\n|[.!?]\s)\s*(?:Question|Answer|Caption|Output|Input|Prompt|Context|Q|A)\s*:|^(?:system|user|assistant)\n"
)
_CHARACTERS = re.compile(r"([^\W\d_]|[!?,;])\1{7,}")
_PAIRS = (
    *(("[", "]"), ("{", "}"), ("<box>", "</box>"), ("<ref>", "</ref>"), ("<p>", "</p>"), ("<quad>", "</quad>")),
    *(("<|box_start|>", "<|box_end|>"), ("<|object_ref_start|>", "<|object_ref_end|>")),
)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")  # a fault of its own (control_token)
_BETWEEN = re.compile(r"[\s,;\[\]]*")
_ANSWERED = re.compile(r"(?:\?\s+(?:answer\s*:\s*)?|\banswer\s*:\s*)([^?]+)$", re.IGNORECASE)
SHORT_WORDS = 8  # of an answer that names an option; a longer one may discuss several

Rule = Callable[[Exchange, str], Iterator[str]]


def _empty(exchange: Exchange, form: str) -> Iterator[str]:
    if not any(c.isalnum() for c in exchange.question):
        yield f"the question is {exchange.question[:40]!r}"
    if not any(c.isalnum() for c in exchange.answer) or _NOTHING.fullmatch(exchange.answer):
        yield f"the answer is {exchange.answer[:40]!r}"


def _role(exchange: Exchange, form: str) -> Iterator[str]:
    for text in (exchange.question, exchange.answer):
        if found := _ROLE.search(text):
            yield f"{found[0].strip()!r} in {text[:80]!r}"
    if found := _FIELD.search(exchange.answer):
        yield f"{found[0].strip()!r} in {exchange.answer[:80]!r}"


def _echo(exchange: Exchange, form: str) -> Iterator[str]:
    answer = _normalise(exchange.answer)
    question = _normalise(exchange.question)
    if len(answer.split()) > 2 and (answer == question or (len(question.split()) > 3 and answer.startswith(f"{question} "))):
        yield f"{exchange.answer[:80]!r} answers itself"
    ended = _ANSWERED.search(exchange.question)
    if ended and answer and _normalise(ended[1]) == answer:
        yield f"{exchange.question[-80:]!r} holds its answer"


def _loop(exchange: Exchange, form: str) -> Iterator[str]:
    if found := _CHARACTERS.search(exchange.answer):
        yield f"{found[1]!r} stands {len(found[0])} times in a row"


def _unbalanced(exchange: Exchange, form: str) -> Iterator[str]:
    for text in (_ANSI.sub("", text) for text in (exchange.question, exchange.answer)):
        for begin, end in _PAIRS:
            if text.count(begin) != text.count(end):
                yield f"{text.count(begin)} {begin} and {text.count(end)} {end} in {text[-80:]!r}"


def _options(exchange: Exchange, form: str) -> Iterator[str]:
    options = labelled_options(exchange.question)
    if _ALL_OR_NONE.fullmatch(exchange.answer.strip().rstrip(".")):
        return
    if options:
        yield from _of_letters(options, exchange.answer)
        return
    listed = listed_options(exchange.question)
    short = len(exchange.answer.split()) <= SHORT_WORDS
    if listed and short and not any(_matches(exchange.answer, one) for one in listed):
        yield f"the answer {exchange.answer[:40]!r} is none of {', '.join(listed)[:80]}"


def _of_letters(options: list[tuple[str, str]], answer: str) -> Iterator[str]:
    letters = [letter for letter, _ in options]
    texts = [_normalise(text) for _, text in options]
    if letters != sorted(set(letters)) or len(set(texts)) < len(texts):
        yield f"its options are {', '.join(f'{letter}. {text}' for letter, text in options)[:120]}"
        return
    if len(answer.split()) > SHORT_WORDS:
        return
    found = _LETTER.fullmatch(answer.strip().rstrip("."))
    if found is None:
        several = _LETTERS.fullmatch(answer.strip().rstrip("."))
        if not (several and set(re.findall(r"\b[A-Z]\b|[A-Z](?=[A-Z]|$)", several[0])) <= set(letters)) and not any(
            _matches(answer, text) for text in texts
        ):
            yield f"the answer {answer[:40]!r} is none of its options {', '.join(texts)[:80]}"
    elif found[1] not in letters:
        yield f"the answer is {found[1]}, its options are {', '.join(letters)}"
    elif (
        (rest := _normalise(found[2] or ""))
        and not _matches(rest, dict(options)[found[1]])
        and any(_matches(rest, t) for t in texts)
    ):
        yield f"the answer is {answer[:40]!r}, option {found[1]} is {dict(options)[found[1]]!r}"


def labelled_options(question: str) -> list[tuple[str, str]]:
    """(letter, text) of options such as "A. port B. airport", from A on; none where there are not two at least."""
    found = [(letter, text.strip().rstrip(".,;")) for letter, text in _LABELLED.findall(question)]
    return found if len(found) > 1 and found[0][0] == "A" and len({letter for letter, _ in found}) > 1 else []


def listed_options(question: str) -> list[str]:
    """The options of "Choose one of: port, airport, farmland."; none where there are not three at least."""
    found = _LISTED.search(question)
    options = [part.strip(" '\"[]()") for part in re.split(r",|;|\bor\b|\band\b", found[1])] if found else []
    options = [option for option in options if option]
    return options if len(options) > 2 and all(len(option.split()) <= 4 for option in options) else []


def _repeated_box(exchange: Exchange, form: str) -> Iterator[str]:
    """One box twice in a row: in a list, not where a sentence points at one object again."""
    end = -1
    before: tuple[float, ...] = ()
    for box in find_boxes(exchange.answer, form):
        start = exchange.answer.find(box.text.strip("[]"), max(end, 0))
        if end >= 0 and box.numbers == before and _BETWEEN.fullmatch(exchange.answer[end:start]):
            yield f"{box.text[:60]} stands twice in a row"
        end, before = start + len(box.text.strip("[]")), box.numbers


ANSWER_RULES: dict[str, tuple[Rule, ...]] = {
    "answer_contradicts_itself": (find_contradictions,),
    "answer_not_an_option": (_options, find_other_choices),
    "answer_of_other_kind": (find_wrong_answer_kinds,),
    "box_missing": (find_missing_boxes,),
    "box_not_a_box": (find_broken_objects,),
    "count_differs": (find_miscounts,),
    "cut_text": (find_cut_texts,),
    "echo": (_echo,),
    "empty_text": (_empty,),
    "foreign_box": (find_foreign_boxes,),
    "loop": (_loop,),
    "placeholder": (find_placeholders,),
    "program_text": (find_program_texts,),
    "prompt_text": (find_prompt_texts,),
    "repeated_box": (_repeated_box,),
    "role_marker": (_role,),
    "unbalanced_marks": (_unbalanced,),
}


def find_exchange_faults(exchange: Exchange, form: str) -> Iterator[tuple[str, str]]:
    """(fault, what is wrong) of one question and its answer."""
    for fault, rules in ANSWER_RULES.items():
        yield from ((fault, detail) for rule in rules for detail in rule(exchange, form))


def _normalise(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _matches(answer: str, option: str) -> bool:
    """Whether an answer names an option: equal words, or the option among them; both in singular or plural alike."""
    one, other = _normalise(answer), _normalise(option)
    return bool(other) and (
        one == other or f" {other} " in f" {one} " or one.rstrip("s") == other.rstrip("s") or f" {one} " in f" {other} "
    )
