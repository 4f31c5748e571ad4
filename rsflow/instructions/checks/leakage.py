"""Leakage: what a reader of the picture alone could not say: raw coordinates, and words about labels, boxes or the prompt.

Coordinates belong in marks (rsflow.text.turns), which a dialect spells; numbers in brackets in the prose are a leak.
A writer that mentions its annotations, its list of facts or its instructions does not describe the picture. Where the question
mentions boxes, so may the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rsflow.instructions.checks.finding import Finding
from rsflow.instructions.reader.conversation import Conversation
from rsflow.instructions.reader.parsing.words import word_set

_N = r"-?\d+(?:\.\d+)?"
_COORDINATES = re.compile(
    rf"[\[(<{{] ?{_N} ?, ?{_N} ?(?:, ?{_N} ?, ?{_N} ?)?[\])>}}]|\b[xy](?:_?(?:min|max|[0-3]))? ?[=:] ?{_N}|\[\[|\]\]"
    rf"|\bpixels? ?\(? ?{_N} ?, ?{_N}|\b(?:bbox|coordinates?|pixel coordinates?)\b|\b\d+,\d+ (?:and|to) \d+,\d+|"
    r"[\[{] ?\"[^\"]+\" ?:|\[ ?(?:insert|your|name of|placeholder)\b[^\]]*\]|</?(?:p|div|br|b|i|span|li|ul) ?/?>|"
    rf"\bin pixels\b|\brow {_N},? (?:and )?col(?:umn)? {_N}"
)
_GIVEN = r"(?:provided|given|supplied|available|above|following|listed|input)"
_SOURCE = r"(?:label|annotation|metadata|fact|detection|caption|prompt|instruction|information|data|list|json)"
_PROMPT = re.compile(
    rf"\b(?:according to|based on|as (?:per|stated in|indicated by|listed in|given in|specified in|noted in)|from|per|in|by) "
    rf"(?:the |these |this |those |your |my )?(?:{_GIVEN} )?(?:image |object |tile )?(?:labels?|annotations?|annotated data|"
    rf"metadata|"
    rf"ground[- ]truth|bounding box(?:es)?|label data|prompt|list of objects|object list|instructions?|json|fact sheet|"
    rf"{_GIVEN} (?:information|data|details|facts|context|list|text))\b"
    rf"|\bthe (?:{_GIVEN}) (?:{_SOURCE})s?\b"
    r"|\b(?:labels?|annotations?|annotated data|reference data|metadata|facts|captions?|"
    r"my instructions)(?: (?:that )?you (?:supplied|gave|provided|sent))? "
    r"(?:say|state|show|indicate|list|mention|confirm|describe|report|specif(?:y|ie))s?\b|\byou (?:provided|supplied|gave|"
    r"sent|shared)\b"
    r""
    r"|\bbounding[- ]box(?:es)?\b|\bground[- ]truth\b"
    r"|\b(?:information|data|details) (?:given|provided|supplied)\b"
    r"|\blist of (?:detected |labell?ed |annotated |given )?objects\b|\bgsd_m\b|\btile_id\b|\blabel_id\b|\bvocabulary\b|"
    r"\bsystem prompt\b|```"
    r"|\b(?:confidence|detection) scores?\b|<image>|\bas (?:instructed|requested)\b|\bhere is the (?:json|description|caption|"
    r"conversation|answer|response)\b|^\s*(?:user|assistant|system|question|answer|output|response) ?:|\bannotated (?:as|by|"
    r"in)\b",
    re.MULTILINE,
)
# One of them, or a digit, stands in whatever the patterns find.
_WORDS = word_set(
    "label labels annotation annotations annotated metadata truth box boxes bounding prompt list instructions instruction json"
    " fact facts sheet given provided supplied available above following listed input information data details bbox pixels"
    " reference coordinate"
    " coordinates vocabulary system confidence detection score scores instructed requested here user assistant question answer"
    " output response you caption captions ` < [ ] gsd_m tile_id label_id gsd tile _"
)
_DIGIT = re.compile(r"\d")
_ABOUT_BOXES = re.compile(r"\bbox|\bcoordinate|\blocate\b|\bdetect\b|\bregion\b|\bwhere\b")


def check(conversation: Conversation) -> Iterator[Finding]:
    for turn in conversation.answers:
        text = conversation.texts[turn].lower()
        if len(text) < 2:
            continue
        words = [sentence.words for sentence in conversation.sentences[turn]]
        if all(_WORDS.isdisjoint(one) for one in words) and not _DIGIT.search(text):
            yield Finding("leakage", turn, text[:40], "a text about the picture", "", False)
            continue
        asked = turn > 0 and bool(_ABOUT_BOXES.search(conversation.question_of(turn).lower()))
        found = _COORDINATES.search(text) or next(
            (one for one in _PROMPT.finditer(text) if not (asked and "box" in one[0])), None
        )
        said = found[0] if found else ""
        yield Finding("leakage", turn, said or text[:40], "a text about the picture", said, bool(found))
