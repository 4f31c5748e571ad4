"""Several dates of one place in their order: seasons, cloud, how land cover and numbers of things change, and what appears
when.

Images are in the order of time. A change is told where it is larger than what it is measured with: shares of land cover by at
least LEAST_CHANGE and twice the share of the picture that the measured shift sweeps over, and only between pictures without
much cloud; numbers and first appearances of things only where every one is known at all dates. Whether two dates differ in
nothing is never told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rsflow.config import settings as config
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.facts.tile_facts import Cover, Group
from rsflow.instructions.groups import apparent_changes
from rsflow.instructions.groups.group_facts import GroupFacts, GroupMember
from rsflow.instructions.languages import instructions
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording import english
from rsflow.records import Instruction, Reject

TASK = "series"
LEAST_CHANGE = 0.1  # of a share
CLEAR = 0.05  # share of cloud up to which a picture's land cover is compared
CLOUDY, CLOUD_LEAD = 0.1, 0.1
COUNT_LIMIT = 50


def make_instructions(group: GroupFacts, settings: config.Instructions, seed: int) -> Iterator[Instruction | Reject]:
    if group.kind in {"dates", "pair"}:
        yield from instructions(question_answers(group, settings), group, seed, settings)


def question_answers(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer | Reject]:
    yield from _seasons(group)
    yield from _cloudiest(group)
    yield from _covers(group)
    yield from _things(group, settings)


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


def _covers(group: GroupFacts) -> Iterator[QuestionAnswer]:
    """Of the images without much cloud; the others are left out."""
    by_date = {place: found for place, member in enumerate(group.members) if (found := _clear_covers(member))}
    if len(by_date) < 2:
        return
    for name in sorted(set.intersection(*({*known} for known in by_date.values()))):
        covers = {place: known[name] for place, known in by_date.items()}
        if len(covers) == len(group.members):
            yield from _largest(group, name, covers)
        yield from _cover_change(group, name, covers)


def _clear_covers(member: GroupMember) -> dict[str, Cover]:
    """The land cover of a picture by name: what annotators say, or what was measured where there is known to be little
    cloud."""
    facts = member.facts
    if tile_facts.unknown_cover_share(facts) > CLEAR:
        return {}
    is_clear = member.cloud_share is not None and member.cloud_share <= CLEAR
    return {
        cover.name: cover
        for cover in tile_facts.land_covers(facts)
        if cover.name and (is_clear or facts.labels[cover.label].provenance.origin == "annotation")
    }


def _labels(group: GroupFacts, covers: dict[int, Cover]) -> tuple[int, ...]:
    return tuple(group.first_label(place) + cover.label for place, cover in covers.items())


def _largest(group: GroupFacts, name: str, covers: dict[int, Cover]) -> Iterator[QuestionAnswer]:
    shares = [cover.share for cover in covers.values()]
    ranked = sorted(shares, reverse=True)
    if ranked[0] - ranked[1] >= _least_change(group):
        number = shares.index(ranked[0]) + 1
        predicate = f"has the largest share of {name}"
        yield _image("series_cover_largest", f"most {name}", number, {"cover": name}, _labels(group, covers), predicate)


def _cover_change(group: GroupFacts, name: str, covers: dict[int, Cover]) -> Iterator[QuestionAnswer]:
    """From the first of these images to the last."""
    first, last = min(covers), max(covers)
    before, after = covers[first].share, covers[last].share
    if abs(after - before) < _least_change(group):
        return
    word = "grew" if after > before else "shrank"
    text = f"It {word} from {english.percent_phrase(before)} to {english.percent_phrase(after)} of the image."
    answer = {"kind": "text", "name": f"change of {name}", "from": before, "to": after}
    placeholders = {"cover": name, "first": str(first + 1), "last": str(last + 1)}
    used = {first: covers[first], last: covers[last]}
    yield QuestionAnswer(TASK, "series_cover_change", name, text, text, answer, _labels(group, used), (), placeholders)


def _least_change(group: GroupFacts) -> float:
    """The difference of two shares that no shift of the pictures makes."""
    swept = 0.0
    for member in group.members[1:]:
        dx, dy = member.shift_px or (0.0, 0.0)
        swept = max(swept, math.hypot(dx / member.facts.width_px, dy / member.facts.height_px))
    return max(LEAST_CHANGE, 2 * swept)


def _things(group: GroupFacts, settings: config.Instructions) -> Iterator[QuestionAnswer]:
    """Numbers and first appearances of what is known without gaps at every date."""
    complete = [{english.singular_noun(name) for name in member.facts.vocabulary} - {""} for member in group.members]
    by_date = [{found.noun: found for found in tile_facts.object_groups(member.facts)} for member in group.members]
    for noun in sorted(set.intersection(*complete)):
        found = [things.get(noun) for things in by_date]
        if not all(one is None or one.exact for one in found) or not _absences_hold(group, noun, found):
            continue
        counts = [one.count if one else 0 for one in found]
        if not any(counts) or max(counts) > COUNT_LIMIT or not _are_large(found, settings):
            continue
        labels = tuple(group.first_label(place) + label for place, one in enumerate(found) if one for label in one.labels)
        if len({*counts}) > 1:
            yield _counts(noun, counts, labels)
        if counts[0] == 0:
            number = next(place for place, count in enumerate(counts, 1) if count)
            predicate = f"is the first that shows {english.with_article(noun)}"
            yield _image(
                "series_first", f"first {noun}", number, {"thing": noun, "one": english.with_article(noun)}, labels, predicate
            )


def _absences_hold(group: GroupFacts, noun: str, found: list[Group | None]) -> bool:
    missing = [member.facts for member, one in zip(group.members, found, strict=True) if one is None]
    absent = ({english.singular_noun(name) for name in tile_facts.absent_categories(facts)} for facts in missing)
    return all(noun in names for names in absent)


def _are_large(found: list[Group | None], settings: config.Instructions) -> bool:
    return all(one is None or one.smallest_px() >= settings.min_box_px for one in found)


def _counts(noun: str, counts: list[int], labels: tuple[int, ...]) -> QuestionAnswer:
    parts = [f"{english.count_phrase(count, noun)} in image {number}" for number, count in enumerate(counts, 1)]
    text = english.capitalise(english.join_list(parts)) + "."
    answer = {"kind": "text", "name": f"number of {english.pluralise(noun)}", "values": counts}
    return QuestionAnswer(TASK, "series_counts", noun, text, text, answer, labels, (), {"things": english.pluralise(noun)})


def _image(
    kind: str, name: str, number: int, placeholders: dict[str, str], labels: tuple[int, ...], predicate: str
) -> QuestionAnswer:
    """An answer that names an image."""
    answer = {"kind": "fact", "name": name, "value": f"image {number}"}
    return QuestionAnswer(TASK, kind, name, f"image {number}", f"Image {number} {predicate}.", answer, labels, (), placeholders)
