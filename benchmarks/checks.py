"""Precision and recall of the checks (rsflow.instructions.checks) on planted errors, and texts checked per second.

Made tiles (seeded) give facts of which the truth is known. Texts about them come in two families: the composer's own, in
which one answer is replaced by an untrue one, and sentences in free English (benchmarks/checks_texts.py) whose slots are
filled truly or untruly, two true sentences beside them. Every text with an error has a twin without. Per check:

- recall: the share of texts with its error that it rejects;
- precision: of the texts that it rejects, those that hold an error. Twins, and sentences that are only true, count against it.

Sentences were written in batches before anybody had seen how the checks treat them; `held` marks the last one, whose figures at
first sight are in docs/checks.md. Claims: recall at least 0.9 at a precision of at least 0.95 over all planted errors, no
reject among the composer's own texts, and 5,000 short texts a second on one core.

What the checks are worth on free wording, batch by batch, is benchmarks/checks_texts_told.py.

Run it as `python benchmarks/checks.py [--tiles 300] [--show CHECK]`; it ends with 1 where a claim does not hold.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from checks_texts import FORMS, PHRASES, TEMPLATES, Template

from rsflow.config import settings as config
from rsflow.instructions import compose
from rsflow.instructions.checks import CHECKS, check
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.wording import english
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts
from rsflow.sensors import SENSORS, SensorName
from rsflow.spatial.geometry import Box, bounding_box
from rsflow.text.turns import Turn

RECALL, PRECISION, RATE = 0.9, 0.95, 5000
TRUTH = Provenance("annotation", "made")
VOCABULARIES = (
    ("plane", "ship", "storage-tank", "tennis-court", "harbor", "bridge", "helicopter", "swimming-pool"),
    ("Person", "Car", "Bicycle"),
    ("ship",),
    ("car", "truck", "bus", "motorcycle"),
    ("building", "tree", "wind turbine", "chimney"),
)
COVERS = ("water", "vegetation", "bare soil", "farmland", "tree cover")
COLOURS = ("red", "green", "blue", "brown", "grey", "white", "yellow")
OPPOSITE = {
    "red": "blue",
    "green": "pink",
    "blue": "orange",
    "brown": "blue",
    "grey": "red",
    "white": "green",
    "yellow": "blue",
}
PLACES = ("upper left", "top", "upper right", "left", "centre", "right", "lower left", "bottom", "lower right")
SAID = {"top": "at the top", "bottom": "at the bottom", "left": "on the left", "right": "on the right"}
CHECK_OF = {
    "count": "counts",
    "lone": "counts",
    "vague": "counts",
    "several": "counts",
    "more": "counts",
    "named": "categories",
    "absent": "presence",
    "place": "positions",
    "relation": "relations",
    "size": "sizes",
    "pixel": "sizes",
    "share": "shares",
    "mostly": "shares",
    "no_cover": "shares",
    "hue": "colours",
    "colour": "colours",
    "sensor": "sensor_words",
    "tone": "look",
    "end": "look",
}


@dataclass(frozen=True)
class Text:
    """A text, the check that has to reject it (empty for a true one), where it comes from, and whether its sentence is held."""

    facts: TileFacts
    instruction: Instruction
    check: str
    family: str
    held: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=300)
    parser.add_argument("--show", default="", help="print what this check missed or wrongly rejected, held sentences left out")
    parser.add_argument("--held", action="store_true", help="show held sentences as well")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    tiles = [made_tile(number, asked.seed) for number in range(asked.tiles)]
    texts = [
        text for facts in tiles for text in (*composed(facts), *written(facts, random.Random(f"{asked.seed} {facts.tile_id}")))
    ]
    results = [(text, {found.check for found in check(text.facts, text.instruction) if found.contradiction}) for text in texts]
    good = report(results)
    if asked.show:
        show(results, asked.show, asked.held)
    own = [rejected for text, rejected in results if text.family == "composer" and not text.check]
    print(f"composer's own texts: {sum(map(bool, own))} of {len(own)} rejected (claim: 0)")
    rate = speed(tiles)
    print(f"short texts: {rate:,.0f} a second on one core (claim: {RATE:,})")
    return 0 if good and not any(own) and rate >= RATE else 1


# --- tiles


def made_tile(number: int, seed: int) -> TileFacts:
    """A tile with objects that keep clear of each other, land cover and measured attributes."""
    draw = random.Random(f"{seed} tile {number}")
    sensor: SensorName = draw.choice(("optical", "optical", "sar", "infrared"))
    side, gsd_m = 512, draw.choice((0.1, 0.3, 0.5, 1.0, 10.0))
    vocabulary = draw.choice(VOCABULARIES)
    present = draw.sample(vocabulary, draw.randint(1, max(1, min(3, len(vocabulary) - 1))))
    labels: list[Label] = []
    taken: list[Box] = []
    for category in present:
        for _ in range(draw.choice((1, 1, 2, 3, 4, 5, 7, 9, 30))):
            box = free_box(draw, side, taken)
            if box:
                taken.append(box)
                labels.append(Label("box", category, TRUTH, Shape(box)))
    labels += measured(draw, sensor)
    return TileFacts(f"made/{number}", sensor, side, side, gsd_m, tuple(labels), vocabulary)


def free_box(draw: random.Random, side: int, taken: list[Box]) -> Box | None:
    for _ in range(30):
        width, height = draw.uniform(12, 70), draw.uniform(12, 70)
        x, y = draw.uniform(0, side - width), draw.uniform(0, side - height)
        box = (round(x, 1), round(y, 1), round(x + width, 1), round(y + height, 1))
        if all(box[2] < other[0] or box[0] > other[2] or box[3] < other[1] or box[1] > other[3] for other in taken):
            return box
    return None


def measured(draw: random.Random, sensor: SensorName) -> Iterator[Label]:
    names = draw.sample(COVERS, 3)
    first = draw.choice((0.3, 0.45, 0.65, 0.8))
    second = round((1 - first) * draw.uniform(0.3, 0.8), 2)
    for name, share in zip(names, (first, second, 0.0), strict=True):
        yield Label("cover", name, TRUTH, value=share)
    yield Label("fact", "brightness", TRUTH, text=draw.choice(("dark", "bright", "medium")))
    yield Label("fact", "brightest_part", TRUTH, text=draw.choice(PLACES))
    if sensor == "optical":
        yield Label("fact", "colour", TRUTH, text=draw.choice(COLOURS))


# --- the composer's texts, with and without an error


def composed(facts: TileFacts) -> Iterator[Text]:
    made, _ = compose(facts, config.Instructions(per_task=6), 0, config.Labels())
    for instruction in made:
        yield Text(facts, instruction, "", "composer")
        spoiled = spoil(facts, instruction)
        if spoiled:
            name, turns, boxes = spoiled
            yield Text(facts, replace(instruction, turns=turns, boxes=boxes), name, "composer")


def spoil(facts: TileFacts, instruction: Instruction) -> tuple[str, tuple[Turn, ...], tuple[Any, ...]] | None:
    """The same with an untrue answer, and the check that has to find it; None where no other answer is plainly untrue."""
    answer, boxes = instruction.answer, instruction.boxes
    kind, value = answer["kind"], answer.get("value")
    question, told = instruction.turns[0], instruction.turns[-1].text
    if instruction.task == "vqa":
        found = spoiled_answer(facts, kind, value, answer, question.text)
        return (found[0], (question, Turn("assistant", found[1])), boxes) if found else None
    if kind == "box" and not answer.get("oriented") and facts.gsd_m and answer["category"] in facts.vocabulary:
        x0, y0, x1, y1 = bounding_box(boxes[0])
        outside = (x0 + facts.width_px, y0, x1 + facts.width_px, y1)
        return "boxes", instruction.turns, (outside, *boxes[1:])
    if kind == "boxes" and answer["count"] > 1:
        wrong = told.replace(f"[[{answer['count']} ", f"[[{answer['count'] + 2} ")
        return "counts", (question, Turn("assistant", wrong)), boxes
    return None


def spoiled_answer(facts: TileFacts, kind: str, value: Any, answer: dict[str, Any], question: str) -> tuple[str, str] | None:
    if kind == "count":
        return "counts", str(value + 2)
    if kind == "yes_no":
        cover = answer["category"] in COVERS
        name = "shares" if cover else "positions" if "place" in answer and not value else "presence"
        return name, "no" if value else "yes"
    if kind == "place":
        group = next(group for group in tile_facts.object_groups(facts) if group.category == answer["category"])
        other = elsewhere([thing.box for thing in group.objects], facts)
        return ("positions", other[0]) if other else None
    if kind == "relation":
        turned = {"left": "to the right", "right": "to the left", "above": "below", "below": "above"}
        return "relations", turned[value]
    if kind == "share" and "category" in answer:
        return "shares", f"about {round(100 * (value + 0.3 if value < 0.5 else value - 0.3))}%"
    if kind == "category" and "dominant" in question:
        named = [cover.name for cover in tile_facts.land_covers(facts) if cover.category != value]
        return ("shares", named[0]) if named else None
    if kind == "fact" and value in {"dark", "bright"}:
        return "look", {"dark": "bright", "bright": "dark"}[value]
    return None


def elsewhere(boxes: list[Box], facts: TileFacts) -> list[str]:
    """Places that none of the boxes comes near: their third is empty, with a margin of 5 % of the side."""
    found = []
    for index, name in enumerate(PLACES):
        row, column = divmod(index, 3)
        x0, x1 = (0, 3) if name in {"top", "bottom"} else (column, column + 1)
        y0, y1 = (0, 3) if name in {"left", "right"} else (row, row + 1)
        side, margin = facts.width_px / 3, 0.05 * facts.width_px
        clear = [
            box[2] < x0 * side - margin
            or box[0] > x1 * side + margin
            or box[3] < y0 * side - margin
            or box[1] > y1 * side + margin
            for box in boxes
        ]
        if all(clear):
            found.append(name)
    return found


# --- free English


def written(facts: TileFacts, draw: random.Random) -> Iterator[Text]:
    """Every template that fits the tile, some of the phrases, each with its twin."""
    for held in (False, True):
        rows = [(row, slots) for row in TEMPLATES if row.held == held and (slots := fill(row, facts, draw)) and slots[0]]
        true = {row: row.text.format(**slots[0]) for row, slots in rows}
        for row, (_, wrong) in rows:
            if draw.random() < 0.35:
                beside = beside_of(row, true, draw)
                yield in_context(facts, true[row], beside, "", held, draw)
            if wrong and draw.random() < 0.35:
                beside = beside_of(row, true, draw)
                yield in_context(facts, row.text.format(**wrong), beside, CHECK_OF[row.kind], held, draw)
        for name, spoiled, sound, is_held in PHRASES:
            if is_held == held and draw.random() < 0.25:
                beside = [true[row] for row in draw.sample(list(true), min(2, len(true)))]
                yield in_context(facts, sound, beside, "", held, draw)
                yield in_context(facts, spoiled, beside, name, held, draw)
        for question, sound, spoiled, is_held in FORMS:
            if is_held == held and draw.random() < 0.25:
                yield Text(facts, asked(question, sound), "", "free", held)
                yield Text(facts, asked(question, spoiled), "answer_form", "free", held)


def beside_of(row: Template, true: dict[Template, str], draw: random.Random) -> list[str]:
    others = [text for other, text in true.items() if other.kind != row.kind]
    return draw.sample(others, min(2, len(others)))


def in_context(facts: TileFacts, text: str, beside: list[str], name: str, held: bool, draw: random.Random) -> Text:
    said = " ".join([beside[0], text, *beside[1:]] if beside else [text])
    return Text(facts, asked("Describe this image in detail.", said), name, "free", held)


def asked(question: str, answer: str) -> Instruction:
    return Instruction("description", (Turn("user", question), Turn("assistant", answer)), (), (), {"kind": "text"}, "made")


def fill(row: Template, facts: TileFacts, draw: random.Random) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The slots of a template, true and untrue; no untrue ones where nothing plainly untrue can be said."""
    slots: tuple[dict[str, Any], dict[str, Any]] | None = FILLS[row.kind](facts, draw)
    return slots


