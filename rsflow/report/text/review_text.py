"""What people found in a dataset, as Markdown for the card and as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.review.agreement import Agreement
from rsflow.review.error_rates import ErrorRate
from rsflow.review.summary import ReviewSummary


def review_lines(found: ReviewSummary) -> Iterator[str]:
    """The paragraphs and tables of the card."""
    people = ", ".join(f"{name} {count:,}" for name, count in found.reviewers.items())
    yield f"Decisions by reviewer: {people}. What holds: {_decisions(found)}."
    if found.rates:
        decided = found.drawn - found.open
        yield (
            f"Of a sample drawn by stratum, {decided:,} of {found.drawn:,} items were decided. The share that is wrong "
            "(rejected or corrected) is estimated for all that the strata hold, with its 95 % interval (Wilson). What was "
            "found is mended in this dataset; what nobody saw is not."
        )
        lines = ["| | | decided | wrong | estimated share | 95 % interval |", "|---|---|---:|---:|---:|---|"]
        lines += [f"| {name} | {_row(rate)} |" for name, rates in found.rates.items() for rate in rates]
        yield "\n".join(lines)
    agreements = [*found.pairs, *([found.overall] if found.overall and len(found.overall.reviewers) > 2 else [])]
    if agreements:
        yield "Agreement: " + "; ".join(map(_agreement, agreements)) + "."


def review_text(found: ReviewSummary) -> str:
    """The same for the terminal."""
    lines = [f"{'decisions':14}{_decisions(found) or 'none yet'}"]
    lines += [f"{'reviewers':14}{', '.join(f'{name} {count:,}' for name, count in found.reviewers.items()) or 'none yet'}"]
    if found.drawn:
        lines.append(f"{'drawn':14}{found.drawn:,} items, {found.open:,} without a decision")
    for name, rates in found.rates.items():
        for rate in rates:
            interval = f"{rate.low:.1%} to {rate.high:.1%}"
            lines.append(f"{name:14}{rate.group:28} {rate.wrong:5,} of {rate.decided:5,} wrong: {rate.rate:.1%} ({interval})")
    lines += [f"{'agreement':14}{_agreement(each)}" for each in found.pairs]
    if found.overall and len(found.overall.reviewers) > 2:
        lines.append(f"{'agreement':14}{_agreement(found.overall)}")
    return "\n".join(lines)


def _decisions(found: ReviewSummary) -> str:
    return ", ".join(f"{count:,} {kind} {action}" for (kind, action), count in found.decisions.items())


def _row(rate: ErrorRate) -> str:
    name = rate.group.replace("|", "\\|")
    return f"{name} | {rate.decided:,} | {rate.wrong:,} | {rate.rate:.1%} | {rate.low:.1%} to {rate.high:.1%}"


def _agreement(found: Agreement) -> str:
    kappa = "not defined (all decided alike)" if found.kappa is None else f"{found.kappa:.2f}"
    which = "Cohen's kappa" if len(found.reviewers) == 2 else "Fleiss's kappa"
    return f"{' and '.join(found.reviewers)} on {found.items:,} items: {found.observed:.0%} alike, {which} {kappa}"
