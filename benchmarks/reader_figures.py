"""What the reader of free English (rsflow.instructions.reader) finds, wrongly rejects and leaves unread.

Planted errors. A line of a file of texts is about one scene, and every fact that can be planted wrongly stands in braces
behind the kind of its error: "{counts:Five|Four} ships lie {positions:on the left|at the top}". With the first choice
everywhere it is true; each further choice, put in alone, makes one text with one error. `>>` parts the turns of a
conversation, `\\n` is a line break, and the number in a mark is that of an object of the scene, 98 a box beside the picture
and 99 one without an area. Lines stand under the name of their batch (#) and of their scene (##). reader_texts.txt is our own
wording, which the reader was mended with. `--texts FILE --scenes FILE.py` holds wording of others, with scenes in a
dictionary `SC`.

Captions. `--captions FOLDER` holds captions of real sets as lists, `NAME_caps.txt` beside `NAME_files.txt`, several captions
a picture (the form of https://github.com/xiaoyuan1996/AMFMN). Where at least two captions of a picture give the same number
of one kind of thing and none another, that number is the label: these captions are true, and untrue of labels with one or
three more, one fewer and none.

Per kind: recall, the share of its errors that is rejected, and unread, the share for which nothing was compared. Over all:
precision (of the texts rejected, those with an error) and the true texts that are rejected. Run it as `python
benchmarks/reader_figures.py`. It ends with 1 where a true text of our own wording is rejected.
"""

from __future__ import annotations

import argparse
import random
import re
import runpy
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reader_scenes import SCENES

from rsflow.instructions.checks import FORM_CHECKS, check, count_unread
from rsflow.instructions.wording import english
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts
from rsflow.spatial.geometry import Box
from rsflow.text.turns import Turn

OWN = Path(__file__).with_name("reader_texts.txt")
_SLOT = re.compile(r"\{([a-z_0-9]+):([^{}]*)\}")
_MARK = re.compile(r"\[\[([^\[\]|]*)\|([\d,]+|\{box:[^{}]*\})\]\]")
_BAD_BOXES: dict[int, Box] = {98: (1200.0, 40.0, 1400.0, 90.0), 99: (300.0, 300.0, 300.0, 340.0)}
_ESCAPED = {"<LB>": "{", "<RB>": "}", "<PIPE>": "<|object_ref_start|>ship<|object_ref_end|>", "<IM>": "<|im_end|>", "\\n": "\n"}
_NOUNS = {
    "plane": "plane|airplane|aircraft",
    "ship": "ship|boat",
    "baseball field": "baseball field|baseball diamond",
    "basketball court": "basketball court|basketball field",
    **{name: name for name in ("tennis court", "storage tank", "bridge", "swimming pool", "football field", "roundabout")},
}
_NUMBERS = {word: number for number, word in enumerate(english.NUMBER_WORDS) if number}
_ADJECTIVES = "small|large|big|white|blue|green|red|grey|gray|different|long|orange|black"


class Example(NamedTuple):
    """A text about a tile and the kind of its error (empty for a true one)."""

    facts: TileFacts
    instruction: Instruction
    kind: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="a file of texts by other authors")
    parser.add_argument("--scenes", type=Path, help="a Python file with the scenes of these texts")
    parser.add_argument("--captions", type=Path, help="a folder of lists of captions")
    parser.add_argument("--show", action="store_true", help="print the true texts that are rejected")
    options = parser.parse_args()
    wrong = report("our own wording", list(planted(OWN, SCENES)), options.show)
    if options.texts:
        report(options.texts.name, list(planted(options.texts, runpy.run_path(str(options.scenes))["SC"])), options.show)
    if options.captions:
        report(options.captions.name, list(captioned(options.captions)), options.show)
    return 1 if wrong else 0


