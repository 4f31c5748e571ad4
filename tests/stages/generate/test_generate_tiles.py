"""GenerateTiles through a chat endpoint of this machine: rounds, repairs, checks, receipts, replays."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rsflow import schemas
from rsflow.config import settings as config
from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.generation import from_settings
from rsflow.lake.receipts import RECEIPTS
from rsflow.lake.tile_files import read_pictures, write_pictures
from rsflow.planning.recipe import load
from rsflow.records import Label, Provenance, Shape
from rsflow.stage import fingerprint
from rsflow.stages.generate.generate_tiles import GenerateTiles
from rsflow.text.turns import marks
from rsflow.tiles.encode import encode
from tests.generation.chat_server import Chat, Reply, refused, said, serving

GOLD = Provenance("annotation", "boxes.json")
FORMS = {"objects": "local", "sentences": "description", "pairs": "pairs"}
TWO_SHIPS = (
    Label("box", "ship", GOLD, Shape((10.0, 10.0, 40.0, 25.0))),
    Label("box", "ship", GOLD, Shape((200.0, 210.0, 240.0, 230.0))),
    Label("fact", "brightness", Provenance("labeller", "scene"), text="dark"),
)


def tile(name: str, sensor: str = "optical", **own: Any) -> dict[str, Any]:
    base = {field.name: None for field in schemas.PICTURE_WORK.field("tiles").type.value_type}
    size = {"height_px": 256, "width_px": 256, "gsd_m": 0.5, "row_off": 0, "col_off": 0}
    return {**base, **size, "tile_id": name, "sensor": sensor, "vocabulary": ["ship", "dock"], "picture_format": "jpg", **own}


def unit(root: Path, name: str, labels: dict[str, tuple[Label, ...]], **tiles: dict[str, Any]) -> dict[str, Any]:
    """A row of PICTURE_WORK whose pictures lie in the lake; `tiles` are settings of tiles by id."""
    rows = [tile(tile_id, **tiles.get(tile_id, {})) for tile_id in labels]
    random = np.random.default_rng(len(name) + sum(map(ord, name)))
    pictures = [encode(random.integers(0, 256, (256, 256, 3), dtype=np.uint8), "jpg") for _ in rows]
    table = pa.table({"tile_id": list(labels), "key": list(labels), "picture": pictures})
    places = write_pictures(f"{root}/tiles/{name}.parquet", [0] * len(rows), table)
    rows = [{**row, **place, "file": f"tiles/{name}.parquet"} for row, place in zip(rows, places, strict=True)]
    found = [
        {"label_id": f"{tile_id}#{i}", "tile_id": tile_id, **schemas.label_row(label)}
        for tile_id, mine in labels.items()
        for i, label in enumerate(mine)
    ]
    return {"unit": name, "scene_id": f"s/{name}", "source": "s", "tiles": rows, "labels": found}


def table(*units: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(units), schema=schemas.PICTURE_WORK)


def stage(root: Path, chat: Chat, **generation: Any) -> GenerateTiles:
    limits = {"attempts": 2, "first_wait_seconds": 0.01, "timeout_seconds": 10.0}
    engine = {"name": "openai", "model": "writer", "revision": "r1", "address": chat.address, "key": None, "limits": limits}
    source = {"name": "s", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": "x.tif"}}
    data = {"root": str(root), "sources": [source], "seed": 3, "generation": {"engine": engine, **generation}}
    made = GenerateTiles.of(check(BuildConfig, data, "test"))
    assert made
    return made


def form_of(body: dict[str, Any]) -> str:
    """Which text a request asks for."""
    properties = body["response_format"]["json_schema"]["schema"]["properties"]
    (name,) = properties
    if name != "pairs":
        return FORMS[name]
    item = properties["pairs"]["items"]["properties"]
    pictures = len(body["messages"][-1]["content"]) - 1
    return "reasoning" if "kind" in item else "conversation" if pictures == 1 else "comparison"


def truth(body: dict[str, Any], number: int = 0) -> Reply:
    """What a model that takes the facts as they are would write."""
    text = body["messages"][-1]["content"][-1]["text"]
    kind = form_of(body)
    if kind == "local":
        objects = re.findall(r"^(\d+)\. (\w+)", text.split("The objects to describe")[1], re.MULTILINE)
        return said({"objects": [{"number": int(n), "text": f"A long {noun} with a wake."} for n, noun in objects]})
    if kind == "description":
        return said({"description": "There are two ships in the image. The sea around them is calm and even."})
    pairs = [("How many ships are there?", "There are two ships in the image."),
             ("What does the water look like?", "The water is calm and even."),
             ("Is there a dock?", "No, there is no dock in the image.")]  # fmt: skip
    extra = {"kind": "why"} if kind == "reasoning" else {}
    return said({"pairs": [{"question": question, "answer": answer, **extra} for question, answer in pairs]})


def run(made: GenerateTiles, *units: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The receipts by unit."""
    receipts = list(made.open()(table(*units)))
    assert all(receipt.schema == RECEIPTS and receipt.num_rows == 1 for receipt in receipts)
    rows = [receipt.to_pylist()[0] for receipt in receipts]
    assert [row["unit"] for row in rows] == [one["unit"] for one in units]
    return {row["unit"]: row for row in rows}


