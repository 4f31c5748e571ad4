"""Questions with answers, reasoning and comparisons of sensors: every claim is compared, and nothing unread counts as right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rsflow.config import settings as config
from rsflow.instructions.claims import (
    Claim,
    ClaimedPair,
    ComparedPairs,
    ConversationPairs,
    ReasoningAnswer,
    ReasoningAnswers,
    Statement,
)
from rsflow.instructions.prompts import PromptContext, ReviewedAnswer, review_answer
from rsflow.instructions.prompts.kinds import FIRST_OF_OTHER, KINDS
from rsflow.records import TileFacts
from tests.instructions.claims.test_planted_errors import HARBOUR, VOCABULARY, box, c, s

SHIPS = s("There are three ships in the image.", c("count", "ship", value=3))
DOCK = s("The dock lies at the centre.", c("place", "dock", 3, word="centre"))
NO_BRIDGE = s("No, there is no bridge.", c("absence", "bridge"))
LARGE = s("Ships may moor here because the dock gives shelter.")
SECOND = box("ship", 100, 100, 220, 140), box("ship", 800, 800, 860, 820)


def context(**own: Any) -> PromptContext:
    facts = TileFacts("t", "optical", 1000, 1000, 0.5, HARBOUR, VOCABULARY)
    other = TileFacts("t1", "sar", 1000, 1000, 0.5, SECOND, VOCABULARY)
    return PromptContext(facts, config.Instructions(), 12, 3, other=other, **own)


def numbers(noun: str) -> list[int]:
    return [number for number, each in enumerate(context().subjects(), 1) if each.group.noun == noun]


def talk(*pairs: tuple[str, Statement]) -> ReviewedAnswer:
    asked = tuple(ClaimedPair(question, (answer,)) for question, answer in pairs)
    return review_answer(context(), ConversationPairs(asked))


def renumbered(statement: Statement) -> Statement:
    """With the dock's number as the prompt has it."""
    (dock,) = numbers("dock")
    return replace(statement, claims=tuple(replace(x, objects=(dock,)) if x.objects else x for x in statement.claims))


GOOD = (("How many ships are there?", SHIPS), ("Where is the dock?", renumbered(DOCK)), ("Is there a bridge?", NO_BRIDGE))


def test_a_true_conversation_stands_as_it_is() -> None:
    found = talk(*GOOD)
    assert found.faults == ()
    assert [(pair.question, pair.answer) for pair in found.answer.pairs] == [(q, answer.text) for q, answer in GOOD]
    assert (found.has_claims, found.sentences, found.unread) == (True, 3, 0)


WRONG = {
    "count": ("How many ships are there?", s("There are four ships.", c("count", "ship", value=4))),
    "words beside the claim": ("How many ships are there?", replace(SHIPS, text="There are nine ships in the image.")),
    "no claim": ("What is it like?", s("The scene is calm.")),
    "absence of what is there": ("Are there ships?", s("No, there are no ships.", c("absence", "ship"))),
    "unknown": ("Are there cars?", s("No, there are no cars.", c("absence", "car"))),
    "question about another thing": ("How many docks are there?", SHIPS),
    "question that supposes a place": ("How many ships are in the lower left?", SHIPS),
    "question that supposes a number": ("What are the five ships doing?", SHIPS),
    "question that supposes a thing": ("How many ships lie beside the bridge?", SHIPS),
    "question that supposes a colour": ("How many red ships are there?", SHIPS),
    "yes to an absence": ("Is there a bridge?", replace(NO_BRIDGE, text="Yes, there is no bridge.")),
    "no to a presence": ("Are there three ships?", replace(SHIPS, text="No, there are three ships.")),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_pair_leaves_and_is_told(kind: str) -> None:
    found = talk(*GOOD, WRONG[kind])
    assert found.faults
    texts = [pair.answer for pair in found.answer.pairs]
    assert texts[:3] == [answer.text for _, answer in GOOD]
    assert WRONG[kind][1].text not in texts[3:]


def test_a_conversation_of_one_pair_is_none() -> None:
    assert talk(GOOD[0], WRONG["no claim"], WRONG["unknown"]).answer is None


def test_a_conclusion_rests_on_the_claims_of_its_answer_and_counts_as_unread() -> None:
    def reason(*sentences: Statement) -> ReviewedAnswer:
        answer = ReasoningAnswer("why", "Why may ships moor at the dock?", sentences)
        return review_answer(context(), ReasoningAnswers((answer,)))

    dock = renumbered(DOCK)
    found = reason(SHIPS, dock, LARGE)
    assert (found.faults, found.unread, found.sentences) == ((), 1, 3)
    assert found.answer.pairs[0].answer == " ".join(each.text for each in (SHIPS, dock, LARGE))
    assert found.answer.pairs[0].kind == "why"
    assert reason(LARGE).answer is None  # nothing is claimed
    told = reason(SHIPS, dock, s("The nine bridges make it easy to reach."))
    assert "'bridges' is said by no claim" in told.faults[0]
    assert told.answer.pairs[0].answer == f"{SHIPS.text} {dock.text}"
    # A claim that fails supports no conclusion.
    two_bridges = s("There are two bridges.", c("count", "bridge", value=2))
    wrong = reason(SHIPS, dock, two_bridges, s("The bridges make it easy to reach."))
    assert len(wrong.faults) == 2


def test_a_comparison_is_held_against_the_picture_that_it_speaks_of() -> None:
    def compare(*sentences: Statement) -> ReviewedAnswer:
        pair = ClaimedPair("How do the ships differ in the radar image of the same place?", sentences)
        return review_answer(context(), ComparedPairs((pair,)))

    def second(kind: Any, *objects: int, **fields: Any) -> Claim:
        return Claim(kind, "ship", objects, scope="sensor", **fields)

    two = s("The radar image of the same place shows two ships.", second("count", value=2))
    assert compare(SHIPS, two).faults == ()
    place = s("In the radar image a ship lies in the upper left.", second("place", FIRST_OF_OTHER, word="upper left"))
    assert compare(SHIPS, place).faults == ()
    wrong = {
        "the first picture's number": s("The radar image shows three ships.", second("count", value=3)),
        "the second's number, of the first": s("There are two ships in the image.", c("count", "ship", value=2)),
        "a number of the first picture": s("A ship lies in the upper left.", second("place", 1, word="upper left")),
        "another object's place": s("A ship lies in the lower right.", second("place", FIRST_OF_OTHER, word="lower right")),
    }
    for name, statement in wrong.items():
        assert compare(SHIPS, statement).faults, name


def test_prompts_give_the_numbers_that_claims_point_at() -> None:
    text = KINDS["comparison"].make_prompt(context())
    assert text
    assert "\n1. " in text.text
    assert f"\n{FIRST_OF_OTHER}. " in text.text
    for kind in ("conversation", "reasoning"):
        asked = KINDS[kind].make_prompt(context())
        assert asked
        assert "\n1. " in asked.text
        assert '"at_least"' in asked.text
