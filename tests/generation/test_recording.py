"""Recorded answers: nothing is asked twice, nothing is paid twice, and a full record needs no engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rsflow.errors import LakeError, RsflowError
from rsflow.files import storage
from rsflow.generation import Attempts, Failure, RecordedEngine, Request, Response
from rsflow.generation.contract import Outcome, report_outcome
from rsflow.generation.recording import MAX_CONSECUTIVE_FAILURES
from rsflow.generation.spending.costs import list_costs
from rsflow.stage import Resources


@dataclass(frozen=True)
class Parrot:
    """Repeats the question, backwards in order; what asks it to fail fails. `log` sees every request."""

    name: ClassVar[str] = "parrot"
    version: ClassVar[int] = 1
    seconds_counted_as: ClassVar[str] = "device_seconds"
    resources: ClassVar[Resources] = Resources()
    requests_in_flight: ClassVar[int] = 1
    model_identity: str = "parrot@1"
    log: list[str] = field(default_factory=list, compare=False)

    def open(self) -> Any:
        self.log.append("open")
        return self._ask

    def _ask(self, requests: Sequence[Request], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
        for position in reversed(range(len(requests))):
            if not attempts.begin(requests[position]):
                return
            text = requests[position].prompt
            self.log.append(text)
            failure = Failure("refused" if "refuse" in text else "lost", text, tokens_in=5, money=0.05)
            outcome = failure if "fail" in text else Response(text, 5, 2, 0.1, 1.5)
            report_outcome(attempts, requests[position], outcome)
            yield position, outcome


def recorded(engine: Parrot, root: Path) -> RecordedEngine:
    return RecordedEngine(engine, str(root), engine.model_identity)


def outcomes(asker: RecordedEngine, *texts: str) -> list[Any]:
    found = dict(asker([Request("s", text) for text in texts]))
    return [found[i] for i in range(len(texts))]


def test_the_second_time_nothing_is_asked_or_paid(tmp_path: Path) -> None:
    first, second = Parrot(), Parrot()
    told = outcomes(recorded(first, tmp_path), "a", "b")
    assert [(one.text, one.tokens_in, one.money, one.replayed) for one in told] == [("a", 5, 0.1, False), ("b", 5, 0.1, False)]
    again = outcomes(recorded(second, tmp_path), "b", "a")
    assert [one.text for one in again] == ["b", "a"]
    assert all(one.replayed and one.tokens_in == one.tokens_out == one.money == one.seconds == 0 for one in again)
    assert second.log == []  # not even opened


def test_a_run_goes_on_at_the_request_where_it_stopped(tmp_path: Path) -> None:
    texts = [f"t{i}" for i in range(6)]
    asked = recorded(Parrot(), tmp_path)([Request("s", text) for text in texts])
    kept = [next(asked)[1], next(asked)[1]]
    asked.close()
    later = Parrot()
    outcomes(recorded(later, tmp_path), *texts)
    assert sorted(later.log[1:]) == sorted(set(texts) - {one.text for one in kept if isinstance(one, Response)})


def test_equal_requests_are_asked_once(tmp_path: Path) -> None:
    engine = Parrot()
    told = outcomes(recorded(engine, tmp_path), "a", "a", "b", "a")
    assert [one.text for one in told] == ["a", "a", "b", "a"]
    assert sorted(engine.log) == ["a", "b", "open"]
    assert sum(one.money for one in told) == pytest.approx(0.2)


def test_failures_are_not_recorded(tmp_path: Path) -> None:
    assert isinstance(outcomes(recorded(Parrot(), tmp_path), "fail")[0], Failure)
    engine = Parrot()
    outcomes(recorded(engine, tmp_path), "fail")
    assert engine.log == ["open", "fail"]


def test_an_engine_that_only_fails_ends_the_run(tmp_path: Path) -> None:
    asker = recorded(Parrot(), tmp_path)
    texts = [f"fail {i}" for i in range(MAX_CONSECUTIVE_FAILURES - 1)]
    outcomes(asker, *texts)
    assert isinstance(outcomes(asker, "well")[0], Response)  # which breaks the row
    outcomes(asker, *texts)
    with pytest.raises(RsflowError, match=f"{MAX_CONSECUTIVE_FAILURES} requests failed one after another, the last with lost"):
        outcomes(asker, "fail again")


@pytest.mark.parametrize(
    "other",
    [
        {"system": "S"},
        {"prompt": "P"},
        {"pictures": (b"other",)},
        {"pictures": (b"picture", b"picture")},
        {"schema": {"type": "object"}},
        {"max_tokens": 9},
        {"temperature": 0.3},
        {"temperature": 0.5, "seed": 2},
    ],
)
def test_all_that_decides_an_answer_is_in_the_digest(other: dict[str, Any]) -> None:
    base = Request("s", "p", (b"picture",), temperature=0.5 if "seed" in other else 0.0, seed=1)
    assert replace(base, **other).digest != base.digest


def test_a_seed_without_chance_decides_nothing() -> None:
    assert Request("s", "p", seed=1).digest == Request("s", "p", seed=2).digest


def test_another_model_has_other_answers(tmp_path: Path) -> None:
    outcomes(recorded(Parrot(), tmp_path), "a")
    engine = Parrot("parrot@2")
    outcomes(recorded(engine, tmp_path), "a")
    assert engine.log == ["open", "a"]


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    asker = recorded(Parrot(), tmp_path)
    outcomes(asker, "a")
    asker.records.write({asker.record_name(Request("s", "a")): b'{"response": {"text"'})
    with pytest.raises(LakeError, match="is not a recorded response"):
        outcomes(recorded(Parrot(), tmp_path), "a")


def test_answers_that_an_earlier_version_left_as_files_are_not_asked_again(tmp_path: Path) -> None:
    engine = Parrot()
    asker = recorded(engine, tmp_path)
    name, record = asker._record(Request("s", "a"), {"response": {"text": "a"}, "cost": {"tokens_in": 5, "money": 0.1}})
    storage.write_bytes(storage.join(str(tmp_path), name), record)
    attempt = {"engine": "parrot", "model": "parrot@1", "request": "0", "outcome": "failed", "cost": {"money": 0.2}}
    storage.write_bytes(storage.join(str(tmp_path), "spending", "0-1.json"), json.dumps(attempt).encode())
    assert [one.replayed for one in outcomes(asker, "a", "b")] == [True, False]
    assert engine.log == ["open", "b"]
    assert sum(line.cost.money for line in list_costs(str(tmp_path))) == pytest.approx(0.1 + 0.2 + 0.1)


def test_both_of_two_workers_that_paid_for_the_same_answer_are_listed(tmp_path: Path) -> None:
    one, other = recorded(Parrot(), tmp_path), recorded(Parrot(), tmp_path)
    for asker in (one, other):
        asker.attempts.begin(Request("s", "a"))
    for asker in (one, other):
        asker.attempts.answer(Request("s", "a"), Response("a", 5, 2, 0.1))
    (line,) = list_costs(str(tmp_path))
    assert (line.answers, line.cost.money, line.unanswered) == (2, pytest.approx(0.2), 0)


def test_an_attempt_that_two_processes_waited_for_is_listed_once(tmp_path: Path) -> None:
    request = Request("s", "a")
    first, second = recorded(Parrot(), tmp_path), recorded(Parrot(), tmp_path)
    first.attempts.begin(request)
    second.attempts.adopt([request])  # the first is taken for dead
    for asker in (second, first):
        asker.attempts.answer(request, Response("a", 5, 2, 0.1))
    (line,) = list_costs(str(tmp_path))
    assert (line.answers, line.cost.money, line.unanswered) == (1, pytest.approx(0.1), 0)