def texts(receipt: dict[str, Any], task: str) -> list[list[str]]:
    return [[turn["text"] for turn in row["turns"]] for row in receipt["instructions"] if row["task"] == task]


def usage(receipt: dict[str, Any]) -> dict[str, float]:
    return {item["name"]: item["value"] for item in receipt["usage"]}


def test_local_then_global_then_conversation(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS, "s/u/b": TWO_SHIPS[:1]})
    with serving(truth) as chat:
        (receipt,) = run(stage(tmp_path, chat), work).values()
    order = [form_of(body) for body in chat.bodies]
    assert order[:4] == ["local", "local", "description", "description"]
    assert sorted(order[4:]) == ["conversation", "conversation", "reasoning", "reasoning"]
    described = [text for text, kind in zip(chat.texts, order, strict=True) if kind == "description"]
    assert all("- the ship: A long ship with a wake." in text for text in described)
    assert all("The sea around them is calm" in text for text, kind in zip(chat.texts, order, strict=True)
               if kind == "conversation" and "two ships" in text)  # fmt: skip
    assert receipt["step"] == "generate"
    assert (receipt["rows_in"], receipt["rows_kept"], receipt["scene_rejected"]) == (2, 2, False)
    assert usage(receipt)["requests"] == len(chat.bodies) == 8
    assert (usage(receipt)["tokens_in"], usage(receipt)["tokens_out"]) == (800, 80)


def test_an_object_is_shown_by_its_box(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(truth) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["local"]), work).values()
    found = receipt["instructions"]
    assert [row["task"] for row in found] == ["region_captioning"] * 2
    assert all("|0]]" in row["turns"][0]["text"] and "[[" not in row["turns"][1]["text"] for row in found)
    # The largest first, each with the label that it speaks of.
    assert [(row["boxes"], row["label_ids"]) for row in found] == [
        ([[200.0, 210.0, 240.0, 230.0]], ["s/u/a#1"]),
        ([[10.0, 10.0, 40.0, 25.0]], ["s/u/a#0"]),
    ]
    assert all(re.fullmatch(r"model:writer@r1/local:2-[0-9a-f]{8}", row["generator"]) for row in found)


def test_the_pictures_of_the_tile_are_shown(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(truth) as chat:
        run(stage(tmp_path, chat, kinds=["description"]), work)
    url = chat.bodies[0]["messages"][-1]["content"][0]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2]) == read_pictures(str(tmp_path), work["tiles"])["s/u/a"]


def wrong(
    kind: str, *bad: Reply, right: Callable[[dict[str, Any], int], Reply] = truth
) -> Callable[[dict[str, Any], int], Reply]:
    """Answers one kind of request with these, one after another, and then as `right` does."""
    left = list(bad)
    return lambda body, number: left.pop(0) if left and form_of(body) == kind else right(body, number)


