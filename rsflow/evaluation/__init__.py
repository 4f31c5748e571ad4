"""How good a model's answers are on a held-out split: `rsflow evaluate`.

One idea: three steps that meet in plain rows. Questions come from a snapshot's shards, answers from a model, an endpoint or a
file, and each answer is parsed once by the dialect it was asked in and scored by its question's structured answer. Everything
else (tables, intervals, controls, pages) is arithmetic over the scored rows. An answer that cannot be parsed is a wrong answer
that is counted as unparseable, never a missing row.
"""

from __future__ import annotations

from rsflow.evaluation.aggregate import Score, score_table
from rsflow.evaluation.answers import Answer, ask_engine, read_predictions, write_predictions
from rsflow.evaluation.questions import Question, read_questions
from rsflow.evaluation.scores.scoring import Scored, score_answers

__all__ = [
    "Answer",
    "Question",
    "Score",
    "Scored",
    "ask_engine",
    "read_predictions",
    "read_questions",
    "score_answers",
    "score_table",
    "write_predictions",
]