def groups_of(facts: TileFacts) -> dict[str, list[Box]]:
    found: dict[str, list[Box]] = defaultdict(list)
    for label in facts.labels:
        if label.kind == "box" and label.shape:
            found[label.category].append(label.shape.box)
    return found


def noun(category: str, count: int = 2) -> dict[str, str]:
    one = english.singular_noun(category)
    many = english.pluralise(one)
    return {
        "one": one,
        "many": many,
        "Many": many.capitalize(),
        "a_one": english.with_article(one),
        "A_one": english.with_article(one).capitalize(),
    }


def number(value: int, draw: random.Random) -> dict[str, Any]:
    said = english.number_word(value) if draw.random() < 0.6 else str(value)
    return {"n": said, "N": said.capitalize(), "d": value, "D": value}


def fill_count(facts: TileFacts, draw: random.Random) -> Any:
    fit = [(category, len(boxes)) for category, boxes in groups_of(facts).items() if len(boxes) > 1]
    if not fit:
        return None
    category, count = draw.choice(sorted(fit))
    wrong = draw.choice(
        [value for value in (count - 2, count - 1, count + 1, count + 2, 2 * count) if value > 1 and value != count]
    )
    return {**noun(category), **number(count, draw)}, {**noun(category), **number(wrong, draw)}


