"""A judge model reads the texts of a round that came without claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rsflow.errors import DataError
from rsflow.generation import Failure, RecordedEngine, Request, Response
from rsflow.instructions import checks
from rsflow.instructions.checks import Finding
from rsflow.instructions.claims.schema import ReadText
from rsflow.instructions.prompts import parse_answer
from rsflow.instructions.prompts.review_answer import claim_facts
from rsflow.instructions.prompts.text_reader import judge_findings, reader_prompt, split_answers
from rsflow.records import Instruction
from rsflow.stages.generate.generated_texts import Draft

KIND = "reader"  # of its requests, as costs are listed

Text = tuple[Draft, str, Instruction]  # with the kind of text


@dataclass(frozen=True, slots=True)
class Judge:
    """`make_request` makes a request of a prompt about a draft's pictures; `count` adds its cost to the draft."""

    ask: RecordedEngine
    mode: Literal["judge", "both"]
    count: Callable[[Draft, Response | Failure], None]

    def read(self, texts: Sequence[Text], max_tokens: int) -> list[tuple[Finding, ...]]:
        """What was found in each text. A text that the judge did not read, or whose answer cannot be read, has no findings of
        the judge; one whose request was not sent leaves its tile unanswered."""
        found: list[tuple[Finding, ...]] = [self._rules(draft, text) for draft, _, text in texts]
        unsent = set(range(len(texts)))
        for position, outcome in self.ask([self._request(draft, text, max_tokens) for draft, _, text in texts]):
            draft, _, text = texts[position]
            unsent.remove(position)
            self.count(draft, outcome)
            if isinstance(outcome, Response):
                found[position] += tuple(self._findings(draft, text, outcome.text, found[position]))
        for position in unsent:
            texts[position][0].is_answered = False
        return found

    def _rules(self, draft: Draft, text: Instruction) -> tuple[Finding, ...]:
        """The findings of the rules, on form alone where the judge alone reads."""
        found = checks.check(draft.context.facts, text)
        return found if self.mode == "both" else tuple(one for one in found if one.check in checks.FORM_CHECKS)

    def _request(self, draft: Draft, text: Instruction, max_tokens: int) -> Request:
        prompt = reader_prompt(draft.context, split_answers(text))
        return Request(prompt.system, prompt.text, (draft.picture,), prompt.schema, max_tokens, source=draft.source, kind=KIND)

    def _findings(self, draft: Draft, text: Instruction, answer: str, rules: Sequence[Finding]) -> Iterator[Finding]:
        try:
            read = parse_answer(ReadText, answer)
        except DataError:
            draft.usage["reader_unparsable"] += 1
            return
        content = [one for one in rules if one.check not in checks.FORM_CHECKS]
        yield from judge_findings(read, split_answers(text), claim_facts(draft.context), content, self.mode)