def test_what_cannot_be_read_is_asked_for_once_more(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    broken = said('Sure! {"description": "There are two shi', "length")
    with serving(wrong("description", broken)) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description"]), work).values()
    first, second = chat.texts
    assert second.startswith(first)
    assert "There are two shi" in second
    assert "found none that is whole (it was cut off after 1024 tokens: be shorter)" in second
    assert len(texts(receipt, "description")) == 1
    assert receipt["rejects"] == []
    assert (usage(receipt)["requests"], usage(receipt)["repairs"]) == (2, 1)


def test_what_still_cannot_be_read_is_a_reject(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(wrong("description", said("I see ships."), said({"text": "ships"}))) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description", "conversation"]), work).values()
    (reject,) = receipt["rejects"]
    assert (reject["kind"], reject["step"], reject["reason"], reject["rows"]) == ("instruction", "generate", "unparsable", 0)
    assert reject["subject"] == "s/u/a#description"
    assert "ships" in reject["detail"]
    assert len(texts(receipt, "conversation")) == 1  # the rest goes on without it


def stating(text: str, kind: str, *objects: int, **fields: Any) -> dict[str, Any]:
    """A sentence with one claim, in the form that is asked for."""
    empty = {"category": "ship", "others": [], "other_category": "", "value": None, "unit": "", "tolerance": 0, "word": ""}
    claim = {"kind": kind, "objects": list(objects), **empty, "at_least": False, "scope": "tile", **fields}
    return {"text": text, "claims": [claim]}


TWO = stating("There are two ships in the image.", "count", value=2)
FOUR = stating("There are four ships in the image.", "count", value=4)
NO_DOCK = stating("There is no dock in the image.", "absence", category="dock")


def described(*sentences: dict[str, Any]) -> Reply:
    return said({"sentences": list(sentences)})


def test_sentences_with_claims_that_hold_are_kept_as_they_are(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(lambda *_: described(TWO, NO_DOCK)) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description"]), work).values()
    ((_, text),) = texts(receipt, "description")
    assert text == "There are two ships in the image. There is no dock in the image."
    assert receipt["instructions"][0]["checks"][0] == "claims"
    assert (usage(receipt)["requests"], usage(receipt)["claimed_sentences"], usage(receipt)["claimed_dropped"]) == (1, 2, 0)
    assert "unread_sentences" not in usage(receipt)


def test_a_claim_that_fails_is_sent_back_once_with_what_contradicts_it(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(wrong("description", described(FOUR, NO_DOCK), right=lambda *_: described(TWO, NO_DOCK))) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description"]), work).values()
    assert "expected 2 ships, found 4" in chat.texts[1]
    assert receipt["rejects"] == []
    assert texts(receipt, "description")[0][1].startswith("There are two ships")
    assert usage(receipt)["repairs"] == 1


def test_what_still_fails_is_replaced_by_the_composers_sentence_and_counted(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(lambda *_: described(FOUR, NO_DOCK)) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description"]), work).values()
    assert texts(receipt, "description")[0][1] == "There are two ships in the image. There is no dock in the image."
    assert [reject["reason"] for reject in receipt["rejects"]] == ["claim"]
    assert "expected 2 ships, found 4" in receipt["rejects"][0]["detail"]
    assert (usage(receipt)["requests"], usage(receipt)["claimed_replaced"]) == (2, 1)


def test_a_text_of_which_too_little_stands_is_dropped_whole(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    empty = {"text": "A calm and peaceful day.", "claims": []}
    with serving(lambda *_: described(empty, empty, TWO)) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description"]), work).values()
    assert texts(receipt, "description") == []
    assert {reject["reason"] for reject in receipt["rejects"]} == {"claim"}


def test_swapped_texts_of_two_objects_are_found(tmp_path: Path) -> None:
    # Number 1 lies in the lower right, 2 in the upper left.
    here = stating("The ship lies in the lower right.", "place", 1, word="lower right")
    there = stating("The ship lies in the upper left.", "place", 2, word="upper left")
    moved = [stating(one["text"], "place", n, word=one["claims"][0]["word"]) for n, one in ((1, there), (2, here))]
    for swapped in ((there, here), moved):
        wrong_way = said({"objects": [{"number": n, "sentences": [one]} for n, one in enumerate(swapped, 1)]})
        right_way = said({"objects": [{"number": 1, "sentences": [here]}, {"number": 2, "sentences": [there]}]})
        folder = tmp_path / str(swapped is moved)
        mine = unit(folder, "u", {"s/u/a": TWO_SHIPS})
        with serving(lambda _, number, replies=(wrong_way, right_way): replies[number]) as chat:
            (receipt,) = run(stage(folder, chat, kinds=["local"]), mine).values()
        assert usage(receipt)["repairs"] == 1
        assert {row["boxes"][0][0]: row["turns"][1]["text"] for row in receipt["instructions"]} == {
            200.0: "The ship lies in the lower right.",
            10.0: "The ship lies in the upper left.",
        }


def test_of_free_text_it_is_counted_what_no_rule_could_read(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    free = said({"description": "There are two ships in the image. Somebody must be very happy there."})
    with serving(lambda *_: free) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description"]), work).values()
    assert (usage(receipt)["free_sentences"], usage(receipt)["unread_sentences"]) == (2, 1)


def test_a_failed_request_is_a_reject_and_the_rest_goes_on(tmp_path: Path) -> None:
    work = [unit(tmp_path, name, {f"s/{name}/a": TWO_SHIPS}) for name in ("u", "v")]
    with serving(wrong("description", refused(400, "no pictures today"))) as chat:
        receipts = run(stage(tmp_path, chat, kinds=["description"]), *work)
    rejects = [reject for receipt in receipts.values() for reject in receipt["rejects"]]
    assert [reject["reason"] for reject in rejects] == ["request_refused"]
    assert "no pictures today" in rejects[0]["detail"]
    assert sum(len(texts(receipt, "description")) for receipt in receipts.values()) == 1


NASTY = (
    "",
    " ",
    "null",
    "[]",
    "{}",
    "[[[",
    '{"pairs": []}',
    '{"objects": []}',
    '{"pairs": [{"question": "", "answer": ""}]}',
    '{"description": "[[ships|0,1]] at [[|9]]"}',
    '{"objects": [{"number": 99, "text": "x"}, {"number": -1, "text": "y"}]}',
    '{"objects": [{"number": 1, "text": "[[a ship|0]]"}]}',
    '{"pairs": [{"kind": "why", "question": "a|b]]", "answer": "[[c|0]]"}]}',
    '{"description": "\\ud800 \\u0000 \\u202e naked"}',
    '{"description": "' + "ship " * 5000 + '"}',
    '{"objects": [{"number": 1e400, "text": "x"}]}',
    '{"objects": [{"number": true, "text": "x"}]}',
    "As an AI model, I cannot see pictures.",
    '{"pairs": {"question": "q", "answer": "a"}}',
)


def test_whatever_a_model_says_every_unit_is_receipted(tmp_path: Path) -> None:
    work = [unit(tmp_path, f"u{i}", {f"s/u{i}/a": TWO_SHIPS}) for i in range(len(NASTY))]
    with serving(lambda _, number: said(NASTY[number % len(NASTY)] or None)) as chat:
        receipts = run(stage(tmp_path, chat), *work)
    for receipt in receipts.values():
        assert receipt["rows_kept"] == 1
        for row in receipt["instructions"]:
            assert len(row["turns"]) % 2 == 0
            assert all(turn["text"].strip() for turn in row["turns"])
            marked = [found for turn in row["turns"] for found in marks(turn["text"])]
            assert [found.boxes for found in marked] == [(0,)] * len(row["boxes"])
    reasons = {reject["reason"] for receipt in receipts.values() for reject in receipt["rejects"]}
    assert {"unparsable", "empty_answer"} <= reasons


def test_a_contradiction_drops_its_pair(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    lie = [("How many ships are there?", "There are seven ships in the image."),
           ("What does the water look like?", "The water is calm and even."),
           ("Is there a dock?", "No, there is no dock in the image.")]  # fmt: skip
    answer = said({"pairs": [{"question": question, "answer": answer} for question, answer in lie]})
    with serving(wrong("conversation", answer)) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["conversation"]), work).values()
    (talk,) = texts(receipt, "conversation")
    assert talk == [text for pair in lie[1:] for text in pair]
    (reject,) = receipt["rejects"]
    assert reject["reason"].startswith("check:")
    assert "expected" in reject["detail"]
    assert "seven" in reject["detail"]
    (row,) = receipt["instructions"]
    assert json.loads(row["answer"]) == {"kind": "text", "pairs": 2}


def test_a_false_description_is_dropped_and_feeds_nothing(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    lie = said({"description": "There are seven ships in the image."})
    with serving(wrong("description", lie)) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["description", "conversation"]), work).values()
    assert texts(receipt, "description") == []
    assert "seven" not in chat.texts[-1]
    assert [reject["reason"].partition(":")[0] for reject in receipt["rejects"]] == ["check"]


def test_a_second_run_asks_nothing_and_says_the_same(tmp_path: Path) -> None:
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS, "s/u/b": TWO_SHIPS[:1]})
    with serving(truth) as chat:
        (first,) = run(stage(tmp_path, chat), work).values()
    again = stage(tmp_path, chat)  # nobody answers there any more
    (second,) = run(again, work).values()
    unlike = {"receipt", "usage", "unit"}
    plain = [
        json.dumps([{k: v for k, v in row.items() if k not in unlike} for row in one["instructions"]])
        for one in (first, second)
    ]
    assert plain[0] == plain[1]
    assert usage(second)["replayed"] == usage(first)["requests"] == 8
    assert usage(second)["tokens_in"] == usage(second)["money"] == 0


def test_texts_do_not_depend_on_what_is_done_beside_them(tmp_path: Path) -> None:
    work = [unit(tmp_path, f"u{i}", {f"s/u{i}/{n}": TWO_SHIPS[: 1 + (i + n) % 3] for n in range(3)}) for i in range(4)]
    shutil.copytree(tmp_path / "tiles", tmp_path / "apart/tiles")  # another lake has other records
    with serving(truth) as chat:
        together = run(stage(tmp_path, chat), *work)
        apart = {name: row for one in reversed(work) for name, row in run(stage(tmp_path / "apart", chat), one).items()}
    for name, receipt in together.items():
        assert [row["digest"] for row in receipt["instructions"]] == [row["digest"] for row in apart[name]["instructions"]]


def test_a_tile_of_which_nothing_is_known_is_not_asked_about(tmp_path: Path) -> None:
    guess = Label("box", "ship", Provenance("labeller", "weak", quality=0.1), Shape((0.0, 0.0, 9.0, 9.0)))
    work = unit(tmp_path, "u", {"s/u/a": (), "s/u/b": (guess,)})
    with serving(truth) as chat:
        (receipt,) = run(stage(tmp_path, chat), work).values()
    assert chat.bodies == []
    assert (receipt["rows_in"], receipt["rows_kept"], receipt["instructions"], receipt["rejects"]) == (2, 2, [], [])


def test_sensors_are_compared_where_they_show_the_same_ground(tmp_path: Path) -> None:
    optical, sar = (unit(tmp_path, name, {f"s/{name}/a": TWO_SHIPS}) for name in ("u", "v"))
    other = {**sar["tiles"][0], "sensor": "sar", "companion_of": "s/u/a"}
    work = {**optical, "others": [other], "labels": [*optical["labels"], *sar["labels"]]}
    with serving(truth) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["comparison"]), work).values()
    (body,) = chat.bodies
    assert form_of(body) == "comparison"
    shown = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in body["messages"][-1]["content"][:-1]]
    assert shown == list(read_pictures(str(tmp_path), [*work["tiles"], other]).values())
    assert {row["tile_id"] for row in receipt["instructions"]} == {"s/u/a"}
    assert {row["task"] for row in receipt["instructions"]} == {"reasoning"}