def fill_lone(facts: TileFacts, draw: random.Random) -> Any:
    one, more = split(facts, lambda count: count == 1, lambda count: count > 1)
    return (noun(one[0]), noun(more[0])) if one and more else None


def fill_vague(facts: TileFacts, draw: random.Random) -> Any:
    many, few = split(facts, lambda count: count >= 24, lambda count: count <= 2)
    return (noun(many[0]), noun(few[0])) if many and few else None


def fill_several(facts: TileFacts, draw: random.Random) -> Any:
    some, one = split(facts, lambda count: 4 <= count <= 9, lambda count: count == 1)
    return (noun(some[0]), noun(one[0])) if some and one else None


def fill_more(facts: TileFacts, draw: random.Random) -> Any:
    found = sorted(groups_of(facts).items(), key=lambda item: len(item[1]))
    if len(found) < 2 or len(found[0][1]) == len(found[-1][1]):
        return None
    few, many = found[0][0], found[-1][0]
    return {**noun(many), "others": noun(few)["many"]}, {**noun(few), "others": noun(many)["many"]}


def split(facts: TileFacts, first: Any, second: Any) -> tuple[list[str], list[str]]:
    counts = {category: len(boxes) for category, boxes in sorted(groups_of(facts).items())}
    return [name for name, count in counts.items() if first(count)], [name for name, count in counts.items() if second(count)]


