"""Captions against captions: BLEU-1 to 4, ROUGE-L and CIDEr, and METEOR where it is asked for.

The arithmetic is pycocoevalcap's, as the field reports it (https://github.com/salaniz/pycocoevalcap). Its tokenizer needs Java;
words are split by nltk's Treebank rules instead, lower-cased and without punctuation, which is what that tokenizer does to
English, brackets, abbreviations and typographic signs included: scores of captions are the same to six digits. SPICE is left
out: its models are downloaded.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Mapping, Sequence

from rsflow.errors import UsageError

# What pycocoevalcap leaves out of its words. Brackets it means to leave out too, but keeps: they are spelled in letters.
_PUNCTUATION = {"''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"}
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
# Typographic signs as the Treebank writes them, and what nltk's rules do not part: quotes before words, "~" before numbers.
_PLAIN = [
    (re.compile("[\u2013\u2014]"), " -- "),
    (re.compile("\u2026"), " ... "),
    (re.compile("\u2019"), "'"),
    (re.compile("[\u2018\u201c\u201d]"), " `` "),
    (re.compile(r"(?:^|(?<=\s))'(?=[a-z])"), " ` "),
    (re.compile("~"), " ~ "),
]
_ABBREVIATION = re.compile(r"(?<![\w.])(?:(?:[a-z]\.)+[a-z]|mr|mrs|ms|dr|st|prof|vs|etc|no(?=\.\s*\d))\.")
_DOT = "\ue000"  # stands for the full stop of an abbreviation, which stays with its word


def score_texts(references: Sequence[Sequence[str]], candidates: Sequence[str], meteor: bool = False) -> dict[str, float]:
    """Metric -> the score of all texts together, one candidate per text against its references; empty for no texts.

    `meteor`: that too; Java takes seconds to start. Raises UsageError where the library, or Java, is missing or fails.
    """
    try:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
    except ImportError as error:
        raise UsageError("scores of captions need pycocoevalcap: pip install 'rsflow[evaluate]'") from error
    if not candidates:
        return {}
    expected = {number: [split_words(text) for text in texts] for number, texts in enumerate(references)}
    given = {number: [split_words(text)] for number, text in enumerate(candidates)}
    with contextlib.redirect_stdout(io.StringIO()):
        bleu, _ = Bleu(4).compute_score(expected, given, verbose=0)
        scores = {f"bleu_{order}": float(value) for order, value in enumerate(bleu, 1)}
        scores["rouge_l"] = float(Rouge().compute_score(expected, given)[0])
        scores["cider"] = float(Cider().compute_score(expected, given)[0])
    return {**scores, "meteor": _score_meteor(expected, given)} if meteor else scores


def split_words(text: str) -> str:
    """Words apart, lower case, no punctuation, brackets in letters: as pycocoevalcap's PTBTokenizer gives them."""
    from nltk.tokenize.treebank import TreebankWordTokenizer

    text = text.lower()
    for pattern, plain in _PLAIN:
        text = pattern.sub(plain, text)
    text = _ABBREVIATION.sub(lambda found: found[0].replace(".", _DOT), text)
    # nltk's rules expect one sentence: only the last full stop is apart from its word.
    words = TreebankWordTokenizer().tokenize(re.sub(r"(?<!\.)\.(?=\s)", " .", text))
    kept = (_BRACKETS.get(word, word).replace(_DOT, ".") for word in words if word not in _PUNCTUATION)
    return " ".join(kept) or "."


def _score_meteor(expected: Mapping[int, list[str]], given: Mapping[int, list[str]]) -> float:
    if shutil.which("java") is None:
        raise UsageError("METEOR needs Java, which is not on this machine's PATH: install it, or leave --meteor out")
    from pycocoevalcap.meteor.meteor import Meteor

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return float(Meteor().compute_score(expected, given)[0])
    except (OSError, ValueError) as error:  # its process ended, or wrote what is no number
        raise UsageError(f"METEOR's Java process failed ({error}): leave --meteor out, or see to Java") from error