def test_what_decides_the_texts_is_in_the_fingerprint(tmp_path: Path) -> None:
    with serving(truth) as chat:
        base = stage(tmp_path, chat)
    assert fingerprint(base) == fingerprint(replace(base, root="elsewhere"))
    moved = from_settings({"name": "openai", "model": "writer", "revision": "r1", "address": "http://other", "key": None})
    assert fingerprint(base) == fingerprint(replace(base, engine=moved))
    others = [
        replace(base, seed=4),
        replace(base, written_from=("another@1", *base.written_from[1:])),
        replace(base, written_from=(*base.written_from[:-1], "0" * 32)),
        replace(base, generation=replace(base.generation, max_tokens=5)),
        replace(base, labels=config.Labels(min_quality=0.9)),
        replace(base, engine=from_settings({"name": "openai", "model": "another"})),
    ]
    assert len({fingerprint(base), *map(fingerprint, others)}) == 1 + len(others)


def test_every_tile_is_asked_within_its_limits(tmp_path: Path) -> None:
    many = tuple(Label("box", "ship", GOLD, Shape((8.0 * i, 0.0, 8.0 * i + 6, 6.0))) for i in range(30))
    work = unit(tmp_path, "u", {"s/u/a": many})
    with serving(truth) as chat:
        (receipt,) = run(stage(tmp_path, chat, kinds=["local"], max_objects=5), work).values()
    assert len(re.findall(r"^\d+\. ", chat.texts[0], re.MULTILINE)) == 5
    assert len(receipt["instructions"]) == config.Instructions().per_task


