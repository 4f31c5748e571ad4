"""Captions against captions: BLEU-1 to 4, ROUGE-L and CIDEr, and METEOR and SPICE where Java is there.

The arithmetic is pycocoevalcap's, as the field reports it (https://github.com/salaniz/pycocoevalcap). Its tokenizer needs
Java; without it words are split by nltk's Treebank rules, lower-cased and without punctuation, which is what that tokenizer
does to plain English; `tokenizer` in the result says which was used. SPICE also downloads models once; where that fails it is
not run, and said.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rsflow.errors import UsageError


@dataclass(frozen=True, slots=True)
class TextScores:
    """`by_metric`: name -> one score per text, in the order given. `corpus`: name -> the score of all together.

    `not_run`: metric -> why.
    """

    by_metric: dict[str, tuple[float, ...]]
    corpus: dict[str, float]
    not_run: dict[str, str]
    tokenizer: str


def score_texts(references: Sequence[Sequence[str]], candidates: Sequence[str], meteor: bool = False) -> TextScores:
    """Scores of one candidate per text against its references. `meteor`: that too, where Java is there (it takes seconds to
    start).

    Raises UsageError where the library is missing.
    """
    try:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
    except ImportError as error:
        raise UsageError("scores of captions need pycocoevalcap: pip install 'rsflow[evaluate]'") from error
    words = {number: [split_words(text) for text in texts] for number, texts in enumerate(references)}
    said = {number: [split_words(text)] for number, text in enumerate(candidates)}
    corpus: dict[str, float] = {}
    each: dict[str, tuple[float, ...]] = {}
    if not candidates:
        return TextScores({}, {}, {}, "treebank")
    with contextlib.redirect_stdout(io.StringIO()):
        whole, single = Bleu(4).compute_score(words, said, verbose=0)
        for order in range(4):
            corpus[f"bleu_{order + 1}"], each[f"bleu_{order + 1}"] = float(whole[order]), _floats(single[order])
        for name, metric in (("rouge_l", Rouge()), ("cider", Cider())):
            value, values = metric.compute_score(words, said)
            corpus[name], each[name] = float(value), _floats(values)
    not_run = _score_with_java(words, said, corpus, each) if meteor else {}
    return TextScores(each, corpus, not_run, "treebank")


def split_words(text: str) -> str:
    """Words apart, lower case, no punctuation."""
    from nltk.tokenize.treebank import TreebankWordTokenizer

    words = TreebankWordTokenizer().tokenize(text.lower())
    return " ".join(word for word in words if re.search(r"\w", word)) or "."


def _score_with_java(
    words: Mapping[int, list[str]],
    said: Mapping[int, list[str]],
    corpus: dict[str, float],
    each: dict[str, tuple[float, ...]],
) -> dict[str, str]:
    """Add METEOR where it runs; what does not run, and why."""
    if shutil.which("java") is None:
        return dict.fromkeys(("meteor", "spice"), "needs Java, which is not on this machine's PATH")
    not_run = {"spice": "needs models that are downloaded once; run pycocoevalcap's Spice by hand on the predictions"}
    try:
        from pycocoevalcap.meteor.meteor import Meteor

        with contextlib.redirect_stdout(io.StringIO()):
            value, values = Meteor().compute_score(words, said)
        corpus["meteor"], each["meteor"] = float(value), _floats(values)
    except Exception as error:  # a Java process that fails raises whatever its pipe makes of it
        not_run["meteor"] = f"Java is there, but METEOR failed: {type(error).__name__}: {error}"
    return not_run


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
