"""Several dates of one place: seasons, cloud, how land cover and numbers of things change, what appears and disappears when,
and in which order the images were taken.

Images are in the order of time, but for groups of the kind "shuffled", which ask for that order. A change is stated where it is
larger than what it is measured with (rsflow.instructions.groups.dates.series_facts). That two dates are equal is never stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rsflow.config import settings as config
from rsflow.instructions.groups import apparent_changes
from rsflow.instructions.groups.dates import date_order
from rsflow.instructions.groups.dates.series_facts import CountSeries, CoverSeries, count_series, cover_series, least_change
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.records import SHUFFLED, Instruction, Reject

TASK = "series"
CLOUDY, CLOUD_LEAD = 0.1, 0.1


def make_instructions(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    if group.kind == SHUFFLED:
        yield from instructions(date_order.question_answers(group, settings), group, seed, settings)
    elif group.kind in {"dates", "pair"}:
        yield from instructions(question_answers(group, settings), group, seed, settings)


def question_answers(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer | Reject]:
    yield from _seasons(group)
    yield from _cloudiest(group)
    for covers in cover_series(group):
        yield from _largest(group, covers)
        yield from _cover_change(group, covers)
        yield from _largest_step(group, covers)
    for counts in count_series(group, settings):
        yield from _things(counts)


def _seasons(group: GroupFacts) -> Iterator[QuestionAnswer]:
    """Of one image of each season, where seasons differ: else one answer would be right for all."""
    seasons = [apparent_changes.season(member) for member in group.members]
    if len({*seasons} - {None}) < 2:
        return
    for number, found in enumerate(seasons, 1):
        if found and found not in seasons[: number - 1]:
            answer = {"kind": "fact", "name": "season", "value": found}
            full = f"Image {number} was taken in {found}."
            yield QuestionAnswer(TASK, "series_season", str(number), found, full, answer, (), (), {"number": str(number)})


def _cloudiest(group: GroupFacts) -> Iterator[QuestionAnswer]:
    shares = [member.cloud_share for member in group.members]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return
    ranked = sorted(known, reverse=True)
    if ranked[0] >= CLOUDY and ranked[0] - ranked[1] >= CLOUD_LEAD:
        yield _image("series_cloudiest", "cloudiest image", known.index(ranked[0]) + 1, {}, (), "has most cloud")


def _largest(group: GroupFacts, series: CoverSeries) -> Iterator[QuestionAnswer]:
    """Where every image's share is known."""
    shares = [cover.share for cover in series.covers.values()]
    ranked = sorted(shares, reverse=True)
    if len(shares) == len(group.members) and ranked[0] - ranked[1] >= least_change(group):
        predicate = f"has the largest share of {series.name}"
        number = shares.index(ranked[0]) + 1
        placeholders = {"cover": series.name}
        yield _image("series_cover_largest", f"most {series.name}", number, placeholders, series.labels(group), predicate)


def _cover_change(group: GroupFacts, series: CoverSeries) -> Iterator[QuestionAnswer]:
    """From the first of these images to the last."""
    first, last = min(series.covers), max(series.covers)
    before, after = series.covers[first].share, series.covers[last].share
    if abs(after - before) < least_change(group):
        return
    word = "grew" if after > before else "shrank"
    text = f"It {word} from {english.percent_phrase(before)} to {english.percent_phrase(after)} of the image."
    answer = {"kind": "text", "name": f"change of {series.name}", "from": before, "to": after}
    placeholders = {"cover": series.name, "first": str(first + 1), "last": str(last + 1)}
    labels = CoverSeries(series.name, {place: series.covers[place] for place in (first, last)}).labels(group)
    yield QuestionAnswer(TASK, "series_cover_change", series.name, text, text, answer, labels, (), placeholders)


def _largest_step(group: GroupFacts, series: CoverSeries) -> Iterator[QuestionAnswer]:
    """Between which two images a land cover changed most, of three images or more all of whose shares are known."""
    shares = [cover.share for cover in series.covers.values()]
    if len(shares) < max(3, len(group.members)):
        return
    steps = [abs(after - before) for before, after in pairwise(shares)]
    ranked = sorted(steps, reverse=True)
    if ranked[0] - ranked[1] >= least_change(group):
        yield _interval("series_cover_step", series.name, steps.index(ranked[0]) + 1, series.labels(group))


def _things(series: CountSeries) -> Iterator[QuestionAnswer]:
    noun, counts, labels = series.noun, series.counts, series.labels
    if len({*counts}) > 1:
        yield _counts(noun, counts, labels)
    changed = [place for place, (one, other) in enumerate(pairwise(counts), 1) if one != other]
    if len(counts) > 2 and len(changed) == 1:
        yield _interval("series_count_step", english.pluralise(noun), changed[0], labels)
    placeholders = {"thing": noun, "one": english.with_article(noun)}
    if counts[0] == 0:
        number = next(place for place, count in enumerate(counts, 1) if count)
        predicate = f"is the first that shows {english.with_article(noun)}"
        yield _image("series_first", f"first {noun}", number, placeholders, labels, predicate)
    if len(counts) > 2 and counts[0] and not counts[-1] and len(changed) == 1:
        predicate = f"is the first that shows no {noun}"
        yield _image("series_gone", f"first image without {noun}", changed[0] + 1, placeholders, labels, predicate)


def _counts(noun: str, counts: tuple[int, ...], labels: tuple[int, ...]) -> QuestionAnswer:
    parts = [f"{english.count_phrase(count, noun)} in image {number}" for number, count in enumerate(counts, 1)]
    text = english.capitalise(english.join_list(parts)) + "."
    answer = {"kind": "text", "name": f"number of {english.pluralise(noun)}", "values": [*counts]}
    return QuestionAnswer(TASK, "series_counts", noun, text, text, answer, labels, (), {"things": english.pluralise(noun)})


def _interval(kind: str, what: str, number: int, labels: tuple[int, ...]) -> QuestionAnswer:
    """An answer that names an image and the next one."""
    text = f"between image {number} and image {number + 1}"
    answer = {"kind": "fact", "name": f"when {what} changed most", "value": text}
    return QuestionAnswer(TASK, kind, what, text, f"It was {text}.", answer, labels, (), {"what": what})


def _image(
    kind: str, name: str, number: int, placeholders: dict[str, str], labels: tuple[int, ...], predicate: str
) -> QuestionAnswer:
    """An answer that names an image."""
    answer = {"kind": "fact", "name": name, "value": f"image {number}"}
    return QuestionAnswer(TASK, kind, name, f"image {number}", f"Image {number} {predicate}.", answer, labels, (), placeholders)
