"""How varied, and how guessable, the texts of a dataset are: python benchmarks/text_variety.py ROOT [SOURCE]

Of the rules' questions before selection and after it, by what they ask (the same kind about the same category): the share of
the commonest answer, for groups of at least LEAST questions; what always giving a group's commonest answer would score; and the
groups above 60 %. Of what was selected: conversations that open with the picture's caption or ask what another instruction of
the sample asks; distinct n-grams of the questions and of the answers (https://arxiv.org/abs/1510.03055, section 5.2); and of
each task the share of its commonest wording. Ends with 1 where a group of the selection passes 60 %, a conversation repeats
something, or a wording passes MOST_TEMPLATE of its task.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from rsflow.curation.answer_share import LEAST, question_and_answer
from rsflow.lake.tables import open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import read_live_rows
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.text.turns import without_marks

MOST = 0.6  # of a kind of question, for one answer
MOST_TEMPLATE = 0.25  # of a task's questions, in one wording
TEMPLATE_LEAST = 60  # questions of a task, from which its wordings are judged: 15 phrasings, each four times

Row = dict[str, Any]


def live_instructions(root: str, source: str | None) -> list[Row]:
    """Everything that rules and models made and that counts, before selection."""
    lake = open_lake(root)
    now = read_live_rows(lake, plan_build(read_config(lake), lake), allow_missing=True)
    rows = now.instructions(["instruction_id", "tile_id", "task", "turns", "answer"]).to_pylist()
    found = [{**row, "answer": json.loads(row["answer"])} for row in rows]
    return [row for row in found if source is None or row["tile_id"].startswith(f"{source}.")]


def selected_samples(root: str, source: str | None) -> Iterator[list[Row]]:
    """The instructions of each sample of the latest snapshot."""
    for split in read_snapshot(root).splits.values():
        for shard in split.shards:
            for sample in ShardReader(root, shard):
                if source in (None, sample.record["source"]):
                    yield sample.record["instructions"]


def majorities(rows: list[Row]) -> dict[str, tuple[int, float]]:
    """Group of questions -> (its size, the share of its commonest answer)."""
    answers = pa.chunked_array([pa.array([json.dumps(row["answer"]) for row in rows], pa.string())])
    groups, values = question_and_answer(pa.chunked_array([pa.array([row["task"] for row in rows], pa.string())]), answers)
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    names: dict[int, str] = {}
    for group, value, row in zip(groups.tolist(), values.tolist(), rows, strict=True):
        if group:
            counts[group][value] += 1
            answer = row["answer"]
            about = [str(answer[name]) for name in ("category", "subject", "object", "name", "chain") if name in answer]
            names[group] = " ".join([row["task"], str(answer["kind"]), *about])
    sizes = {group: found.total() for group, found in counts.items()}
    return {names[g]: (sizes[g], counts[g].most_common(1)[0][1] / sizes[g]) for g in counts if sizes[g] >= LEAST}


def report_majorities(what: str, found: dict[str, tuple[int, float]]) -> int:
    total = sum(size for size, _ in found.values())
    guessed = sum(size * share for size, share in found.values()) / total if total else 0.0
    # One answer of a group may always stay, so a share is compared as a whole number of answers.
    over = {name: one for name, one in found.items() if one[0] * one[1] > np.floor(one[0] * MOST + 1e-9)}
    worst = max(found.items(), key=lambda item: item[1][1], default=None)
    told = f"; the worst: {worst[0]}, {worst[1][1]:.0%} of {worst[1][0]}" if worst else ""
    print(f"{what}: {len(found)} groups of {total} questions; the usual answer is right in {guessed:.0%}; "
          f"over {MOST:.0%}: {len(over)}{told}")  # fmt: skip
    return len(over)


def repeated_conversations(samples: Iterable[list[Row]]) -> tuple[int, int, int]:
    """(conversations, those that open with a caption of their sample, those that ask what another instruction asks)."""
    conversations = opened = repeated = 0
    for instructions in samples:
        captions = {one["turns"][-1]["text"] for one in instructions if one["task"] in ("captioning", "description")}
        asked = {_key(one["answer"]) for one in instructions if one["task"] != "conversation"} - {""}
        for one in (one for one in instructions if one["task"] == "conversation"):
            conversations += 1
            opened += any(one["turns"][1]["text"].startswith(caption.rstrip(".")) for caption in captions)
            answers = [*one["answer"].get("earlier", []), one["answer"]]
            repeated += any(_key(answer) in asked for answer in answers)
    return conversations, opened, repeated


def _key(answer: Row) -> str:
    """What a question asks: its structured answer without numbers of boxes; empty where that does not tell it."""
    known = {
        name: value for name, value in answer.items() if name not in ("box", "boxes", "earlier", "groups", "parts", "polygons")
    }
    is_told = known.get("kind") in ("text", "box", "boxes", "all_boxes")
    return "" if is_told else json.dumps(known, sort_keys=True)


def distinct(texts: list[str], n: int) -> float:
    """Different n-grams of words, as a share of all."""
    grams = Counter(gram for text in texts for gram in _ngrams(re.findall(r"\w+", text.lower()), n))
    return len(grams) / grams.total() if grams else 0.0


def _ngrams(words: list[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(n)), strict=False)


def template(text: str, nouns: list[str]) -> str:
    """The question without numbers, boxes and what it is about."""
    first = without_marks(text).split("\n")[0].lower()
    first = re.sub(r"\d+", "#", first)
    for noun in nouns:
        first = re.sub(rf"\b(?:an? |the )?{re.escape(noun)}(?:s|es)?\b", "*", first)
    return re.sub(r"\b(?:leftmost|rightmost|topmost|bottommost|largest|(?:in|at|on) the (?:upper|lower)? ?\w+)\b", "", first)


def main() -> None:
    root, source = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    before = live_instructions(root, source)
    samples = list(selected_samples(root, source))
    after = [one for instructions in samples for one in instructions]
    report_majorities("before selection", majorities(before))
    failures = report_majorities("after selection", majorities(after))
    conversations, opened, repeated = repeated_conversations(samples)
    print(f"conversations: {conversations}; opening with a caption: {opened}; asking what another instruction asks: {repeated}")
    questions = [turn["text"] for one in after for turn in one["turns"] if turn["role"] == "user"]
    answers = [turn["text"] for one in after for turn in one["turns"] if turn["role"] == "assistant"]
    for what, texts in (("questions", questions), ("answers", answers)):
        shares = ", ".join(f"{n}: {distinct(list(map(without_marks, texts)), n):.3f}" for n in (1, 2, 3))
        print(f"distinct n-grams of {len(texts)} {what}: {shares}")
    nouns = sorted({str(one["answer"]["category"]).lower() for one in after if "category" in one["answer"]}, key=len)[::-1]
    by_task: dict[str, Counter[str]] = defaultdict(Counter)
    for one in after:
        by_task[one["task"]][template(one["turns"][0]["text"], nouns)] += 1
    for task, found in sorted(by_task.items()):
        wording, count = found.most_common(1)[0]
        share = count / found.total()
        failures += share > MOST_TEMPLATE and found.total() >= TEMPLATE_LEAST
        print(f"{task}: {found.total()} questions in {len(found)} wordings; the commonest {share:.0%}: {wording!r}")
    letters = Counter(one["answer"]["letter"] for one in after if one["answer"]["kind"] == "choice")
    print(f"letters of multiple choice: {dict(sorted(letters.items()))}")
    sys.exit(1 if failures or opened or repeated else 0)


if __name__ == "__main__":
    main()