def test_an_engine_that_does_not_exist_is_refused_with_the_configuration(tmp_path: Path) -> None:
    source = {"name": "s", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": "x.tif"}}
    for engine, words in (({"name": "opnai"}, "did you mean 'openai'"), ({"name": "openai"}, "model: is missing")):
        built = {"root": str(tmp_path), "sources": [source], "generation": {"engine": engine}}
        (tmp_path / "c.yaml").write_text(json.dumps(built))
        with pytest.raises(ConfigError, match=words):
            load(str(tmp_path / "c.yaml"))


@pytest.mark.parametrize("kinds", [[], ["poem"]])
def test_kinds_that_do_not_exist_are_refused(tmp_path: Path, kinds: list[str]) -> None:
    with serving(truth) as chat, pytest.raises(ConfigError, match="kinds"):
        stage(tmp_path, chat, kinds=kinds)


def test_prompts_of_the_users_own_are_asked_and_named(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("version: 7\n---\nBe brief.\n---\nMINE $facts")
    own = {"file": str(tmp_path / "own.txt")}
    prompts = [
        {"kind": "description", "sensors": ["sar"], **own},
        {"kind": "brief", "like": "description", "sources": ["s"], **own},
        {"kind": "elsewhere", "like": "description", "sources": ["t"], **own},
    ]
    work = unit(tmp_path, "u", {"s/u/a": TWO_SHIPS})
    with serving(lambda *_: described(TWO, NO_DOCK)) as chat:
        made = stage(tmp_path, chat, kinds=["description", "brief", "elsewhere"], prompts=prompts, detail="low")
        (receipt,) = run(made, work).values()
    assert len(chat.bodies) == 2
    assert sum("MINE" in text for text in chat.texts) == 1
    assert [part["image_url"]["detail"] for body in chat.bodies for part in body["messages"][-1]["content"][:1]] == ["low"] * 2
    assert {row["task"] for row in receipt["instructions"]} == {"description"}
    assert any("/brief:7-" in row["generator"] or "/description:" in row["generator"] for row in receipt["instructions"])
