"""What an evaluation says: JSON for programs, a table for people, a page of the worst and best answers with their pictures."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rsflow.evaluation.aggregate import Score
from rsflow.evaluation.scores.scoring import Scored
from rsflow.spatial.geometry import corners

SHOWN = 12  # answers on the page, of each end and task
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}"
    ".answers{display:grid;grid-template-columns:repeat(auto-fill,minmax(18rem,1fr));gap:1rem}"
    ".picture{position:relative;display:inline-block}svg{position:absolute;inset:0;width:100%;height:100%}"
    "polygon{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}.right{stroke:#0c0}.answer{stroke:#f22}.green{color:#0a0}.red{color:#f22}"
    "figure{margin:0}img{display:block;max-width:100%;height:auto}figcaption{font-size:.85rem;overflow-wrap:anywhere}"
)


def to_json(scores: Sequence[Score], run: Mapping[str, Any]) -> dict[str, Any]:
    """`run`: what was evaluated, on what and how; `scores`: one object per row of the table."""
    return {"run": dict(run), "scores": [asdict(score) for score in scores]}


def to_text(scores: Sequence[Score], by: str = "all") -> str:
    """A table of one grouping."""
    rows = [("task", "group", "metric", "value", "95 % interval", "majority", "answers", "unparsed")]
    for score in scores:
        if score.by == by:
            interval = f"{score.low:.3f} to {score.high:.3f}" if score.low is not None and score.high is not None else ""
            chance = "" if score.majority is None else f"{score.majority:.3f}"
            counts = f"{score.answers:,}", f"{score.unparsed:,}"
            rows.append((score.task, score.group, score.metric, f"{score.value:.3f}", interval, chance, *counts))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def to_page(title: str, scores: Sequence[Score], rows: Sequence[Scored], pictures: Mapping[str, Sequence[bytes]]) -> str:
    """One self-contained HTML page. `pictures`: encoded, by question id, of `examples(rows)`."""
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{_escape(title)}</title><style>{_STYLE}</style><h1>{_escape(title)}</h1>"
    ]
    table = to_text(scores).split("\n")
    parts.append("<p>Outlines: <span class=green>right</span>, <span class=red>answered</span>.</p>")
    parts.append(f"<pre>{_escape(chr(10).join(table))}</pre>")
    for task, ends in examples(rows).items():
        for name, members in ends.items():
            figures = "".join(_figure(row, pictures.get(row.question.question_id, ())) for row in members)
            parts.append(f"<h2>{_escape(task)}: {name}</h2><div class=answers>{figures}</div>")
    return "\n".join(parts) + "\n"


def examples(rows: Sequence[Scored]) -> dict[str, dict[str, list[Scored]]]:
    """Task -> "worst" and "best" -> answers, by the mean of their measures; what could not be read is worst."""
    found: dict[str, dict[str, list[Scored]]] = {}
    for task in sorted({row.question.task for row in rows}):
        ranked = sorted(
            (row for row in rows if row.question.task == task), key=lambda row: (_merit(row), row.question.question_id)
        )
        middle = (len(ranked) + 1) // 2  # of few answers none is both
        found[task] = {"worst": ranked[:middle][:SHOWN], "best": ranked[: middle - 1 if middle else None : -1][:SHOWN]}
    return found


def _merit(row: Scored) -> float:
    values = [value for name, value in row.measures.items() if not name.endswith("_error")]
    return (sum(values) / len(values) if values else shared_words(row.words, row.reference)) - (not row.parsed)


def shared_words(one: str, other: str) -> float:
    """F1 of the words of two texts, without case: what ranks texts, whose own measures are of all of them together."""
    words, others = Counter(one.lower().split()), Counter(other.lower().split())
    return 2 * (words & others).total() / max(1, words.total() + others.total())


def _figure(row: Scored, pictures: Sequence[bytes]) -> str:
    image = "".join(map(_image, pictures))
    if len(pictures) == 1:
        image = f"<div class=picture>{image}{_outlines(row)}</div>"
    measures = ", ".join(f"{name} {value:.2f}" for name, value in row.measures.items()) or (
        "read" if row.parsed else "not readable"
    )
    lines = [
        f"<b>{_escape(row.question.prompt)}</b>",
        f"right: {_escape(row.reference or str(row.question.answer.get('value', '')))}",
        f"answer: {_escape(row.text or '(none)')}",
        _escape(f"{measures}; {row.question.sensor}, {row.question.source}"),
    ]
    return f"<figure>{image}<figcaption>{'<br>'.join(lines)}</figcaption></figure>"


def _outlines(row: Scored) -> str:
    """The right regions in green and the answer's in red, as an SVG over the picture; empty where there are none."""
    lists = [region for each in row.boxes for region in each.expected]
    expected = [row.question.boxes[row.question.answer["box"]]] if row.question.kind == "box" else lists
    shapes = [
        f'<polygon class={name} points="{" ".join(f"{value:g}" for value in corners(region))}"/>'
        for name, regions in (("right", expected), ("answer", row.found))
        for region in regions
    ]
    size = f'viewBox="0 0 {row.question.width_px} {row.question.height_px}"'
    return f"<svg {size}>{''.join(shapes)}</svg>" if shapes else ""


def _image(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f'<img alt="" src="data:image/{kind};base64,{base64.b64encode(picture).decode()}">'


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
