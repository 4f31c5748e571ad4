"""Questions and answers of an instruction set as labels: the task of a wording, and what it states about the picture.

The seeds' tasks are known by their wording, and our own phrasings begin with the seeds' (rsflow.instructions.
phrasings), so one table of templates, turned around, recognises both: "Detect ships shown in the image ..." gives the words
that fill its gaps. A wording that matches no template is a question with its answer.

Boxes are converted into pixels by the dialect that wrote them, on the picture's true size, which undoes the padded square. A
box that cannot be parsed is refused (`boxes_in_text`), never kept as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.annotations.parsing.oriented_boxes import check_corner_order, ring_bounds
from rsflow.annotations.parsing.shapes import make_shape
from rsflow.dialects import Dialect
from rsflow.errors import DataError
from rsflow.imports.box_formats import Size
from rsflow.imports.conversation import Exchange
from rsflow.instructions.phrasings import HINT, PHRASINGS
from rsflow.instructions.wording import english
from rsflow.records import Label, Provenance, Shape
from rsflow.spatial.geometry import Region
from rsflow.text.turns import marks, replace_marks

# In this order: "all objects" would do for the words in the gap of a question about one category.
QUESTION_KINDS = ("classification", "captioning", "grounding", "region_captioning", "detection_all", "detection_one")

_GAP = re.compile(r"\\\{(\w+)\\\}")
_COUNT = re.compile(r"^(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|no)\s+", re.IGNORECASE)
# Task tokens of GeoChat and the hints how to answer, ours and those of LLaVA and its kin, are removed: a build writes its own.
_FORM = re.compile(
    r"^\s*\[(?:refer|identify|grounding|vqa|caption)\]\s*|"
    r"\s*(?:Please\s+)?answer(?: the question)? (?:using|with|in) (?:a|one) (?:single )?word or (?:a )?(?:short )?"
    r"phrase\.?\s*$",
    re.IGNORECASE,
)
_THERE = re.compile(r"There (?:is|are) ([^\[\]|.]+?)\s*\[\[\|", re.IGNORECASE)
_CATEGORY_PREFIX = re.compile(r"^(?:its category is|it is mostly)\s+", re.IGNORECASE)


def _templates(kind: str) -> list[re.Pattern[str]]:
    """The phrasings of a kind as expressions, with any number of blanks where a phrasing has some."""
    found = []
    for phrasing in PHRASINGS[kind]:
        text = _GAP.sub(lambda gap: f"(?P<{gap[1]}>.+?)", re.escape(phrasing.removesuffix(HINT)))
        loose = re.sub(r"(?:\\ )+", r"\\s*", text)
        found.append(re.compile(rf"\s*{loose}\s*[.?]?\s*", re.IGNORECASE | re.DOTALL))
    return found


def _wrappers() -> list[re.Pattern[str]]:
    """Our phrasings around an existing question: words before it, after it, or both."""
    found = []
    for phrasing in PHRASINGS["question"]:
        before, after = (re.sub(r"(?:\\ )+", r"\\s*", re.escape(part)) for part in phrasing.split("{question}"))
        found.append(re.compile(rf"\s*{before}(.+?){after}\s*", re.IGNORECASE | re.DOTALL))
    return found


_WRAPPERS = _wrappers()
_KNOWN = {kind: _templates(kind) for kind in QUESTION_KINDS}


def parse_labels(exchange: Exchange, dialect: Dialect, size: Size, provenance: Provenance) -> Iterator[Label]:
    """The labels of one exchange on a picture of this size (rows, columns). DataError `boxes_in_text` or `box_outside`."""
    question, boxes = dialect.parse(strip_answer_hints(exchange.question), *size)
    answer, found = dialect.parse(exchange.answer, *size)
    kind, gaps = match_phrasing(question)
    if kind == "classification":
        yield Label("category", _CATEGORY_PREFIX.sub("", answer).strip().rstrip("."), provenance)
    elif kind == "captioning":
        yield Label("caption", "", provenance, text=answer)
    elif kind == "grounding":
        yield _phrase(gaps["phrase"], found, size, provenance)
    elif kind == "region_captioning":
        yield _phrase(answer.rstrip("."), boxes, size, provenance)
    elif kind in {"detection_one", "detection_all"}:
        yield from _objects(answer, found, size, provenance)
    elif boxes or found:
        raise DataError(
            "boxes_in_text", f"{exchange.question[:80]!r} is asked or answered with a place, in a wording that is not known"
        )
    else:
        yield Label("question", answer.strip().rstrip("."), provenance, text=question.strip())


def strip_answer_hints(question: str) -> str:
    """The question alone, without the hints that rsflow and others put around it, however often they were put there."""
    bare = _FORM.sub("", question)
    for wrapper in _WRAPPERS:
        if match := wrapper.fullmatch(bare):
            bare = match[1].strip()
    return bare if bare == question else strip_answer_hints(bare)


def lists_all_objects(exchange: Exchange) -> bool:
    """Whether the answer lists every object of the picture, so that a category it does not name is absent."""
    return match_phrasing(strip_answer_hints(exchange.question))[0] == "detection_all"


def match_phrasing(question: str) -> tuple[str, dict[str, str]]:
    """The kind of a question (marks for its boxes) and the words in its template's gaps; an empty kind where none fits."""
    bare = replace_marks(question, lambda _: "\0")
    for kind, templates in _KNOWN.items():
        for template in templates:
            if match := template.fullmatch(bare):
                return kind, {gap: text.strip() for gap, text in match.groupdict().items()}
    return "", {}


def _phrase(text: str, boxes: list[Region], size: Size, provenance: Provenance) -> Label:
    if len(boxes) != 1:
        raise DataError("boxes_in_text", f"{text[:80]!r} has {len(boxes)} boxes, expected one")
    phrase = replace_marks(text, lambda found: found.phrase).strip()
    head = english.singular_form(re.sub(r"^(?:the|an?)\s+", "", phrase, flags=re.IGNORECASE).split(" ")[-1]) if phrase else ""
    return Label("phrase", head, provenance, _shape(boxes[0], size), text=phrase)


def _objects(answer: str, boxes: list[Region], size: Size, provenance: Provenance) -> Iterator[Label]:
    # LLaVA and Qwen delimit no phrase: it is what stands between "There are" and its boxes.
    for found in marks(_THERE.sub(r"[[\1|", answer)):
        category = english.singular_form(_COUNT.sub("", found.phrase))
        if not category:
            raise DataError("boxes_in_text", f"{answer[:80]!r} does not say what its boxes are")
        for index in found.boxes:
            yield Label("box", category, provenance, _shape(boxes[index], size))


def _shape(region: Region, size: Size) -> Shape:
    """The shape of a region, checked and clipped as every other annotation is."""
    if len(region) == 8:
        ring = check_corner_order(tuple(region))
        return make_shape(ring_bounds(ring), ring, *size, oriented=True)
    return make_shape(region, (), *size)
