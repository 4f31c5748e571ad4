"""Faults that a record has in comparison with the rest of its set: another language, no picture token, a truncated text.

A property that nearly all records share is the convention of the set, and the few records without it are faults; where no such
majority exists nothing is reported. So a clean set has no fault, whatever its language and format.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field

from rsflow.audit.records.template_texts import has_markdown, has_prompt
from rsflow.audit.report import Report
from rsflow.imports.conversation import Conversation
from rsflow.instructions.checks.language import describe_foreign_text

MIN_RECORDS = 5
MAX_SHARE = 0.1  # of records that differ; with more of them there is no convention
LONG_WORDS = 8  # of an answer that is a sentence
_SHOWN = re.compile(
    r"\b(?:this|the|given)\s+(?:(?!(?:of|in|for|an?)\b)[\w-]+\s+){0,3}?(?:image|picture|photo|scene)\b", re.IGNORECASE
)
_ENDS = tuple(".!?…\"')]}>。！？:;”’%")


@dataclass
class _Deviations:
    """Number of records that follow a convention, and the records that do not."""

    count: int = 0
    records: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: int, expected: bool) -> None:
        if expected:
            self.count += 1
        elif not self.records or self.records[-1] != number:
            self.records.append(number)

    def report_to(self, report: Report, fault: str, detail: str) -> None:
        total = self.count + len(self.records)
        if total >= MIN_RECORDS and len(self.records) < MAX_SHARE * total:
            for number in self.records:
                report.add(fault, f"record {number}", f"{detail}: {self.count:,} of {total:,} others")


@dataclass
class SetRules:
    """Gathers records by `add`; `report_to` reports those that differ from nearly all others."""

    _english: _Deviations = field(default_factory=_Deviations)
    _tokens: _Deviations = field(default_factory=_Deviations)
    _ends: _Deviations = field(default_factory=_Deviations)
    _prompts: _Deviations = field(default_factory=_Deviations)
    _markdown: _Deviations = field(default_factory=_Deviations)
    _pictures: _Deviations = field(default_factory=_Deviations)

    def add(self, number: int, conversation: Conversation, picture_tokens: int) -> None:
        """`picture_tokens`: in the record's questions."""
        self._pictures.add(number, bool(conversation.pictures) or not _SHOWN.search(conversation.exchanges[0].question))
        self._prompts.add(number, not any(has_prompt(exchange.question) for exchange in conversation.exchanges))
        self._markdown.add(number, not any(has_markdown(exchange.answer) for exchange in conversation.exchanges))
        texts = [text for exchange in conversation.exchanges for text in (exchange.question, exchange.answer)]
        self._english.add(number, not any(map(describe_foreign_text, texts)))
        if conversation.pictures:
            self._tokens.add(number, picture_tokens > 0)
        for exchange in conversation.exchanges:
            if len(exchange.answer.split()) >= LONG_WORDS:
                self._ends.add(number, not exchange.answer.split()[-1].islower() or exchange.answer.endswith(_ENDS))

    def report_to(self, report: Report) -> None:
        self._pictures.report_to(report, "no_picture", "asks about a picture and names none")
        self._prompts.report_to(report, "prompt_text", "asks with the words of a prompt, the rest without")
        self._markdown.report_to(report, "program_text", "is written in Markdown, the rest is not")
        self._english.report_to(report, "other_language", "is not in English as the rest is")
        self._tokens.report_to(report, "picture_tokens", "has a picture and no token for it, as the rest has")
        self._ends.report_to(report, "cut_text", "ends within a sentence, where the rest ends with a mark")
