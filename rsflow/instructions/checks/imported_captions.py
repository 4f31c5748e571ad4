"""Captions of annotators against the other labels of their tile: how many of their sentences are read, and how many agree.

Nothing is dropped: where a caption and a box differ, nobody knows which is right. The counts say how far captions are checked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rsflow.instructions.checks import FORM_CHECKS, check, count_unread
from rsflow.records import Instruction, TileFacts
from rsflow.text.turns import Turn, escape

SENTENCES, UNREAD, CONTRADICTED = "imported_sentences", "imported_unread", "imported_contradicted"


def count_imported(facts: TileFacts) -> Counter[str]:
    """Sentences of a tile's captions, those of which nothing was compared, and the comparisons that a label contradicts.

    `facts` hold trusted labels alone. Each different caption counts once.
    """
    captions = dict.fromkeys(label.text for label in facts.labels if label.kind == "caption" and label.text.strip())
    others = replace(facts, labels=tuple(label for label in facts.labels if label.kind != "caption"))
    counts: Counter[str] = Counter()
    for caption in captions:
        turns = (Turn("user", "Describe this image."), Turn("assistant", escape(caption)))
        text = Instruction("captioning", turns, (), (), {"kind": "text"}, "annotation")
        findings = check(others, text)
        sentences, unread = count_unread(text, findings)
        wrong = sum(one.contradiction for one in findings if one.check not in FORM_CHECKS)
        counts.update({SENTENCES: sentences, UNREAD: unread, CONTRADICTED: wrong})
    return counts
