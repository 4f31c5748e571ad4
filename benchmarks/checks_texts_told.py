"""Precision and recall of the checks on sentences as people and models write them, batch by batch.

One idea: a line of checks_texts_told.txt is a text about one scene (checks_texts_scenes.py), in which every fact that can be
planted wrongly stands in braces, after the check that has to find it: "{counts:Five|Four} ships lie {positions:on the left|at
the top}". With the first choice everywhere it is true; each further choice, put in alone, makes one text with one error. So
nothing has to be filled in, and sentences can be as free as people write them.

`>>` parts the turns of a conversation, `\\n` is a line break, and the number in a mark is that of an object of the scene, 98 a
box beside the picture and 99 one without an area. Lines stand under the name of their batch (#) and of their scene (##).
Each batch was written before anybody had seen how the checks treat it; docs/checks.md has what it gave then. What this script
prints is of wording that the checks have been mended with since.

Per check: recall, the share of its errors that it finds, and that any check finds; open, the share for which it had nothing to
compare, so that it kept silent and did not say that they are right; precision, of the texts that it rejects, those with an
error.

Run it as `python benchmarks/checks_texts_told.py [--batch u4] [--show]`; it ends with 1 where precision is below 0.95.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from checks_texts_scenes import SCENES

from rsflow.instructions.checks import CHECKS, Finding, check
from rsflow.records import Instruction, TileFacts
from rsflow.spatial.geometry import Box
from rsflow.text.turns import Turn

PRECISION = 0.95
TOLD = Path(__file__).with_suffix(".txt")
_SLOT = re.compile(r"\{([a-z_]+):([^{}]*)\}")
_MARK = re.compile(r"\[\[([^\[\]|]*)\|([\d,]+)\]\]")
_BAD_BOXES: dict[int, Box] = {98: (1200.0, 40.0, 1400.0, 90.0), 99: (300.0, 300.0, 300.0, 340.0)}


class Told(NamedTuple):
    """A text about a scene, the check that has to reject it (empty for a true one), and the batch that it was written in."""

    facts: TileFacts
    instruction: Instruction
    check: str
    batch: str


Result = tuple[Told, tuple[Finding, ...]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", default="", help="one batch alone")
    parser.add_argument("--show", action="store_true", help="print what is missed or wrongly rejected")
    asked = parser.parse_args()
    results = [(text, check(text.facts, text.instruction)) for text in told() if text.batch == asked.batch or not asked.batch]
    batches = list(dict.fromkeys(text.batch for text, _ in results))
    precise = [report(batch, [row for row in results if row[0].batch == batch]) for batch in batches]
    if asked.show:
        show(results)
    return 0 if precise and all(precise) else 1


def told() -> Iterator[Told]:
    """Every line of the file, true and with each of its errors."""
    batch = scene = ""
    for line in TOLD.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            batch = line[2:]
        elif line.startswith("## "):
            scene = line[3:]
        elif line:
            for name, text in variants(line):
                yield Told(SCENES[scene], instruction(SCENES[scene], text), name, batch)


def variants(line: str) -> Iterator[tuple[str, str]]:
    """(check, text): the true text first, under an empty name, then one text for each planted error."""
    hidden = _MARK.sub(lambda mark: f"[[{mark[1]}\0{mark[2]}]]", line)  # the bars of marks part no choices
    slots = [(slot[1], slot[2].split("|")) for slot in _SLOT.finditer(hidden)]
    plain = _SLOT.sub("{}", hidden).replace("\\n", "\n")
    true = [choices[0] for _, choices in slots]
    yield "", plain.format(*true).replace("\0", "|")
    for place, (name, choices) in enumerate(slots):
        for wrong in choices[1:]:
            yield name, plain.format(*true[:place], wrong, *true[place + 1 :]).replace("\0", "|")


def instruction(facts: TileFacts, text: str) -> Instruction:
    said = text.split(" >> ")
    if len(said) == 1:
        said = ["Describe this image in detail.", *said]
    boxes: list[Box] = []
    turns = tuple(
        Turn("assistant" if place % 2 else "user", _renumbered(part, facts, boxes)) for place, part in enumerate(said)
    )
    return Instruction("description", turns, tuple(boxes), (), {"kind": "text"}, "told")


def _renumbered(text: str, facts: TileFacts, boxes: list[Box]) -> str:
    """With marks that number the boxes of the text alone, which are put behind `boxes`."""
    objects = dict(enumerate(label.shape.box for label in facts.labels if label.kind == "box" and label.shape)) | _BAD_BOXES

    def own(mark: re.Match[str]) -> str:
        first = len(boxes)
        boxes.extend(objects[int(number)] for number in mark[2].split(","))
        return f"[[{mark[1]}|{','.join(map(str, range(first, len(boxes))))}]]"

    return _MARK.sub(own, text)


def report(batch: str, results: Sequence[Result]) -> bool:
    """Prints the table of a batch; whether it is precise enough."""
    print(f"{batch:14}{'planted':>8}{'recall':>8}{'any':>8}{'open':>8}{'precision':>11}")
    found = errors = by_any = 0
    for name in CHECKS:
        planted = [findings for text, findings in results if text.check == name]
        caught = sum(name in rejected(findings) for findings in planted)
        either = sum(bool(rejected(findings)) for findings in planted)
        silent = sum(name not in {one.check for one in findings} for findings in planted)
        good = sum(name in rejected(findings) for text, findings in results if text.check)
        bad = sum(name in rejected(findings) for text, findings in results if not text.check)
        if planted or bad:
            print(
                f"{name:14}{len(planted):8}{_share(caught, planted)}{_share(either, planted)}{_share(silent, planted)}", end=""
            )
            print(f"{good / (good + bad):11.3f}" if good + bad else f"{'-':>11}")
        found, errors, by_any = found + caught, errors + len(planted), by_any + either
    right = sum(bool(rejected(findings)) for text, findings in results if text.check)
    true = [findings for text, findings in results if not text.check]
    wrong = sum(bool(rejected(findings)) for findings in true)
    precision = right / (right + wrong)
    print(f"{'all':14}{errors:8}{found / errors:8.3f}{by_any / errors:8.3f}{'':8}{precision:11.3f}")
    print(f"{wrong} of {len(true)} true texts rejected\n")
    return precision >= PRECISION


def rejected(findings: Sequence[Finding]) -> set[str]:
    return {found.check for found in findings if found.contradiction}


def _share(part: int, whole: Sequence[object]) -> str:
    return f"{part / len(whole):8.3f}" if whole else f"{'-':>8}"


def show(results: Sequence[Result]) -> None:
    for text, findings in results:
        if text.check not in rejected(findings) if text.check else rejected(findings):
            said = " >> ".join(turn.text for turn in text.instruction.turns)
            print(f"{'missed' if text.check else 'wrong'} {text.batch} {text.check}: {said}")
            for found in findings:
                if found.contradiction or found.check == text.check:
                    print(f"    {found}")


if __name__ == "__main__":
    sys.exit(main())