def fill_named(facts: TileFacts, draw: random.Random) -> Any:
    present = sorted(groups_of(facts))
    missing = [category for category in facts.vocabulary if category not in present]
    if not present:
        return None
    return noun(draw.choice(present)), noun(draw.choice(missing)) if missing else None


def fill_true(facts: TileFacts, draw: random.Random) -> Any:
    """What is true in every way it may be read; there is nothing to spoil."""
    present, _ = split(facts, lambda count: count > 1, bool)
    missing = sorted(
        {english.pluralise(english.singular_noun(name)) for name in facts.vocabulary if name not in groups_of(facts)}
    )
    if not present or not missing:
        return None
    category, absent = draw.choice(present), draw.choice(missing)
    after = english.number_word(len(groups_of(facts)[category]) + 1)
    return {**noun(category), "missing": absent, "Missing": absent.capitalize(), "next": after}, None


def fill_absent(facts: TileFacts, draw: random.Random) -> Any:
    named = fill_named(facts, draw)
    return (named[1], named[0]) if named and named[1] else None


def one_thing(facts: TileFacts, draw: random.Random) -> tuple[str, str, Box] | None:
    """(category, phrase, box) of an object that a phrase means alone."""
    found = []
    for category, boxes in sorted(groups_of(facts).items()):
        sizes = sorted(((box[2] - box[0]) * (box[3] - box[1]), box) for box in boxes)
        name = english.singular_noun(category)
        if len(boxes) == 1:
            found.append((category, f"the {name}", boxes[0]))
        elif sizes[-1][0] > 1.4 * sizes[-2][0]:
            found.append((category, f"the largest {name}", sizes[-1][1]))
    return draw.choice(found) if found else None


def fill_place(facts: TileFacts, draw: random.Random) -> Any:
    thing = one_thing(facts, draw)
    if not thing:
        return None
    _, subject, box = thing
    x, y = (box[0] + box[2]) / 2 / facts.width_px, (box[1] + box[3]) / 2 / facts.height_px
    if any(abs(value - border) < 0.03 for value in (x, y) for border in (1 / 3, 2 / 3)):
        return None
    wrong = elsewhere([box], facts)
    right = PLACES[3 * int(3 * y) + int(3 * x)]
    return placed(subject, right), placed(subject, draw.choice(wrong)) if wrong else None


def placed(subject: str, place: str) -> dict[str, str]:
    at = SAID.get(place, f"in the {place}")
    return {"subj": subject, "Subj": subject.capitalize(), "at": at, "At": at.capitalize(), "place": place}


