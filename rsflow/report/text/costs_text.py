"""What requests have cost, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.generation.spending.costs import CostLine

_HEAD = ("source", "kind", "model", "answers", "failed", "tokens in", "tokens out", "money", "unanswered")


def costs_text(root: str, lines: Sequence[CostLine]) -> str:
    """One line per source, kind and model, and the total."""
    if not lines:
        return f"{root}: no model was asked"
    rows = [_HEAD, *(_cells(line) for line in lines), _cells(_total(lines))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    text = [
        "  ".join(cell.ljust(n) if i < 3 else cell.rjust(n) for i, (cell, n) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    if unanswered := sum(line.unanswered for line in lines):
        most = sum(line.unanswered_money for line in lines)
        text.append(
            f"{unanswered} requests were sent and not answered (their process was ended, or they are in flight now): they may "
            f"have cost up to {most:.6f} more"
        )
    return "\n".join(line.rstrip() for line in text)


def _total(lines: Sequence[CostLine]) -> CostLine:
    cost = sum((line.cost for line in lines[1:]), lines[0].cost)
    counts = (sum(line.answers for line in lines), sum(line.failed for line in lines))
    return CostLine("all", "", "", *counts, cost, sum(line.unanswered for line in lines))


def _cells(line: CostLine) -> tuple[str, ...]:
    counts = (line.answers, line.failed, line.cost.tokens_in, line.cost.tokens_out)
    return (line.source, line.kind, line.model, *(f"{n:,}" for n in counts), f"{line.cost.money:.6f}", f"{line.unanswered:,}")
