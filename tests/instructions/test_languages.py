"""Chinese says what the structured answer says, and nothing where it has no words."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from rsflow.config import settings as config
from rsflow.errors import ConfigError
from rsflow.instructions import TASKS, compose
from rsflow.instructions.languages import ENGLISH_TASKS, check_languages, zh_chains, zh_regions, zh_texts
from rsflow.instructions.languages.zh_words import MEASURES, NAMES, PHRASINGS, PLACES, WAYS, amount
from rsflow.instructions.phrasings import PHRASINGS as ENGLISH
from rsflow.records import Instruction, Label, Provenance, Shape, TileFacts

ANNOTATION = Provenance("annotation", "coco")
RING = (20.0, 20.0, 50.0, 20.0, 50.0, 90.0, 20.0, 90.0)


def box(category: str, x: float, y: float) -> Label:
    ring = tuple(value + (y if place % 2 else x) - 20 for place, value in enumerate(RING))
    return Label("box", category, ANNOTATION, Shape((x, y, x + 30, y + 70), ring))


TILE = TileFacts(
    tile_id="t/0",
    sensor="optical",
    height_px=512,
    width_px=512,
    gsd_m=0.5,
    labels=(
        *(box("ship", 20.0 + 80 * number, 20.0) for number in range(4)),
        box("bridge", 100.0, 200.0),
        box("lighthouse", 400.0, 400.0),
        Label("cover", "water", ANNOTATION, Shape((0.0, 0.0, 300.0, 300.0)), value=0.6),
        Label("cover", "forest", ANNOTATION, value=0.3),
    ),
    vocabulary=("ship", "bridge", "lighthouse", "plane"),
)

EVERY_PHRASING = {**PHRASINGS, **zh_texts.PHRASINGS, **zh_chains.PHRASINGS, **zh_regions.PHRASINGS}


def made(facts: TileFacts, *languages: str, names: dict[str, str] | None = None, seed: int = 0) -> list[Instruction]:
    settings = config.Instructions(per_task=50, languages=languages, names={"zh": names or {}})  # type: ignore[arg-type, dict-item]
    return compose(facts, settings, seed, config.Labels())[0]


def is_chinese(item: Instruction) -> bool:
    return any(not turn.text.isascii() for turn in item.turns)


def test_every_answer_is_the_structured_one_in_chinese_words() -> None:
    found = [item for seed in range(5) for item in made(TILE, "zh", names={"lighthouse": "灯塔"}, seed=seed)]
    known = {**NAMES, "lighthouse": "灯塔"}
    assert {item.task for item in found} >= {"classification", "vqa", "grounding", "detection", "segmentation"}
    for item in found:
        assert all(not re.search("[A-Za-z]", turn.text) for turn in item.turns)
        said, answer = item.turns[-1].text, item.answer
        if item.task == "vqa":
            match answer["kind"]:
                case "yes_no":
                    assert said == ("有" if answer["value"] else "没有")
                    assert known[answer["category"]] in item.turns[0].text
                case "count":
                    assert said == str(answer["value"])
                case "place":
                    assert said == PLACES[answer["value"]]
                case "relation":
                    assert said == WAYS[answer["value"]]
        if item.task == "detection" and answer["kind"] == "boxes" and answer["count"]:
            assert re.search(rf"{answer['count']}[个艘架辆座棵名条片处]{known[answer['category']]}", said)


def test_regions_relations_and_lists_are_asked_in_chinese() -> None:
    forms = ("box", "polygon", "point", "marks")
    found: dict[str, list[str]] = {}
    for gsd_m, seed in ((0.5, 0), (None, 1), (None, 2), (0.5, 3)):
        settings = config.Instructions(per_task=50, languages=("zh",), names={"zh": {"lighthouse": "灯塔"}}, regions=forms)
        for item in compose(replace(TILE, gsd_m=gsd_m), settings, seed, config.Labels())[0]:
            found.setdefault(f"{item.task} {item.answer['kind']}", []).append(item.turns[-1].text)
    assert "图像右下方的灯塔，位于约35米×15米的框内。" in found["region_captioning text"]
    assert "图像右下方的小型灯塔。" in found["region_captioning text"]  # no size of a pixel is known
    assert set(found["region_captioning category"]) == {"船", "桥梁", "灯塔"}
    assert "图中有[[1座桥梁|0]]、[[1个灯塔|1]]、[[4艘船|2,3,4,5]]" in found["detection all_boxes"]
    assert set(found["scene_graph predicate"]) <= {"左侧", "右侧", "上方", "下方", "内部"}
    assert any("1：[[桥梁|0]]" in text and "（3，在…左侧，4，40米）" in text for text in found["scene_graph scene_graph"])


@pytest.mark.parametrize("task", ENGLISH_TASKS)
def test_a_task_that_only_english_has_words_for_is_refused_by_name(task: str) -> None:
    asked = config.Instructions(tasks=("vqa", task), languages=("zh",))
    with pytest.raises(ConfigError, match=f"the tasks {task} are written in English only. Add en"):
        check_languages(asked)
    check_languages(replace(asked, languages=("zh", "en")))
    check_languages(replace(asked, tasks=()))


def test_every_other_task_of_a_tile_has_chinese_words() -> None:
    settings = config.Instructions(per_task=50, languages=("zh",), names={"zh": {"lighthouse": "灯塔"}})
    tasks = {item.task for seed in range(3) for item in compose(TILE, settings, seed, config.Labels())[0]}
    assert tasks == {*TASKS} - {*ENGLISH_TASKS, "conversation"}  # a conversation is made of what the others leave


def test_english_fills_in_only_where_it_is_asked_for() -> None:
    alone = made(TILE, "zh")
    assert all(is_chinese(item) for item in alone)
    assert not any("lighthouse" in json.dumps(item.answer) for item in alone)  # it has no name
    both = made(TILE, "en", "zh")
    assert {is_chinese(item) for item in both} == {True, False}
    assert {item.task for item in both} >= {"captioning", "description", "reasoning"}
    assert any("lighthouse" in turn.text for item in both for turn in item.turns)


def test_the_default_is_english_word_for_word() -> None:
    settings = config.Instructions(per_task=50)
    assert made(TILE, "en") == compose(TILE, settings, 0, config.Labels())[0]


def test_the_language_of_a_question_depends_on_nothing_else() -> None:
    fewer = replace(TILE, labels=TILE.labels[:-1])
    texts = {item.turns for item in made(TILE, "en", "zh") if item.task == "grounding"}
    assert {item.turns for item in made(fewer, "en", "zh") if item.task == "grounding"} == texts


@pytest.mark.parametrize("kind", EVERY_PHRASING)
def test_phrasings_of_a_kind_differ_and_take_what_english_takes(kind: str) -> None:
    assert kind in ENGLISH
    assert len(set(EVERY_PHRASING[kind])) == len(EVERY_PHRASING[kind]) >= 6


def test_a_conversation_is_in_one_language() -> None:
    few = config.Instructions(per_task=1, languages=("zh",), names={"zh": {"lighthouse": "灯塔"}})
    talks = [item for item in compose(TILE, few, 0, config.Labels())[0] if item.task == "conversation"]
    assert len(talks) == 1
    assert len(talks[0].turns) >= 6
    assert not any(re.search("[A-Za-z]", turn.text) for turn in talks[0].turns)


@pytest.mark.parametrize(
    ("noun", "said"), [("船", "3艘船"), ("飞机", "3架飞机"), ("汽车", "3辆汽车"), ("桥梁", "3座桥梁"), ("灯塔", "3个灯塔")]
)
def test_nouns_are_counted_with_their_own_measure_word(noun: str, said: str) -> None:
    assert amount(3, noun) == said


def test_a_noun_has_one_measure_word() -> None:
    nouns = [noun for each in MEASURES.values() for noun in each]
    assert len(nouns) == len(set(nouns))


def test_texts_say_the_numbers_of_the_tile() -> None:
    """Read again from the characters alone: every counted noun has as many labels, and a chain's last number is its answer."""
    nouns = {**NAMES, "lighthouse": "灯塔"}
    counts = Counter(nouns[label.category] for label in TILE.labels if label.kind == "box")
    found = [item for seed in range(9) for item in made(TILE, "zh", names={"lighthouse": "灯塔"}, seed=seed)]
    texts = [item for item in found if item.task in {"captioning", "description"}]
    assert {item.task for item in texts} == {"captioning", "description"}
    for item in texts:
        counted = re.findall(rf"(\d+)[个艘架辆座棵名条片处]({'|'.join(counts)})", item.turns[1].text)
        assert {noun for _, noun in counted} == set(counts)
        assert all(int(number) == counts[noun] for number, noun in counted)
    chains = [item for item in found if item.answer["kind"] == "chain"]
    assert {item.answer["chain"] for item in chains} >= {"more_of", "count_inside", "distance_between", "left_after"}
    for item in chains:
        said, value = item.turns[1].text, item.answer["value"]
        if isinstance(value, str):
            assert ("所以是的" in said) == (value == "yes")
        elif item.answer["chain"] == "share_covered":
            assert said.endswith(f"{100 * value:g}%。")
        elif item.answer["chain"] != "nearest_to":
            assert re.findall(r"[\d.]+", said)[-1].rstrip(".") == f"{value:g}"


def test_a_caption_that_annotators_wrote_is_not_rewritten() -> None:
    written = replace(TILE, labels=(*TILE.labels, Label("caption", "", TILE.labels[0].provenance, text="Ships in a bay.")))
    assert not [item for item in made(written, "zh") if item.task == "captioning"]
    assert any(item.turns[1].text == "Ships in a bay." for item in made(written, "en", "zh"))
