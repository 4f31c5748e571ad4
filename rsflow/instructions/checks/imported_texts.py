"""Texts of annotators against the other labels of their tile: how many of their sentences are read, and how many agree.

Captions, questions with their answers and imported conversations. Nothing is dropped: where a text and a box differ, nobody
knows which is right. The counts say how far such texts are checked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rsflow.instructions.checks import FORM_CHECKS, check, count_unread
from rsflow.records import Instruction, Label, TileFacts
from rsflow.text.turns import Turn, escape

SENTENCES, UNREAD, CONTRADICTED = "imported_sentences", "imported_unread", "imported_contradicted"
_KINDS = ("caption", "question")
_REQUEST = "Describe this image."


def count_imported(facts: TileFacts) -> Counter[str]:
    """Sentences of a tile's captions and answers, those of which nothing was compared, and the comparisons that a label
    contradicts.

    `facts` hold trusted labels alone. Each different text counts once.
    """
    texts = dict.fromkeys(_question_and_answer(label) for label in facts.labels if label.kind in _KINDS)
    others = replace(facts, labels=tuple(label for label in facts.labels if label.kind not in _KINDS))
    counts: Counter[str] = Counter()
    for question, answer in texts:
        if not answer.strip():
            continue
        turns = (Turn("user", escape(question)), Turn("assistant", escape(answer)))
        text = Instruction("captioning" if question == _REQUEST else "vqa", turns, (), (), {"kind": "text"}, "annotation")
        findings = check(others, text)
        sentences, unread = count_unread(text, findings)
        wrong = sum(one.contradiction for one in findings if one.check not in FORM_CHECKS)
        counts.update({SENTENCES: sentences, UNREAD: unread, CONTRADICTED: wrong})
    return counts


def _question_and_answer(label: Label) -> tuple[str, str]:
    return (_REQUEST, label.text) if label.kind == "caption" else (label.text, label.category)