def fill_relation(facts: TileFacts, draw: random.Random) -> Any:
    found = []
    for one, ones in sorted(groups_of(facts).items()):
        for other, others in sorted(groups_of(facts).items()):
            if one != other and max(box[2] for box in ones) + 20 < min(box[0] for box in others):
                found.append((one, other, "left", "right", len(ones), len(others)))
            if one != other and max(box[3] for box in ones) + 20 < min(box[1] for box in others):
                found.append((one, other, "above", "below", len(ones), len(others)))
    if not found:
        return None
    one, other, way, back, count, rest = draw.choice(found)
    return related(one, other, way, count, rest), related(one, other, back, count, rest)


def related(one: str, other: str, way: str, count: int, others: int) -> dict[str, str]:
    a = f"the {english.singular_noun(one) if count == 1 else english.pluralise(english.singular_noun(one))}"
    b = f"the {english.singular_noun(other) if others == 1 else english.pluralise(english.singular_noun(other))}"
    side = way in {"left", "right"}
    said = {"way": f"to the {way} of" if side else way, "short": f"to the {way}" if side else way}
    told = {"Way": f"{said['way']} {b}".capitalize(), "a_bare": english.count_phrase(count, english.singular_noun(one))}
    return {"a": a, "A": a.capitalize(), "b": b, "be": "is" if count == 1 else "are", **said, **told}


def fill_size(facts: TileFacts, draw: random.Random) -> Any:
    thing = one_thing(facts, draw)
    if not thing or not facts.gsd_m:
        return None
    _, subject, box = thing
    sides = sorted(((box[2] - box[0]) * facts.gsd_m, (box[3] - box[1]) * facts.gsd_m))
    factor = draw.choice((0.4, 0.5, 1.8, 3.0))
    told = [{"l": f"{k * sides[1]:.2g}", "w": f"{k * sides[0]:.2g}"} for k in (1, factor)]
    plain = [{name: f"{float(value):g}" for name, value in one.items()} for one in told]
    return placed(subject, "top") | plain[0], placed(subject, "top") | plain[1]


def fill_pixel(facts: TileFacts, draw: random.Random) -> Any:
    gsd_m = facts.gsd_m or 1
    return {"g": f"{gsd_m:g}"}, {"g": f"{gsd_m * draw.choice((0.3, 2, 5)):g}"}


def shares_of(facts: TileFacts) -> list[tuple[float, str]]:
    return sorted(((label.value or 0.0, label.category) for label in facts.labels if label.kind == "cover"), reverse=True)


def cover(name: str) -> dict[str, str]:
    return {"cover": name, "Cover": name.capitalize()}


def fill_share(facts: TileFacts, draw: random.Random) -> Any:
    share, name = draw.choice(shares_of(facts)[:2])
    off = draw.choice((0.15, 0.25, 0.35)) * (1 if share < 0.5 else -1)
    return {**cover(name), "p": round(100 * share)}, {**cover(name), "p": round(100 * (share + off))}


def fill_mostly(facts: TileFacts, draw: random.Random) -> Any:
    first, second, third = shares_of(facts)
    if first[0] < 0.6:
        return None
    return cover(first[1]), cover(draw.choice((second, third))[1])


def fill_no_cover(facts: TileFacts, draw: random.Random) -> Any:
    first, second, third = shares_of(facts)
    return (cover(third[1]), cover(draw.choice((first, second))[1])) if third[0] == 0 else None


def fill_hue(facts: TileFacts, draw: random.Random) -> Any:
    if SENSORS[facts.sensor].has_colour:
        return None
    return {"hue": draw.choice(("dark", "grey", "bright"))}, {"hue": draw.choice(("green", "blue", "reddish", "brown"))}


def fill_colour(facts: TileFacts, draw: random.Random) -> Any:
    found = next((label.text for label in facts.labels if label.category == "colour"), None)
    if not found:
        return None
    told = [{"colour": name, "Colour": name.capitalize()} for name in (found, OPPOSITE[found])]
    return told[0], told[1]


def fill_sensor(facts: TileFacts, draw: random.Random) -> Any:
    others = [name for name in SENSORS if name != facts.sensor]
    told = [
        {
            "sensor": (said := SENSORS[name].adjective),
            "a_sensor": english.with_article(said),
            "A_sensor": english.capitalise(english.with_article(said)),
        }
        for name in (facts.sensor, draw.choice(others))
    ]
    return told[0], told[1]


