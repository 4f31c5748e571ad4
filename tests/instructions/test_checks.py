"""Checks: nothing true is rejected, every kind of error is, and what is open is left alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsflow.annotations import AnnotatedSet, fit_to_scene, merge_sets, read_annotations
from rsflow.config import settings as config
from rsflow.instructions import compose
from rsflow.instructions.checks import CHECKS, applied, check, count_unread
from rsflow.instructions.facts import tile_facts
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts
from rsflow.sensors import SensorName
from rsflow.text.turns import Turn
from tests.instructions.test_truth import LABELS, MANY, SETTINGS, tiles

TRUTH = Provenance("annotation", "made")


def box(category: str, x: float, y: float, width: float = 40, height: float = 20) -> Label:
    return Label("box", category, TRUTH, Shape((x, y, x + width, y + height)))


def facts(sensor: SensorName = "optical", *more: Label, gsd_m: float | None = 0.5) -> TileFacts:
    """Three ships on the left, the largest at the bottom; one bridge at the upper right; no cars; 40 % water, 30 % trees."""
    labels = (
        box("ship", 20, 40),
        box("ship", 30, 220),
        box("ship", 40, 420, 80, 40),
        box("bridge", 440, 20),
        Label("cover", "water", TRUTH, value=0.4),
        Label("cover", "forest", TRUTH, value=0.3),
        Label("cover", "bare soil", TRUTH, value=0.0),
        Label("fact", "brightness", TRUTH, text="dark"),
        Label("fact", "brightest_part", TRUTH, text="upper left"),
        *((Label("fact", "colour", TRUTH, text="green"),) if sensor == "optical" else ()),
    )
    return TileFacts("t", sensor, 512, 512, gsd_m, (*labels, *more), ("ship", "bridge", "car", "storage-tank"))


def said(answer: str, question: str = "Describe this image in detail.") -> Instruction:
    return Instruction("description", (Turn("user", question), Turn("assistant", answer)), (), (), {"kind": "text"}, "model")


def rejected(answer: str, question: str = "Describe this image in detail.", of: TileFacts | None = None) -> set[str]:
    return {found.check for found in check(of or facts(), said(answer, question)) if found.contradiction}


# --- laws


@settings(max_examples=MANY // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(tiles(), st.integers(0, 3))
def test_nothing_that_rules_make_is_rejected(tile: TileFacts, seed: int) -> None:
    seen = tile_facts.with_labels(tile, tile_facts.trusted_labels(tile, LABELS))
    for instruction in compose(tile, SETTINGS, seed, LABELS)[0]:
        if instruction.answer["kind"] == "chain":
            continue  # proved by running it again, never by reading
        assert [found for found in check(seen, instruction) if found.contradiction] == []


SETS: dict[str, tuple[SensorName, int, int, tuple[config.Annotations, ...]]] = {
    "hit_uav": ("infrared", 512, 640, (config.Annotations("coco", "infrared/hit_uav/annotations_hbb.json"),)),
    "hrsid": ("sar", 800, 800, (config.Annotations("coco", "sar/hrsid/derived_coco.json"),)),
    "neon": ("optical", 400, 400, (config.Annotations("voc", "detection/neon_trees/OSBS_029.xml"),)),
    "ucm": (
        "optical",
        256,
        256,
        (
            config.Annotations("captions", "caption_vqa/ucm/dataset_ucm_subset.json"),
            config.Annotations("rsivqa", "caption_vqa/ucm/ucm_vqa_subset.txt"),
        ),
    ),
    "floodnet": ("optical", 3000, 4000, (config.Annotations("floodnet", "vqa_annotations/floodnet/Question.json"),)),
}


@pytest.mark.parametrize("name", SETS)
def test_nothing_that_rules_make_of_real_annotations_is_rejected(name: str, test_data: Path) -> None:
    sensor, height_px, width_px, parts = SETS[name]
    whole = merge_sets(read_annotations(config.Annotations(part.format, str(test_data / str(part.files)))) for part in parts)
    count = 0
    for tile in list(real(whole, sensor, height_px, width_px))[:150]:
        for instruction in compose(tile, config.Instructions(), 0, LABELS)[0]:
            if instruction.answer["kind"] == "chain":
                continue
            assert [found for found in check(tile, instruction) if found.contradiction] == []
            count += 1
    assert count >= 5


def real(whole: AnnotatedSet, sensor: SensorName, height_px: int, width_px: int) -> list[TileFacts]:
    found = []
    for name, picture in whole.pictures.items():
        here, _ = fit_to_scene(picture, picture.height_px or height_px, picture.width_px or width_px)
        assert here
        found.append(TileFacts(name, sensor, height_px, width_px, None, here.labels, whole.categories))
    return found


def test_the_same_text_gives_the_same_findings_whatever_was_checked_before() -> None:
    answers = ["There are three ships.", "There are two cars.", "The bridge is on the left.", "About 40% is water."]
    alone = {answer: check(facts(), said(answer)) for answer in answers}
    assert {answer: check(facts(), said(answer)) for answer in reversed(answers)} == alone


def test_applied_names_what_was_compared() -> None:
    names = applied(check(facts(), said("There are three ships, the largest of them at the bottom.")))
    assert {"counts", "categories", "positions", "language"} <= set(names)
    assert list(names) == [name for name in CHECKS if name in names]
    assert "colours" not in names


def test_a_finding_says_what_it_compared() -> None:
    found = next(found for found in check(facts(), said("There are five ships.")) if found.contradiction)
    assert (found.check, found.turn, found.expected, found.found) == ("counts", 1, "3 ships", "5")
    assert "five ships" in found.compared


WORDS = st.sampled_from(
    [
        "no",
        "not",
        "three",
        "ships",
        "ship",
        "cars",
        "bridge",
        ",",
        ".",
        ":",
        "(",
        ")",
        "of",
        "the",
        "left",
        "upper",
        "in",
        "are",
        "is",
        "40",
        "%",
        "1.2.3",
        "1,200,5",
        "²",
        "½",
        "about",
        "water",
        "none",
        "neither",
        "nor",
        "12,5",
        "m",
        "x",
        "by",
        "long",
        "[[",
        "]]",
        "10",
        "than",
        "more",
        "largest",
        "to",
        "than",
        "such",
        "as",
        "may",
        "dark",
        "red",
        "brightest",
        "image",
        "per",
        "cent",
        "half",
        "at",
        "𝟜",
        "٣",
    ]
)


@settings(max_examples=MANY * 2, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=80), st.lists(WORDS, max_size=12).map(" ".join))
def test_no_text_is_too_odd_to_be_checked(answer: str, question: str) -> None:
    found = check(facts(), said(answer, question))
    assert {finding.check for finding in found} <= set(CHECKS)
    assert all(finding.turn == 1 for finding in found)


def test_the_page_lists_every_check_and_its_example_runs() -> None:
    page = (Path(__file__).parents[2] / "docs/checks.md").read_text()
    checks = page.partition("\n# ")[0]  # what follows lists the faults that an audit finds
    assert re.findall(r"^\| `(\w+)` \|", checks, re.MULTILINE) == list(CHECKS)
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], {})


# --- each check: true, untrue


CASES: list[tuple[str, str, str]] = [
    ("counts", "There are three ships in the image.", "There are four ships in the image."),
    ("counts", "At least two ships are visible.", "At least five ships are visible."),
    ("counts", "Several ships are visible.", "Only a single ship is visible."),
    ("counts", "There are about three ships.", "There are about a dozen ships."),
    ("comparisons", "Ships outnumber bridges.", "Bridges outnumber ships."),
    ("counts", "Two ships in the upper half and one ship at the bottom.", "Two ships and a total of four bridges."),
    ("counts", "**Ships**: 3\n**Bridges**: 1", "**Ships**: 5\n**Bridges**: 1"),
    ("comparisons", "There are three times as many ships as bridges.", "There are twice as many bridges as ships."),
    ("counts", "Three ships, two of them small, are visible.", "Half a dozen ships are visible."),
    ("categories", "A ship and a bridge are visible.", "A ship and a car are visible."),
    ("categories", "The scene features several vessels.", "The scene features a storage tank."),
    ("presence", "There are no cars or storage tanks.", "There are no ships or cars."),
    ("presence", "Storage tanks are nowhere to be seen.", "Ships are nowhere to be seen."),
    ("presence", "No ships are visible on the right.", "No bridge is visible in the upper right."),
    (
        "presence",
        "Neither cars nor storage tanks are found, nor are there any trucks.",
        "No cars are seen, nor are there any ships.",
    ),
    ("positions", "The majority of the ships is on the left.", "The majority of the ships is on the right."),
    ("positions", "Two of the three ships lie in the upper half.", "Two of the three ships lie on the right side."),
    ("positions", "The bridge is in the upper right corner.", "The bridge is in the lower left corner."),
    ("positions", "The largest ship lies at the bottom.", "The largest ship lies at the top."),
    ("positions", "All three ships are on the left side of the image.", "All three ships are on the right side of the image."),
    ("positions", "There are three ships, the largest of them at the bottom.", "There are three ships, all at the top."),
    ("relations", "The ships are to the left of the bridge.", "The ships are to the right of the bridge."),
    (
        "relations",
        "The bridge is above and to the right of the lower ships.",
        "The bridge is below and to the left of the ships.",
    ),
    ("sizes", "The ships are between 20 and 40 m long.", "The ships are between 100 and 150 m long."),
    ("sizes", "The scene covers about 6.5 hectares.", "The scene covers about 40 hectares."),
    ("sizes", "The largest ship is about 40 m long.", "The largest ship is about 90 m long."),
    ("sizes", "The bridge measures 20 m by 10 m.", "The bridge measures 60 m by 30 m."),
    ("sizes", "Each pixel covers 0.5 m.", "The image has a resolution of 10 m."),
    ("shares", "About 40% of the image is water.", "About 70% of the image is water."),
    ("shares", "Water covers two fifths of the scene.", "Water covers two thirds of the scene."),
    ("shares", "The scene is dominated by water.", "The scene is dominated by forest."),
    ("shares", "There is no bare soil in the image.", "There is no water in the image."),
    ("shares", "Water (40%) and forest (30%) cover the scene.", "Water (40%) and forest (60%) cover the scene."),
    ("comparisons", "Water covers more ground than forest.", "Forest covers more ground than water."),
    ("shares", "Nearly half of the scene is under water.", "Nearly all of the scene is under water."),
    ("shares", "Water and forest cover 40% and 30% respectively.", "Water and forest cover 30% and 40% respectively."),
    ("shares", "Water is the most extensive land cover.", "Forest is the most extensive land cover."),
    ("shares", "No bare soil was found in the area.", "No water was found in the area."),
    ("colours", "The scene has a greenish tone.", "The scene has a reddish tone."),
    ("colours", "The image is mainly green.", "The image is mainly red."),
    ("sensor_words", "This optical image shows a river.", "This SAR image shows a river."),
    ("sensor_words", "No bridge would look like this in SAR.", "No car is visible in this SAR image."),
    ("control_text", "The quay is <50 m long.", "The quay is long.<|im_end|>"),
    ("language", "The path is straight.", "Der Weg ist gerade und die Brücke ist mit dem Ufer verbunden."),
    ("language", "The façade is bright.", "桥梁位于图像的右上角。"),
    ("refusal", "It cannot be told from one image where they go.", "I'm sorry, but I cannot see the image."),
    ("repetition", "The river is calm. The bank is green.", "The river is calm. The river is calm. The river is calm."),
    ("leakage", "The river bends at the bank.", "According to the labels, the river bends."),
    ("leakage", "The river is wide (very wide).", "The ship lies at [20, 40, 60, 60]."),
]


@pytest.mark.parametrize(("name", "true", "untrue"), CASES)
def test_the_untrue_is_rejected_and_the_true_is_not(name: str, true: str, untrue: str) -> None:
    assert rejected(true) == set()
    assert name in rejected(untrue)


# What pointed texts say of their object.
@pytest.mark.parametrize(
    ("answer", "is_wrong"),
    [
        ("This is a bridge.", False),
        ("This is a ship.", True),
        ("It is a bridge in the lower left.", True),
        ("A car is shown.", True),
    ],
)
def test_a_text_about_an_object_is_held_against_it(answer: str, is_wrong: bool) -> None:
    turns = (Turn("user", "What is at [[|0]]?"), Turn("assistant", answer))
    instruction = Instruction("region_captioning", turns, ((440.0, 20.0, 480.0, 40.0),), (), {"kind": "text"}, "model")
    assert any(found.contradiction for found in check(facts(), instruction)) == is_wrong


def test_sentences_of_which_nothing_is_compared_are_unread() -> None:
    text = said("There are three ships. The roofs are rusty. Cars may be parked nearby. A quarry lies at the top.")
    assert count_unread(text, check(facts(), text)) == (4, 3)
    assert count_unread(said("There are nine ships."), check(facts(), said("There are nine ships."))) == (1, 0)


def test_every_check_is_tested() -> None:
    assert {name for name, *_ in CASES} | {"boxes", "answer_form"} == set(CHECKS)


@pytest.mark.parametrize(
    ("question", "true", "untrue", "name"),
    [
        ("Is there a car in this image?", "no", "yes", "categories"),
        ("Are there any ships?", "Yes", "No", "presence"),
        ("How many ships are there?", "3", "4", "counts"),
        ("How many cars can be counted here?", "0", "2", "counts"),
        ("Where is the largest ship?", "lower left", "upper right", "positions"),
        ("Is there a ship on the right of the image?", "No", "Yes", "positions"),
        ("What share of this image is water?", "about 40%", "about 10%", "shares"),
        ("What is the dominant land cover in this image?", "water", "forest", "shares"),
        ("How many ships are on the left? Answer with a number.", "3", "5", "positions"),
        ("Where is the bridge?", "It is in the upper right.", "It is in the lower left.", "positions"),
        ("How long is the bridge?", "It is 20 m long.", "It is 80 m long.", "sizes"),
        ("What lies in the upper right?", "A bridge", "A ship", "positions"),
        ("What is the dominant colour of this image?", "green", "red", "colours"),
        (
            "Is there a ship? Answer the question using a single word or phrase.",
            "yes",
            "There is one over there",
            "answer_form",
        ),
        ("Describe the scene in one sentence.", "A river and a bridge.", "A river. A bridge.", "answer_form"),
        ("How many ships? Answer with a number.", "3", "a lot of them", "answer_form"),
    ],
)
def test_short_answers_are_read_with_their_questions(question: str, true: str, untrue: str, name: str) -> None:
    assert rejected(true, question) == set()
    assert name in rejected(untrue, question)


@pytest.mark.parametrize("sensor", ["sar", "infrared"])
def test_no_colours_where_the_sensor_has_none(sensor: SensorName) -> None:
    of = facts(sensor)
    assert rejected("The water appears dark grey and the bridge bright.", of=of) == set()
    assert rejected("The water appears blue.", of=of) == {"colours"}
    assert rejected("Unlike an optical image, this one shows no green.", of=of) == set()


# --- what is open is left alone


# True sentences of other authors that earlier rules rejected, and of this one's kinds: numbers of some, places of others.
@pytest.mark.parametrize(
    "text",
    [
        "The bridge is longer than the quay is wide.",
        "Around three ships can be spotted.",
        "Two ships lie in the upper half, and the third one is at the bottom.",
        "Two ships are next to a pier with another ship near it.",
        "Four rows of houses stand beside the three ships on the left.",
        "The left half of the image contains three ships and no cars.",
        "In the upper right there is a bridge, and three ships lie on the left.",
        "The largest of the ships sits alone at the bottom.",
        "Some trees are around three ships.",
        "There are three times as many ships as bridges.",
        "Between two and four ships are visible.",
        "The distance between the bridge and the largest ship is over 200 m.",
        "With the exception of the largest ship, all ships are small.",
        "There is space for ten ships.",
        "No two ships touch.",
        "No ship is near the bridge.",
        "Half of the water lies in one pond.",
        "The scene is void of cars.",
        "Ships: 3, bridges: 1, cars: none.",
        "In a SAR image the ships would be bright.",
    ],
)
def test_what_is_true_is_not_rejected(text: str) -> None:
    assert rejected(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Cars may be parked nearby.",
        "The quay would be suitable for storage tanks.",
        "If a car crossed the bridge, it would take a minute.",
        "Such bridges are typically built for cars.",
        "The car park is empty.",
        "Swimming pools and tennis courts are visible.",  # nobody looked for them
        "One of the ships lies apart from the other two ships.",
        "Two large ships are moored.",  # nobody knows which are large
        "There are no white ships.",
        "No ships are moving.",
        "The ships lie north of the bridge.",
        "None of the ships is near the bridge.",
        "This looks like a place with many cars.",
        "The image shows neither an airport nor a stadium.",
        "Four sailors could work on each ship.",
        "Only one ship is longer than 30 m.",
        "The two ships near the bank are smaller than the third.",
        "One ship lies on either side of the pier.",
        "The top row contains two ships.",
        "Most houses do not have a bridge nearby.",
        "Without ships, the river would be calm.",
        "None of the three sailors drives a car.",
        "No ship is larger than the one at the bottom.",
        "The ships point to the right.",
        "Compared with a port of 40 ships, this is little.",
        "Most of the forest stands by the river.",
        "The bridge is near a lawn of about 100 m by 60 m.",
        "A 300 m long bridge would be needed elsewhere.",
        "There are no ships in this corner.",
        "There are as many ships as there are berths.",
    ],
)
def test_what_is_open_is_not_rejected(text: str) -> None:
    assert rejected(text) == set()


def test_a_number_needs_the_vocabulary() -> None:
    unknown = TileFacts("t", "optical", 512, 512, None, facts().labels, ())
    assert rejected("There are seven ships and two cars.", of=unknown) == set()
    assert rejected("There are no ships.", of=unknown) == {"presence"}
    assert rejected("There are two ships.", of=unknown) == {"counts"}


def test_wider_and_narrower_words_count_what_they_mean() -> None:
    of = TileFacts(
        "t", "optical", 512, 512, None, (box("car", 10, 10), box("car", 90, 90), box("bus", 300, 300)), ("car", "bus")
    )
    assert rejected("There are three vehicles.", of=of) == set()
    assert rejected("There are three cars.", of=of) == {"counts"}
    assert rejected("There are two vehicles.", of=of) == {"counts"}
    general = TileFacts("t", "optical", 512, 512, None, (box("vehicle", 10, 10), box("vehicle", 90, 90)), ("vehicle",))
    assert rejected("One car is parked here.", of=general) == set()
    assert rejected("There are three cars.", of=general) == set()  # nobody labelled cars: unread
    assert rejected("There are three vehicles.", of=general) == {"counts"}


def test_kinds_beside_each_other_are_not_taken_for_one_another() -> None:
    courts = (box("tennis-court", 10, 10), box("basketball-court", 90, 90))
    of = TileFacts("t", "optical", 512, 512, None, (*courts, box("plane", 300, 300), box("helicopter", 400, 300)), ())
    of = replace(of, vocabulary=("tennis-court", "basketball-court", "plane", "helicopter"))
    assert rejected("There are two tennis courts.", of=of) == {"counts"}
    assert rejected("There is one airplane and one helicopter.", of=of) == set()
    assert rejected("There is one aircraft beside a helicopter.", of=of) == set()
    assert rejected("There are three aircraft.", of=of) == {"counts"}


def test_objects_that_annotators_were_not_sure_of_leave_the_number_open() -> None:
    doubtful = Label("box", "ship", TRUTH, Shape((200, 200, 260, 230), flags=("difficult",)))
    assert rejected("There are four ships.", of=facts("optical", doubtful)) == set()
    assert rejected("There are two ships.", of=facts("optical", doubtful)) == {"counts"}


def test_what_annotators_wrote_is_not_doubted() -> None:
    caption = Label("caption", "", TRUTH, text="There are many cars and nine ships, I cannot count them.")
    asked = Label("question", "12", TRUTH, text="How many ships?")
    of = facts("optical", caption, asked)
    assert rejected("There are many cars and nine ships, I cannot count them.", of=of) == set()
    assert rejected("12", "How many ships? Answer the question using a single word or phrase.", of=of) == set()
    assert rejected("11", "How many ships? Answer the question using a single word or phrase.", of=of) == {"counts"}


# --- boxes


def test_boxes_lie_in_the_picture_and_on_what_they_name() -> None:
    def faults(*boxes: tuple[float, ...], text: str = "It is at [[|0]].", question: str = "Where is the bridge?") -> set[str]:
        turns = (Turn("user", question), Turn("assistant", text))
        instruction = Instruction("grounding", turns, boxes, (), {"kind": "box"}, "model")  # type: ignore[arg-type]
        return {found.check for found in check(facts(), instruction) if found.contradiction}

    bridge, ship = (440.0, 20.0, 480.0, 40.0), (20.0, 40.0, 60.0, 60.0)
    assert faults(bridge) == set()
    assert faults(ship) == {"boxes"}
    assert faults((500.0, 20.0, 540.0, 40.0)) == {"boxes"}
    assert faults((480.0, 20.0, 440.0, 40.0)) == {"boxes"}
    assert faults((float("nan"), 20.0, 540.0, 40.0)) == {"boxes"}
    assert faults(ship, text="There is [[1 ship|0]]", question="List all ships.") >= {"counts"}
    assert faults(bridge, text="There is [[1 ship|0]]", question="Name one thing.") >= {"boxes"}
    assert faults(text="It is at [[|3]].") == {"boxes"}


@pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<image>", "[INST]", "<end_of_turn>", "\u2066", "\0"])
def test_a_models_text_with_a_special_token_is_untrue(token: str) -> None:
    assert "control_text" in rejected(f"There are three ships {token} on the left.")
    assert "control_text" not in rejected("There are three ships on the left, each <50 m long.")
