"""Ask a model for texts about tiles from their labels and pictures, and keep what the labels do not contradict.

Work runs in rounds. All tiles of several units are asked for one kind of text at once, so that the engine has enough requests
in flight; accepted texts are part of the prompts of the next round (local, then global, then conversation). An answer that
cannot be parsed, or whose claims fail, is asked for once more with the fault; after that it is a reject, or what is left of it
is kept. Of texts without claims, the pairs of a conversation that contradict the labels are dropped where enough pairs remain,
else the text.

Units are processed in groups just large enough for that, and the receipts of a group are yielded together; the pictures of the
next group are read meanwhile. A text does not depend on its group; its cost may, where two tiles send the same request.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pyarrow as pa

from rsflow.config import settings as config
from rsflow.config.generation_settings import Generation
from rsflow.config.settings import BuildConfig
from rsflow.errors import DataError
from rsflow.generation import Allowance, Engine, Failure, LocalAllowance, RecordedEngine, Request, Response, from_settings
from rsflow.instructions import instruction_id
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.prompts import (
    KINDS,
    VERSION,
    CustomPrompt,
    PromptContext,
    PromptText,
    ReviewedAnswer,
    TextKind,
    load_custom_prompts,
    parse_answer,
    prompt_digests,
    repair_prompt,
    review_answer,
    text_kinds,
)
from rsflow.instructions.wording.hash_choice import hash_number
from rsflow.lake.receipts import receipt_table, reject_row, unit_mark
from rsflow.lake.tile_files import read_pictures
from rsflow.records import Instruction
from rsflow.schemas import label_sort_key
from rsflow.stage import BatchFunction, Resources
from rsflow.stages.generate.generated_texts import Draft, Question, group_units, keep_consistent, list_faults
from rsflow.stages.generate.judge_texts import Judge
from rsflow.stages.instruct.instruct_tiles import facts_of, instruction_row
from rsflow.stages.predict.picture_batches import prefetch

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class GenerateTiles:
    """PICTURE_WORK rows in, one RECEIPTS row out per row. `written_from`: the model and the digests of the prompts."""

    engine: Engine
    generation: Generation
    instructions: config.Instructions
    labels: config.Labels
    seed: int
    written_from: tuple[str, ...]
    root: str = field(compare=False)  # of the lake
    prompts: tuple[CustomPrompt, ...] = ()
    judge: Engine | None = None  # reads texts without claims; its identity is the second of `written_from`
    allowance: Allowance | None = field(default=None, compare=False)  # None: no limit
    version: ClassVar[int] = VERSION

    @classmethod
    def of(cls, built: BuildConfig) -> GenerateTiles | None:
        """What the configuration asks for; None where only rules are to write."""
        settings = built.generation
        if settings is None:
            return None
        engine = from_settings(settings.engine)
        prompts = load_custom_prompts(settings.prompts)
        bases = {kind for kind in settings.kinds if kind in KINDS} | {prompt.base for prompt in prompts}
        judge = from_settings(settings.reader.engine) if settings.reader.engine else None
        judged_by = (judge.model_identity, *prompt_digests(("reader",))) if judge else ()
        written_from = (engine.model_identity, *judged_by, *prompt_digests(tuple(sorted(bases))))
        return cls(engine, settings, built.instructions, built.labels, built.seed, written_from, built.root, prompts, judge)

    @property
    def compares(self) -> bool:
        """Whether it draws on tiles of other sensors on the same ground."""
        return any(kind.both_pictures for kind in self.kinds.values())

    @property
    def kinds(self) -> dict[str, TextKind]:
        return text_kinds(self.generation)

    @property
    def name(self) -> str:
        return f"{self.engine.name} {self.written_from[0].partition('@')[0]}"

    @property
    def busy_with(self) -> int:
        return self.engine.requests_in_flight

    @property
    def resources(self) -> Resources:
        return self.engine.resources

    def open(self) -> BatchFunction:
        allowance = self.allowance or LocalAllowance()
        ask = RecordedEngine(self.engine, self.root, self.written_from[0], allowance)
        judge = self._open_judge(allowance)

        def generate(table: pa.Table) -> Iterator[pa.Table]:
            groups = group_units(table.to_pylist(), self.engine.requests_in_flight)
            left = (units for units in groups if not ask.attempts.is_stopped)
            for (units, drafts), waited in prefetch((units, [self._drafts(unit) for unit in units]) for units in left):
                yield from self._written(units, drafts, ask, judge, waited)

        return generate

    def _open_judge(self, allowance: Allowance) -> Judge | None:
        mode = self.generation.reader.name
        if self.judge is None or mode == "rules":
            return None
        return Judge(RecordedEngine(self.judge, self.root, self.written_from[1], allowance), mode, self._count)

    def _written(
        self, units: list[dict[str, Any]], drafts: list[list[Draft]], ask: RecordedEngine, judge: Judge | None, waited: float
    ) -> Iterator[pa.Table]:
        loaded = ask.load_seconds
        for kinds in self._rounds():
            every = [draft for mine in drafts for draft in mine]
            prompts = [(draft, kind, self._prompt(draft, kind)) for draft in every for kind in kinds if draft.is_asked(kind)]
            questions = [Question(draft, kind, prompt) for draft, kind, prompt in prompts if prompt]
            again = self._answered(questions, ask, judge, last=False)
            self._answered(again, ask, judge, last=True)
        times = {"read_seconds": waited, "load_seconds": ask.load_seconds - loaded}
        for unit, mine in zip(units, drafts, strict=True):
            if all(draft.is_answered for draft in mine):
                yield self._receipt(unit, mine, times)
                times = {}  # of the whole group: on its first receipt

    def _prompt(self, draft: Draft, kind: str) -> PromptText | None:
        """What to ask for a kind of text, None for no request."""
        own = next((each for each in self.prompts if each.fits(kind, draft.tile["sensor"], draft.source)), None)
        if own is None:
            return KINDS[kind].make_prompt(draft.context) if kind in KINDS else None
        return KINDS[own.base].make_prompt(replace(draft.context, prompts={own.base: own.prompt}))

    def _rounds(self) -> list[list[str]]:
        """The wanted kinds, each after those whose texts it draws on."""
        rounds: dict[str, int] = {}
        for name, kind in self.kinds.items():
            rounds[name] = 1 + max((rounds[each] for each in kind.draws_on if each in rounds), default=-1)
        return [[kind for kind in rounds if rounds[kind] == number] for number in range(max(rounds.values()) + 1)]

    def _drafts(self, unit: dict[str, Any]) -> list[Draft]:
        """The unit's tiles of which something is known, in the order of their ids."""
        labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in unit["labels"]:
            labels[row["tile_id"]].append(row)
        kinds = {row["tile_id"]: frozenset(row["kinds"]) for row in unit["asked"] or []}
        others = {tile["companion_of"]: tile for tile in unit["others"] or []}
        pictures = read_pictures(self.root, [*unit["tiles"], *others.values()])

        def draft_of(tile: dict[str, Any]) -> Draft:
            mine = sorted(labels[tile["tile_id"]], key=lambda row: label_sort_key(row["label_id"]))
            facts = facts_of(tile, mine)
            kept = tile_facts.trusted_labels(facts, self.labels)
            context = PromptContext(
                tile_facts.with_labels(facts, kept), self.instructions, self.generation.max_objects, self.seed
            )
            label_ids, picture = [row["label_id"] for row in mine], pictures[tile["tile_id"]]
            return Draft(tile, unit["source"], self.kinds, context, kept, label_ids, picture, asked=kinds.get(tile["tile_id"]))

        drafts = [draft_of(tile) for tile in sorted(unit["tiles"], key=lambda tile: str(tile["tile_id"]))]
        for draft in drafts:
            companion = others.get(draft.tile["tile_id"])
            other = draft_of(companion) if companion else None
            if other and other.kept:
                draft.context, draft.other = replace(draft.context, other=other.context.facts), other.picture
        return [draft for draft in drafts if draft.kept]

    def _answered(self, questions: Sequence[Question], ask: RecordedEngine, judge: Judge | None, last: bool) -> list[Question]:
        """Ask, and take in what comes; the questions to be put again, which are none the last time."""
        again: dict[int, Question] = {}
        unsent = set(range(len(questions)))
        ready: list[tuple[Question, ReviewedAnswer]] = []
        for position, outcome in ask([self._request(question) for question in questions]):
            unsent.remove(position)
            question = questions[position]
            draft, kind = question.draft, question.kind
            draft.usage["texts"] += 0 if last else 1
            self._count(draft, outcome)
            if isinstance(outcome, Failure):
                draft.fail(kind, outcome.reason, outcome.detail)
                continue
            try:
                answer: Any = parse_answer(question.prompt.answer_type, outcome.text)
            except DataError as error:
                cut = f" (it was cut off after {self.generation.max_tokens} tokens: be shorter)"
                fault = error.detail + (cut if outcome.finish_reason == "length" else "")
                if last:
                    draft.fail(kind, error.reason, f"{fault}; found {outcome.text[:_SHOWN]!r}")
                else:
                    draft.usage["repairs"] += 1
                    again[position] = Question(draft, kind, repair_prompt(question.prompt, outcome.text, fault))
                continue
            reviewed = review_answer(draft.context, answer)
            if reviewed.faults and not last:
                draft.usage["repairs"] += 1
                again[position] = Question(
                    draft, kind, repair_prompt(question.prompt, outcome.text, list_faults(reviewed.faults))
                )
                continue
            draft.perplexity[kind] = outcome.perplexity
            ready.append((question, reviewed))
        self._take_in(ready, judge)
        for position in unsent:
            questions[position].draft.is_answered = False
        return [again[position] for position in sorted(again)]

    def _request(self, question: Question) -> Request:
        draft, settings = question.draft, self.generation
        shown = [draft.picture, draft.other] if self.kinds[question.kind].both_pictures else [draft.picture]
        seed = hash_number(self.seed, draft.tile["tile_id"], question.kind) >> 33  # 31 bits: what every engine takes
        prompt = question.prompt
        return Request(
            prompt.system,
            prompt.text,
            tuple(shown),
            prompt.schema,
            settings.max_tokens,
            settings.temperature,
            seed,
            settings.detail or "",
            source=draft.source,
            kind=question.kind,
        )

    def _count(self, draft: Draft, outcome: Response | Failure) -> None:
        """Add what a request took. `requests` are those that were sent, retries among them; recorded answers take nothing."""
        usage = {"requests": 0 if outcome.replayed else 1 + outcome.retries, "retries": outcome.retries}
        usage |= {"tokens_in": outcome.tokens_in, "tokens_out": outcome.tokens_out, "replayed": int(outcome.replayed)}
        if isinstance(outcome, Failure):
            draft.add_usage({**usage, "money": outcome.money, "failures": 1})
        else:
            draft.add_usage({**usage, "money": outcome.money, self.engine.seconds_counted_as: outcome.seconds})

    def _take_in(self, answers: Sequence[tuple[Question, ReviewedAnswer]], judge: Judge | None) -> None:
        """Keep of the texts of a round what the labels do not contradict."""
        made = [self._instructions(question, reviewed) for question, reviewed in answers]
        plain = [
            (question.draft, question.kind, text)
            for (question, reviewed), texts in zip(answers, made, strict=True)
            for text in texts
            if not reviewed.has_claims
        ]
        findings = iter(judge.read(plain, self.generation.max_tokens) if judge and plain else ())
        for (question, reviewed), texts in zip(answers, made, strict=True):
            draft = question.draft
            draft.count_review(question.kind, reviewed)
            own = [None if reviewed.has_claims else next(findings, None) for _ in texts]
            checked = [
                keep_consistent(draft, question.kind, text, reviewed.has_claims, found)
                for text, found in zip(texts, own, strict=True)
            ]
            draft.made[question.kind] = [text for text in checked if text]
            draft.context = self.kinds[question.kind].add_context(draft.context, draft.made[question.kind])

    def _instructions(self, question: Question, reviewed: ReviewedAnswer) -> list[Instruction]:
        if reviewed.answer is None:
            return []
        generator = f"model:{self.written_from[0]}/{question.prompt.prompt.identity}"
        made = self.kinds[question.kind].make_instructions(question.draft.context, reviewed.answer)
        return [replace(text, generator=generator) for text in made]

    def _receipt(self, unit: dict[str, Any], drafts: list[Draft], times: dict[str, float]) -> pa.Table:
        made = [row for draft in drafts for row in self._rows(draft)]
        lost = [reject for draft in drafts for kind in self.kinds for reject in draft.rejects[kind]]
        rejects = [reject_row(unit, "generate", reject, rows=0) for reject in lost]
        spent = Counter(times)
        for draft in drafts:
            spent.update(draft.usage)
        usage = [{"name": name, "value": float(spent[name])} for name in sorted(spent)]
        read = sum(len(draft.picture) for draft in drafts)
        marks = unit_mark(unit, "generate", len(unit["tiles"]), bytes_read=read, usage=usage)
        return receipt_table(marks, instructions=made, rejects=rejects)

    def _rows(self, draft: Draft) -> Iterator[dict[str, Any]]:
        """INSTRUCTIONS rows of a tile, in the order of the kinds: at most `per_task` of a task, no two alike."""
        tile_id, counts = draft.tile["tile_id"], Counter[str]()
        found = {instruction_id(tile_id, one): (kind, one) for kind in self.kinds for one in draft.made.get(kind, [])}
        for kind, one in found.values():
            counts[one.task] += 1
            if counts[one.task] <= self.instructions.per_task:
                positions = tuple(draft.kept[position] for position in one.labels)
                row = instruction_row(tile_id, replace(one, labels=positions), draft.label_ids)
                yield {**row, "perplexity": draft.perplexity[kind]}
