"""Errors planted in claims and in words, by kind: python benchmarks/claims_planted.py

Two sets. Sentences by hand: more than 80 kinds of errors in five scenes, with 39 true sentences. Sentences by rule: the true
claims of random tiles and their opposites, in the claim, in the words, and in both. Recall is of the errors, precision of what
was refused.
"""

from __future__ import annotations

import random
from collections import Counter

from rsflow.instructions.claims import Statement, faults_of
from tests.instructions.claims.test_planted_errors import FALSE, SCENES, TRUE
from tests.instructions.claims.test_random_errors import random_facts, say, spoiled, true_claims

TILES = 150


def count_by_hand() -> tuple[Counter[str], Counter[str], int]:
    """(errors planted, errors found, true sentences refused), the former two by kind."""
    planted = Counter(name for name, _, _ in FALSE)
    found = Counter(name for name, scene, statement in FALSE if faults_of(statement, SCENES[scene]))
    return planted, found, sum(bool(faults_of(statement, SCENES[scene])) for scene, statement in TRUE)


def count_by_rule() -> tuple[Counter[str], Counter[str], int, int]:
    """The same over random tiles, and the number of true sentences."""
    rng = random.Random(1)
    planted, found, refused, true = Counter[str](), Counter[str](), 0, 0
    for _ in range(TILES):
        facts = random_facts(rng)
        for claim in true_claims(facts):
            true += 1
            refused += bool(faults_of(Statement(say(claim), (claim,)), facts))
            for false in spoiled(claim, facts, rng):
                for where, text, stated in (
                    ("both", say(false), false),
                    ("words", say(false), claim),
                    ("claim", say(claim), false),
                ):
                    kind = f"{claim.kind}, in the {where}" if where != "both" else f"{claim.kind}, in claim and words"
                    planted[kind] += 1
                    found[kind] += bool(faults_of(Statement(text, (stated,)), facts))
    return planted, found, refused, true


def main() -> None:
    by_hand, found_by_hand, refused_by_hand = count_by_hand()
    by_rule, found_by_rule, refused_by_rule, true = count_by_rule()
    for name in by_rule:
        print(f"{name:40} {found_by_rule[name]:6} of {by_rule[name]:6}")
    missed = [name for name in by_hand if found_by_hand[name] < by_hand[name]]
    print(
        f"by hand: {len(by_hand)} kinds, missed: {', '.join(missed) or 'none'}; {refused_by_hand} of {len(TRUE)} true refused"
    )
    planted, found = (one.total() + other.total() for one, other in ((by_hand, by_rule), (found_by_hand, found_by_rule)))
    refused = refused_by_hand + refused_by_rule
    kinds = len(by_hand) + len(by_rule)
    print(f"all: {kinds} kinds, {planted} errors, recall {found / planted:.4f}, precision {found / (found + refused):.4f}")
    print(f"of {true + len(TRUE)} true sentences {refused} are refused")


if __name__ == "__main__":
    main()
