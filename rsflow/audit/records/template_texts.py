"""Texts that a pipeline wrote instead of an author: templates that were not filled in, prompts, code, errors, cut-off ends.

Every rule is an expression of one kind of fault; what is found is quoted. Only what no author writes about a picture is listed,
so that ordinary text has no fault. What whole sets are written with (Markdown, a system prompt in every question) is a
convention, and is compared with the rest of the set instead (rsflow.audit.records.set_rules).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.imports.conversation import Exchange

_GAP = (
    r"(?:your[ _])?(?:objects?|names?|cls|class(?:es)?|categor(?:y|ies)|labels?|captions?|descriptions?|answers?|questions?|"
    r"placeholder|locations?|colou?rs?|numbers?|counts?|texts?|phrases?|sentences?|insert [^<>\[\](){}]*|todo)"
    r"(?:[ _](?:name|here|text|\d+))*"
)
_TASK_TOKEN = re.compile(r"^\s*\[(?:refer|identify|grounding|detection|vqa|caption)\]", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    rf"\{{\{{?\s*[A-Za-z_][\w. ]*(?:![rsa])?(?::[^{{}}<>]*)?\s*\}}?\}}|\{{\s*\d*\s*\}}|\$\{{\w+\}}|\$[A-Z_]{{3,}}\b|"
    rf"(?<!\d)(?<!\d )%(?:[sdrf]\b|\([A-Za-z_]+\)[sdrf])|(?i:<{_GAP}>|\[(?:{_GAP}|answer here)\]|\(insert [^()]*\))|"
    r"_{3,}|\b__[A-Z_]+__\b|\b(?:TODO|FIXME|TBD|XXX)\b|\b(?:INSERT|ENTER) (?:[A-Z]+ )*HERE\b|(?i:\blorem ipsum\b)|"
    r"\[object Object\]|\b(?:is|are|has|have|shows?|with) (?:None|NaN|nan|NULL)\b(?! of\b)|\bare (?:undefined|null) \w+s\b"
)
_LEFTOVER = re.compile(  # tags of objects and regions that a pipeline replaces or takes out
    r"</?(?:obj(?:ect)?s?|seg|masks?|regions?|roi|phrase|grounding|entity|ent|det|bbox|points?|poly(?:gon)?|cls|target|attr|"
    r"response|output)[_ ]?\d*>",
    re.IGNORECASE,
)
_SPOKEN = (
    r"^(?:sure|certainly|of course|absolutely|okay|ok)\s*[!,.]\s|\bi hope (?:this|that) |\blet me know (?:if|whether)\b|"
    r"\bfeel free to (?:ask|let)\b|\bnote\s*:\s*(?:i|this|the (?:caption|description|answer|response))\b|\bword count\s*:"
)
_ASSISTANT = (
    r"\bas an? (?:\w+ ){0,2}assistant\b|"
    r"\byou are an? (?:\w+ ){0,4}(?:assistant|annotator|chatbot|language model)\b"
)
_DATA = r"(?:bounding boxes|annotations?|labels?|metadata|captions?|json|object list|detections?)"
_SOURCES = (
    rf"\b(?:provided|given|following|above|input) {_DATA}\b|\b{_DATA} (?:given|provided|listed|above|below)\b|"
    rf"\b(?:according to|based on|from) the (?:{_DATA})\b|\bthe metadata (?:says?|states?|shows?|indicates?)\b|"
    r"\b(?:system|user) prompt\b|\bfew-shot\b"
)
_HERE = (
    r"\bhere(?:'s| is| are) (?:the|an?|your|my) (?:\w+ ){0,3}?"
    r"(?:captions?|descriptions?|answers?|responses?|summary|rewrite|version|conversation|json|output)\b"
)
_PROMPT = re.compile(f"{_SPOKEN}|{_ASSISTANT}|{_SOURCES}|{_HERE}", re.IGNORECASE)
_ASKED_PROMPT = re.compile(f"{_ASSISTANT}|{_SOURCES}", re.IGNORECASE)
_PROGRAM = re.compile(
    r"</?(?:br|div|span|b|i|u|em|strong|html|body|table|td|tr|li|ul|ol|h[1-6]|a|code|pre|su[bp]|script|style)\b[^<>]*>|"
    r"\\(?:n(?!u\b|eq|abla|ot)|t(?!heta|au|imes|ext|o\b)|r(?!ho|ight|m\b))|\\[\"']|https?://|\bwww\.\w|(?:^|\s)(?:/[\w.-]+){2,}|\b[A-Z]:\\\w|"
    r"\b[\w-]+\.(?:png|jpe?g|tiff?|json|xml|txt|csv|npy)\b|[A-Za-z]%[0-9A-F]{2}[A-Za-z]|"
    r"\['[^'\]]*'(?:, ?'[^'\]]*')*\]|\{'\w+':|\b(?:array|tensor|dict_keys|Counter|OrderedDict|Timestamp)\([\[\d{]|"
    r"<[\w.]+ object at 0x|\bTraceback \(most recent|\b[A-Z]\w+(?:Error|Exception):|(?i:\bcuda out of memory\b|"
    r"\btoo many requests\b|\brate limit (?:reached|exceeded)\b|\binternal server error\b|\bcontent policy\b|"
    r"\bconnection (?:reset|refused)\b|\brequest timed out\b)"
)
_FENCED = re.compile(r"\s*```(?:json)?\s*[\[{].*[\]}]\s*```\s*", re.DOTALL)  # Qwen's models answer with it
_MARKDOWN = re.compile(r"\*\*[^*\n]+\*\*|^#{1,4} (?!Assistant|Human|User|Instruction|Response|System)\w|```", re.MULTILINE)
_OPEN_WORD = (
    r"(?:and|or|with|of|the|an?|to|in|on|at|from|by|for|is|are|which|that|near|between|its|their|this|these|as|has|have|into|"
    r"(?:an?|the) (?:large|small|big|long|wide|few|green|blue|red|white|dark|bright|dense|narrow|single|several))"
)
_OPEN_END = re.compile(rf"(?:,|\(|\w-|\b{_OPEN_WORD})$", re.IGNORECASE)
_STRANDED = re.compile(r"\b(?:of|to|in|on|at|from|by|for|with|into|near|between|is|are|as|has|have)$", re.IGNORECASE)
_INVERTED = re.compile(  # sentences that may end with a preposition or a verb
    r"^\W*(?:what|which|who|whom|whose|where|when|why|how|is|are|was|were|do|does|did|can|could|has|have|had|will|would|should)\b|"
    r"\b(?:that|which|who|whom|what|where|how)\b",
    re.IGNORECASE,
)
_GENITIVE = re.compile(r"\b(?:numbers?|amount|names?|types?|colou?r|size|area|category) of$", re.IGNORECASE)
JSON_FORMS = ("qwen", "qwen3")
MIN_WORDS = 3  # of a text whose last word is judged


def find_placeholders(exchange: Exchange, form: str) -> Iterator[str]:
    """Gaps of templates: `{category}`, `%s`, `[OBJECT]`, `<class_name>`, `____`, and the empty values of programs."""
    for text in (exchange.question, exchange.answer):
        if found := _PLACEHOLDER.search(_TASK_TOKEN.sub("", text)):
            yield f"{found[0]!r} in {text[:80]!r}"
    if found := _LEFTOVER.search(exchange.answer):
        yield f"{found[0]!r} in {exchange.answer[:80]!r}"


def find_prompt_texts(exchange: Exchange, form: str) -> Iterator[str]:
    """Answers that mention their prompt or the data they were written from, or address the person who asked."""
    if found := _PROMPT.search(exchange.answer.replace("’", "'")):
        yield f"{found[0].strip()!r} in {exchange.answer[:80]!r}"


def find_program_texts(exchange: Exchange, form: str) -> Iterator[str]:
    """Markup, escapes, addresses, paths, printed values and error messages."""
    for text in (exchange.question, exchange.answer):
        if found := _PROGRAM.search(text):
            yield f"{found[0].strip()!r} in {text[:80]!r}"
    if "```" in exchange.answer and form not in JSON_FORMS:
        yield f"a block of code in {exchange.answer[:80]!r}"


def find_cut_texts(exchange: Exchange, form: str) -> Iterator[str]:
    """Texts that end with a word or a sign after which something must follow."""
    for text in (exchange.question, exchange.answer):
        if len(text.split()) >= MIN_WORDS and (found := _OPEN_END.search(text.rstrip())) and not _may_end(text.rstrip()):
            yield f"ends with {found[0]!r}: {text[-80:]!r}"


def _may_end(text: str) -> bool:
    """Whether a sentence ends well with a preposition or a verb: "What is the runway made of"."""
    return bool(_STRANDED.search(text) and _INVERTED.search(text)) and not _GENITIVE.search(text)


def has_prompt(question: str) -> bool:
    """Whether a question begins with instructions to a model, which may be the convention of a set."""
    return _ASKED_PROMPT.search(question) is not None


def has_markdown(answer: str) -> bool:
    return _FENCED.fullmatch(answer) is None and _MARKDOWN.search(answer) is not None