def fill_tone(facts: TileFacts, draw: random.Random) -> Any:
    found = next(label.text for label in facts.labels if label.category == "brightness")
    other = {"dark": "bright", "bright": "dark"}.get(found)
    return ({"tone": found}, {"tone": other}) if other else None


def fill_end(facts: TileFacts, draw: random.Random) -> Any:
    found = next(label.text for label in facts.labels if label.category == "brightest_part")
    row, column = divmod(PLACES.index(found), 3)
    away = [name for i, name in enumerate(PLACES) if abs(i // 3 - row) == 2 or abs(i % 3 - column) == 2]
    told = [{"at": SAID.get(name, f"in the {name}"), "place": name} for name in (found, draw.choice(away) if away else found)]
    return told[0], told[1] if away else None


FILLS: dict[str, Any] = {name.removeprefix("fill_"): make for name, make in globals().items() if name.startswith("fill_")}


# --- results


def report(results: list[tuple[Text, set[str]]]) -> bool:
    """Prints the table; whether the claims hold over everything."""
    print(f"{'check':14}{'family':10}{'planted':>8}{'recall':>8}{'any':>7}{'precision':>11}")
    total: Counter[str] = Counter()
    for name in CHECKS:
        for family, held in (("composer", False), ("free", False), ("free", True)):
            mine = [(text, rejected) for text, rejected in results if text.family == family and text.held == held]
            planted = [rejected for text, rejected in mine if text.check == name]
            caught = sum(name in rejected for rejected in planted)
            caught_by_any = sum(bool(rejected) for rejected in planted)
            right = sum(name in rejected for text, rejected in mine if text.check)
            wrong = sum(name in rejected for text, rejected in mine if not text.check)
            total.update(planted=len(planted), caught=caught, right=right, wrong=wrong, any=caught_by_any)
            if planted or wrong:
                share = f"{caught / len(planted):.3f}" if planted else "-"
                either = f"{caught_by_any / len(planted):.3f}" if planted else "-"
                sound = f"{right / (right + wrong):.3f}" if right + wrong else "-"
                label = f"{family}{' held' if held else ''}"
                print(f"{name:14}{label:10}{len(planted):8}{share:>8}{either:>7}{sound:>11}")
    for label, held in (("seen", False), ("held", True)):
        print(f"free English, {label}: {overall(results, held)}")
    recall, precision = total["caught"] / total["planted"], total["right"] / (total["right"] + total["wrong"])
    print(f"all: recall {recall:.3f} (claim {RECALL}), precision {precision:.3f} (claim {PRECISION})")
    return recall >= RECALL and precision >= PRECISION


def overall(results: list[tuple[Text, set[str]]], held: bool) -> str:
    mine = [(text, rejected) for text, rejected in results if text.family == "free" and text.held == held]
    planted = [text.check in rejected for text, rejected in mine if text.check]
    by_any = [bool(rejected) for text, rejected in mine if text.check]
    wrong = sum(bool(rejected) for text, rejected in mine if not text.check)
    caught = sum(by_any)
    recall, either, precision = statistics.mean(planted), statistics.mean(by_any), caught / (caught + wrong)
    return f"recall {recall:.3f}, by any check {either:.3f}, precision {precision:.3f}"


def show(results: list[tuple[Text, set[str]]], name: str, asked_held: bool) -> None:
    for text, rejected in results:
        if (asked_held or not text.held) and (text.check == name) != (name in rejected):
            said = " | ".join(turn.text for turn in text.instruction.turns)
            print(f"{'missed' if text.check == name else 'wrong' if not text.check else 'bystander'} {text.family}: {said}")
            for found in check(text.facts, text.instruction):
                if found.check == name:
                    print(f"    {found}")


def speed(tiles: list[TileFacts]) -> float:
    """Questions with one short answer, tile after tile as a build would, each text once; processor time, median of five"
    " parts."""
    texts = [
        (facts, instruction)
        for facts in tiles
        for instruction in compose(facts, config.Instructions(), 0, config.Labels())[0]
        if len(instruction.turns) == 2 and len(instruction.turns[1].text) < 80
    ]
    rates = []
    for start in range(5):
        part = texts[start * len(texts) // 5 : (start + 1) * len(texts) // 5]
        begun = time.process_time()
        for facts, instruction in part:
            check(facts, instruction)
        rates.append(len(part) / (time.process_time() - begun))
    return statistics.median(rates)


if __name__ == "__main__":
    sys.exit(main())
