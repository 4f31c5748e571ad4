"""What the two seeds published, beside what was measured here: a row per figure, "not run" where nothing was.

One idea: a literal table of the papers' figures by source, task and metric, in the units of our scores. Figures of metrics that
are not measured here are in it too, so that what is missing shows. RS-GPT4V: https://arxiv.org/abs/2406.12479; EarthGPT:
https://arxiv.org/abs/2401.16822; the one as its follow-ups report it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsflow.evaluation.aggregate import Score

NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """`zero_shot`: the system had not been trained on this source."""

    system: str
    source: str
    task: str
    metric: str
    value: float
    zero_shot: bool = False


PUBLISHED: tuple[PublishedFigure, ...] = (
    PublishedFigure("RS-GPT4V", "ucm_captions", "captioning", "bleu_4", 0.6574),
    PublishedFigure("RS-GPT4V", "ucm_captions", "captioning", "cider", 3.3323),
    PublishedFigure("EarthGPT", "nwpu_captions", "captioning", "bleu_4", 0.655),
    PublishedFigure("EarthGPT", "nwpu_captions", "captioning", "meteor", 0.445),
    PublishedFigure("EarthGPT", "nwpu_captions", "captioning", "rouge_l", 0.782),
    PublishedFigure("EarthGPT", "nwpu_captions", "captioning", "cider", 1.926),
    PublishedFigure("EarthGPT", "nwpu_resisc45", "classification", "accuracy", 0.9384),
    PublishedFigure("EarthGPT", "clrs", "classification", "accuracy", 0.7737, True),
    PublishedFigure("EarthGPT", "nasc_tg2", "classification", "accuracy", 0.7472, True),
    PublishedFigure("EarthGPT", "crsvqa", "vqa", "accuracy", 0.82),
    PublishedFigure("EarthGPT", "rsvqa_hr", "vqa", "accuracy", 0.7205, True),
    PublishedFigure("EarthGPT", "dior_rsvg", "grounding", "acc@0.5", 0.7665),
    PublishedFigure("EarthGPT", "dior_rsvg", "region_captioning", "cider", 2.328),
    PublishedFigure("EarthGPT", "mar20", "detection", "ap@0.4", 0.9047, True),
)


def measured_value(figure: PublishedFigure, scores: Sequence[Score]) -> float | None:
    """Our score of the same source, task and metric."""
    key = (figure.task, "source", figure.source, figure.metric)
    return next((one.value for one in scores if (one.task, one.by, one.group, one.metric) == key), None)


def published_text(scores: Sequence[Score]) -> str:
    """The table; empty where no source of it was scored."""
    sources = {score.group for score in scores if score.by == "source"}
    if not sources & {figure.source for figure in PUBLISHED}:
        return ""
    rows = [("system", "source", "task", "metric", "published", "measured"), *(_row(one, scores) for one in PUBLISHED)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(figure: PublishedFigure, scores: Sequence[Score]) -> tuple[str, ...]:
    value = measured_value(figure, scores)
    system = f"{figure.system}, zero-shot" if figure.zero_shot else figure.system
    measured = NOT_RUN if value is None else f"{value:.4f}"
    return system, figure.source, figure.task, figure.metric, f"{figure.value:.4f}", measured
