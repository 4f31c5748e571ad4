"""What chains are asked, and how their runs read: every sentence states a step's result.

One idea: a question is a program and a function from its run to sentences; the last sentence gives the answer. What the program
cannot answer for certain is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rsflow.instructions.chains.program import ChainError, Run, Step, run_program
from rsflow.instructions.facts.tile_facts import Group
from rsflow.instructions.wording import english
from rsflow.instructions.wording import positions as places
from rsflow.instructions.wording.hash_choice import choose, hash_order
from rsflow.records import TileFacts
from rsflow.text.turns import mark

Sentences = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChainQuestion:
    """`kind` is a key of PHRASINGS; `sentences` and `value` (the short answer) are those of the run."""

    kind: str
    subject: str
    placeholders: dict[str, str]
    steps: tuple[Step, ...]
    run: Run
    sentences: Sentences
    value: str | int | float


def chain_questions(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> Iterator[ChainQuestion]:
    """At most one question of each kind. `groups`: complete ones; `missing`: nouns that are known to be absent."""
    order = hash_order([group.noun for group in groups], seed, facts.tile_id, "reasoning")
    by_noun = {group.noun: group for group in groups}
    ranked = [by_noun[noun] for noun in order]
    if not ranked:
        return
    for make in (_more_of, _count_inside, _nearest_to, _distance_between, _left_after, _share_covered):
        try:
            found = make(facts, ranked, missing, seed)
        except ChainError:
            continue
        if found:
            yield found


def located(run: Run, step: int, noun: str) -> str:
    """`There are [[three ships|0,1,2]].`"""
    numbers = run.results[step]
    if not numbers:
        return f"There are no {english.pluralise(noun)}."
    return f"There {'is' if len(numbers) == 1 else 'are'} {mark(_counted(len(numbers), noun), *numbers)}."


def _counted(count: int, noun: str) -> str:
    return f"one {noun}" if count == 1 else english.count_phrase(count, noun)


def _ask(
    kind: str,
    subject: str,
    facts: TileFacts,
    steps: Sequence[Step],
    words: Callable[[Run], tuple[Sentences, str | int | float]],
    **placeholders: str,
) -> ChainQuestion:
    run = run_program(steps, facts)
    sentences, value = words(run)
    return ChainQuestion(kind, subject, placeholders, tuple(steps), run, sentences, value)


def _more_of(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> ChainQuestion | None:
    nouns = [group.noun for group in groups[:2]] + list(missing[:1])
    if len(nouns) < 2:
        return None
    one, other = hash_order(nouns[:2], seed, facts.tile_id, "more of")
    many, others = english.pluralise(one), english.pluralise(other)
    steps: list[Step] = [
        {"op": "locate", "category": one},
        {"op": "count", "of": 0},
        {"op": "locate", "category": other},
        {"op": "count", "of": 2},
        {"op": "compare", "of": [1, 3]},
    ]

    def words(run: Run) -> tuple[Sentences, str]:
        a, b, result = run.results[1], run.results[3], run.results[4]
        verdict = {
            "more": f"{a} is more than {b}, so yes, there are more {many} than {others}.",
            "fewer": f"{a} is less than {b}, so no, there are fewer {many} than {others}.",
            "equal": f"Both numbers are {a}, so no, there are as many {many} as {others}.",
        }[result]
        return (located(run, 0, one), located(run, 2, other), verdict), "yes" if result == "more" else "no"

    return _ask("more_of", f"{one} {other}", facts, steps, words, many=many, others=others)


def _count_inside(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> ChainQuestion | None:
    group = max(groups, key=lambda one: one.count)
    place = choose(sorted(places.WIDE_PLACES), seed, facts.tile_id, "count inside", group.noun)
    if group.count < 2:
        return None
    many, third = english.pluralise(group.noun), f"the {place} third"
    steps: list[Step] = [
        {"op": "locate", "category": group.category},
        {"op": "inside", "of": 0, "place": place},
        {"op": "count", "of": 1},
    ]

    def words(run: Run) -> tuple[Sentences, int]:
        inside, count = run.results[1], run.results[2]
        if not inside:
            return (located(run, 0, group.noun), f"None of them lies in {third} of the image.", "So the number is 0."), 0
        lies = "lies" if count == 1 else "lie"
        which = mark(english.number_word(count) if count <= 10 else str(count), *inside)
        sentence = f"Of these, {which} {lies} in {third} of the image."
        return (located(run, 0, group.noun), sentence, f"So the number is {count}."), count

    return _ask("count_inside", group.noun, facts, steps, words, many=many, third=third)


def _single(groups: Sequence[Group]) -> list[Group]:
    return [group for group in groups if group.count == 1]


def _nearest_to(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> ChainQuestion | None:
    several, landmarks = [group for group in groups if group.count > 1], _single(groups)
    if not several or not landmarks:
        return None
    group, landmark = several[0], landmarks[0]
    steps: list[Step] = [
        {"op": "locate", "category": landmark.category},
        {"op": "locate", "category": group.category},
        {"op": "nearest", "of": 1, "to": 0},
    ]

    def words(run: Run) -> tuple[Sentences, int]:
        found = run.results[2]
        where = f"The {landmark.noun} is at {mark('', *run.results[0])}."
        return (
            where,
            located(run, 1, group.noun),
            f"The nearest to the {landmark.noun} is the one at {mark('', *found)}.",
        ), found[0]

    return _ask("nearest_to", group.noun, facts, steps, words, one=group.noun, landmark=f"the {landmark.noun}")


def _distance_between(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> ChainQuestion | None:
    singles = _single(groups)
    if len(singles) < 2:
        return None
    one, other = singles[:2]
    steps: list[Step] = [
        {"op": "locate", "category": one.category},
        {"op": "locate", "category": other.category},
        {"op": "distance", "of": [0, 1]},
    ]

    def words(run: Run) -> tuple[Sentences, float]:
        metres = run.results[2]
        at = [f"The {group.noun} is at {mark('', *run.results[step])}." for step, group in enumerate((one, other))]
        return (*at, f"Their middles are about {metres:g} metres apart on the ground."), metres

    return _ask("distance_between", one.noun, facts, steps, words, one=f"the {one.noun}", other=f"the {other.noun}")


def _left_after(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> ChainQuestion | None:
    movable = [group for group in groups if group.count > 2]
    if not movable:
        return None
    group = movable[0]
    taken = choose(range(1, min(group.count, 5)), seed, facts.tile_id, "left after", group.noun)
    many = english.pluralise(group.noun)
    steps: list[Step] = [
        {"op": "locate", "category": group.category},
        {"op": "count", "of": 0},
        {"op": "subtract", "from": 1, "number": taken},
    ]

    def words(run: Run) -> tuple[Sentences, int]:
        count, left = run.results[1:]
        what = f"{count} minus {taken} is {left}, so {_counted(left, group.noun)} would be left."
        return (located(run, 0, group.noun), what), left

    gone = f"{english.number_word(taken)} of the {many}"
    return _ask("left_after", group.noun, facts, steps, words, many=many, gone=gone)


def _share_covered(facts: TileFacts, groups: Sequence[Group], missing: Sequence[str], seed: int) -> ChainQuestion | None:
    group = groups[0]
    steps: list[Step] = [{"op": "locate", "category": group.category}, {"op": "share", "of": 0}]

    def words(run: Run) -> tuple[Sentences, float]:
        share = run.results[1]
        covering = "The outline covers" if group.count == 1 else "Together their outlines cover"
        return (located(run, 0, group.noun), f"{covering} about {100 * share:g} % of the image."), share

    return _ask("share_covered", group.noun, facts, steps, words, **english.subject_forms(group.noun, group.count))