def report(title: str, examples: Sequence[Example], show: bool) -> int:
    """Prints the table of a set of texts; how many true ones are rejected."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for facts, instruction, kind in examples:
        findings = check(facts, instruction)
        wrong = [one for one in findings if one.contradiction]
        row = found[kind]
        row.update(texts=1, rejected=bool(wrong), silent=all(one.check in FORM_CHECKS for one in findings))
        sentences, unread = count_unread(instruction, findings)
        row.update(sentences=sentences, unread=unread)
        if wrong and not kind and show:
            print(f"rejected: {' >> '.join(turn.text for turn in instruction.turns)}\n    {wrong[0]}")
    true = found.pop("")
    errors = sum((row for row in found.values()), Counter[str]())
    print(f"{title}\n{'kind':16}{'planted':>8}{'recall':>8}{'unread':>8}")
    for kind, row in [*sorted(found.items()), ("all", errors)]:
        print(f"{kind:16}{row['texts']:8}{row['rejected'] / row['texts']:8.2f}{row['silent'] / row['texts']:8.2f}")
    print(f"precision {errors['rejected'] / (errors['rejected'] + true['rejected']):.4f}, ", end="")
    print(f"{true['rejected']} of {true['texts']} true texts rejected, ", end="")
    print(f"{true['unread']} of {true['sentences']} of their sentences unread ({true['unread'] / true['sentences']:.1%})\n")
    return true["rejected"]


# --- texts with planted errors


def planted(place: Path, scenes: Mapping[str, TileFacts]) -> Iterator[Example]:
    scene = ""
    for line in place.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            scene = line[3:]
        elif line and not line.startswith("# "):
            for kind, text in variants(line):
                yield Example(scenes[scene], instruction(scenes[scene], text), kind)


def variants(line: str) -> Iterator[tuple[str, str]]:
    """(kind, text): the true text first, under an empty name, then one text for each planted error."""
    hidden = _MARK.sub(lambda mark: f"[[{mark[1]}\0{mark[2]}]]", line)  # the bars of marks part no choices
    slots = [(slot[1], slot[2].split("|")) for slot in _SLOT.finditer(hidden)]
    parts = _SLOT.sub("\1", hidden).split("\1")
    true = [choices[0] for _, choices in slots]
    yield "", fill(parts, true)
    for place, (kind, choices) in enumerate(slots):
        for wrong in choices[1:]:
            yield kind, fill(parts, [*true[:place], wrong, *true[place + 1 :]])


def fill(parts: Sequence[str], choices: Sequence[str]) -> str:
    text = "".join(part + choice for part, choice in zip(parts, [*choices, ""], strict=True)).replace("\0", "|")
    for escaped, plain in _ESCAPED.items():
        text = text.replace(escaped, plain)
    return text


def instruction(facts: TileFacts, text: str) -> Instruction:
    parts = text.split(" >> ")
    if len(parts) == 1:
        parts = ["Please describe this image in detail.", *parts]
    boxes: list[Box] = []
    turns = tuple(Turn("assistant" if n % 2 else "user", _renumber(part, facts, boxes)) for n, part in enumerate(parts))
    return Instruction("description", turns, tuple(boxes), (), {"kind": "text"}, "planted")


def _renumber(text: str, facts: TileFacts, boxes: list[Box]) -> str:
    """With marks that number the boxes of the text alone, which are put behind `boxes`."""
    objects = dict(enumerate(label.shape.box for label in facts.labels if label.kind == "box" and label.shape)) | _BAD_BOXES

    def own(mark: re.Match[str]) -> str:
        first = len(boxes)
        boxes.extend(objects[int(number)] for number in mark[2].split(","))
        return f"[[{mark[1]}|{','.join(map(str, range(first, len(boxes))))}]]"

    return _MARK.sub(own, text)


# --- captions of real sets


def captioned(folder: Path) -> Iterator[Example]:
    for picture, captions in sorted(read_captions(folder).items()):
        for noun, names in _NOUNS.items():
            numbers = {caption: count_in(caption, names) for caption in captions}
            agreed = Counter(number for number in numbers.values() if number)
            if len(agreed) != 1 or max(agreed.values()) < 2:
                continue
            (number,) = agreed
            for caption in (caption for caption, said in numbers.items() if said == number):
                text = instruction(TileFacts("", "optical", 1, 1, None, ()), caption)
                yield Example(labelled(noun, number, picture), text, "")
                for more in (1, 3):
                    yield Example(labelled(noun, number + more, picture), text, "too few")
                if number > 1:
                    yield Example(labelled(noun, number - 1, picture), text, "too many")
                yield Example(labelled(noun, 0, picture), text, "not there")


def read_captions(folder: Path) -> dict[str, list[str]]:
    """By set and picture: its captions, each once."""
    found: dict[str, list[str]] = defaultdict(list)
    for place in sorted(folder.glob("*_caps.txt")):
        captions = [line.strip() for line in place.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        names = place.with_name(place.name.replace("_caps", "_files")).read_text().split()
        for number, caption in enumerate(captions):
            name = names[number * len(names) // len(captions)]
            found[f"{place.name.split('_')[0]}/{name}"] += [caption] if caption not in found[f"{place.name}/{name}"] else []
    return found


def count_in(caption: str, names: str) -> int | None:
    """The number that a caption gives of a thing that it names once; None for any other caption."""
    number = rf"\b({'|'.join(_NUMBERS)})\s+(?:(?:{_ADJECTIVES})\s+)*(?:{names})(?:e?s)?\b"
    given = re.findall(number, caption.lower())
    return _NUMBERS[given[0]] if len(given) == 1 == len(re.findall(rf"\b(?:{names})(?:e?s)?\b", caption.lower())) else None


def labelled(noun: str, number: int, seed: str) -> TileFacts:
    """A tile with so many things of one kind. Where they lie is by chance."""
    cells = [(x, y) for x in range(5) for y in range(5)]
    random.Random(seed).shuffle(cells)
    boxes = [(x * 44 + 4.0, y * 44 + 4.0, x * 44 + 30.0, y * 44 + 20.0) for x, y in cells[:number]]
    labels = tuple(Label("box", noun, Provenance("annotation", "caption"), Shape(box)) for box in boxes)
    return TileFacts("caption", "optical", 224, 224, None, labels, (noun,))


if __name__ == "__main__":
    sys.exit(main())
