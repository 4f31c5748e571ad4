"""Review on the page: decisions by mouse and by keys, and requests that are not the page's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rsflow.cli import main
from rsflow.lake.tables import open_lake
from rsflow.review.store import read_decisions
from tests.viewer.conftest import Served, run_server
from tests.viewer.test_page import opened, until


@pytest.fixture
def root(demo_lake: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo_lake, tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture
def reviewed(root: Path) -> Iterator[Served]:
    with run_server(str(root), review=True) as found:
        yield found


def ship_card(served: Served) -> dict[str, Any]:
    """The kept sample with the largest ship of one box alone."""
    cards = served.get("/api/samples?category=ship&reason=kept&limit=200")[2]["samples"]
    ships = [(card, [label for label in card["labels"] if label["category"] == "ship"]) for card in cards]
    found = [(boxes[0]["box"], card) for card, boxes in ships if len(boxes) == 1]
    return max(found, key=lambda one: (one[0][2] - one[0][0]) * (one[0][3] - one[0][1]))[1]


def accept(served: Served, **more: Any) -> dict[str, Any]:
    return {"kind": "sample", "action": "accept", "key": ship_card(served)["key"], "reviewer": "ada", **more}


def test_a_decision_is_a_row_of_the_lake(reviewed: Served, root: Path) -> None:
    card = ship_card(reviewed)
    records = reviewed.get(f"/api/sample/{card['key']}")[2]
    label = next(row for row in records["labels"] if row["category"] == "ship")
    words = {"kind": "label", "action": "correct", "key": card["key"], "target": label["label_id"], "reviewer": "ada"}
    status, _, row = reviewed.post("/api/decisions", {**words, "after": {"category": "ferry"}})
    assert status == 200
    (stored,) = read_decisions(open_lake(str(root)))
    assert stored["decision_id"] == row["decision_id"]
    assert (stored["tile_id"], stored["reviewer"]) == (card["tile_id"], "ada")
    after = reviewed.get(f"/api/sample/{card['key']}")[2]
    assert "ferry" in {each["category"] for each in after["labels"]}
    assert label["label_id"] in {each["label_id"] for each in after["left"]}
    shown = [
        each
        for each in reviewed.get(f"/api/samples?scene={records['scene']['scene_id']}")[2]["samples"]
        if each["key"] == card["key"]
    ]
    assert "ferry" in {each["category"] for each in shown[0]["labels"]}
    found = reviewed.get("/api/samples?category=ferry")[2]["samples"]
    assert [each["key"] for each in found] == [card["key"]]
    assert reviewed.get("/api/counts?category=ferry")[2]["total"] == 1


def test_filters_follow_what_is_decided_and_taken_back(reviewed: Served) -> None:
    """A rejected label is not found any more, nor counted; accepted again, it is."""
    card = ship_card(reviewed)
    label = next(row for row in card["labels"] if row["category"] == "ship")
    words = {"kind": "label", "key": card["key"], "target": label["label_id"], "reviewer": "ada"}
    ship = f"category=ship&text={card['tile_id']}"
    assert reviewed.get(f"/api/counts?{ship}")[2]["total"] == 1
    assert reviewed.post("/api/decisions", {**words, "action": "reject", "reason": "not_there"})[0] == 200
    assert reviewed.get(f"/api/counts?{ship}")[2]["total"] == 0
    kept = reviewed.get(f"/api/samples?text={card['tile_id']}")[2]["samples"][0]
    assert kept["objects"] == card["objects"] - 1
    assert reviewed.post("/api/decisions", {**words, "action": "accept"})[0] == 200
    assert reviewed.get(f"/api/samples?{ship}")[2]["samples"][0]["labels"] == card["labels"]


def test_several_reviewers_may_decide_at_once(reviewed: Served, root: Path) -> None:
    """Decisions, and pages that read them again, at the same time: all are taken, and the filters show them."""
    cards = reviewed.get("/api/samples?category=ship&reason=kept&limit=6")[2]["samples"]

    def correct(card: dict[str, Any]) -> list[int]:
        label = next(row for row in card["labels"] if row["category"] == "ship")
        words = {"kind": "label", "action": "correct", "key": card["key"], "target": label["label_id"], "reviewer": "ada"}
        status = reviewed.post("/api/decisions", {**words, "after": {"category": "ferry"}})[0]
        return [status, reviewed.get("/api/lake")[0], reviewed.get("/api/counts")[0]]

    with ThreadPoolExecutor(len(cards)) as pool:
        assert list(pool.map(correct, cards)) == [[200, 200, 200]] * len(cards)
    assert len(read_decisions(open_lake(str(root)))) == len(cards)
    found = reviewed.get("/api/samples?category=ferry&limit=20")[2]["samples"]
    assert {card["key"] for card in found} == {card["key"] for card in cards}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ""},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"x-rsflow-review": ""},
        {"x-rsflow-review": "guessed"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"host": "evil.example"},
    ],
)
def test_requests_of_other_sites_change_nothing(reviewed: Served, root: Path, headers: dict[str, str]) -> None:
    status, _, _ = reviewed.post("/api/decisions", accept(reviewed), headers)
    assert status in {403, 415}
    assert read_decisions(open_lake(str(root))) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"reviewer": ""}, "reviewer"),
        ({"reviewer": "x" * 3000}, "2000"),
        ({"reviewer": {"a": 1}}, "reviewer"),
        ({"key": "nothing"}, "no sample"),
        ({"kind": "tile"}, "kind"),
        ({"action": "reject"}, "reason"),
        ({"kind": "label", "action": "reject", "reason": "not_there", "target": "another"}, "reload"),
        ({"kind": "label", "action": "add", "after": {"category": "x", "box": [0, 0, 9999, 5]}}, "leaves the picture"),
        ({"kind": "label", "action": "add", "after": [1]}, "after"),
    ],
)
def test_a_decision_that_says_nothing_is_answered_in_words(reviewed: Served, words: dict[str, Any], expected: str) -> None:
    status, _, body = reviewed.post("/api/decisions", accept(reviewed, **words))
    assert status == 400
    assert expected in body["error"]


def test_without_review_there_is_no_such_route(served: Served) -> None:
    assert served.post("/api/decisions", accept(served))[0] in {404, 405}
    assert served.get("/api/lake")[2]["review"] is None


def test_boxes_are_corrected_with_the_mouse(page: Any, reviewed: Served, root: Path) -> None:
    card = ship_card(reviewed)
    opened(page, reviewed, f"#sample/{card['key']}")
    page.fill("#reviewer", "ada")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Correct ship", exact=True).first.click()
    handle = page.locator(".handle").nth(4).bounding_box()
    start = (handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    drawn = page.locator(".edited").bounding_box()
    left, up = drawn["width"] * 0.3, drawn["height"] * 0.4
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] - left, start[1] - up, steps=5)
    page.mouse.up()
    page.get_by_label("Category").fill("ferry")
    page.get_by_role("button", name="Save").click()
    until(page, "document.querySelector('.left-out') !== null")
    (row,) = read_decisions(open_lake(str(root)))
    before, after = json.loads(row["before"]), json.loads(row["after"])
    assert after["category"] == "ferry"
    scale = page.evaluate("document.querySelector('.fit img').getBoundingClientRect().width") / card["width_px"]
    assert after["box"][:2] == pytest.approx(before["box"][:2], abs=0.06)
    assert after["box"][2] == pytest.approx(before["box"][2] - left / scale, abs=1.0)
    assert after["box"][3] == pytest.approx(before["box"][3] - up / scale, abs=1.0)


def test_a_missing_box_is_drawn(page: Any, reviewed: Served, root: Path) -> None:
    card = ship_card(reviewed)
    opened(page, reviewed, f"#sample/{card['key']}")
    page.fill("#reviewer", "ada")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add a box").click()
    picture = page.locator(".fit img").bounding_box()
    page.mouse.move(picture["x"] + picture["width"] * 0.25, picture["y"] + picture["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(picture["x"] + picture["width"] * 0.5, picture["y"] + picture["height"] * 0.75, steps=4)
    page.mouse.up()
    page.get_by_label("Category").fill("buoy")
    page.get_by_role("button", name="Save").click()
    until(page, "[...document.querySelectorAll('.legend button')].some(each => each.textContent.includes('buoy'))")
    (row,) = read_decisions(open_lake(str(root)))
    side = card["width_px"]
    assert json.loads(row["after"])["box"] == pytest.approx([side / 4, side / 4, side / 2, side * 3 / 4], abs=1.5)


def test_texts_are_corrected_and_rejected_by_keys_alone(page: Any, reviewed: Served, root: Path) -> None:
    card = ship_card(reviewed)
    opened(page, reviewed, f"#sample/{card['key']}")
    # Without a name nothing is decided.
    page.get_by_role("button", name="Accept the sample").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.review-status').textContent.includes('name')")
    assert page.evaluate("document.activeElement.id") == "reviewer"
    page.keyboard.type("grace")
    page.get_by_role("button", name="Correct the captioning instruction").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("A harbour basin.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "[...document.querySelectorAll('.talk .tag')].some(each => each.textContent === 'corrected')")
    page.get_by_role("button", name="Reject the sample").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Why the sample is rejected").select_option("wrong_place")
    page.keyboard.press("Tab")
    page.keyboard.type("not here")
    page.keyboard.press("Enter")
    until(page, "[...document.querySelectorAll('.review .tag')].some(each => each.textContent === 'rejected')")
    rows = read_decisions(open_lake(str(root)))
    assert [(row["kind"], row["action"], row["reason"], row["note"]) for row in rows] == [
        ("instruction", "correct", "", ""),
        ("sample", "reject", "wrong_place", "not here"),
    ]
    assert "A harbour basin." in rows[0]["after"]


def test_what_was_drawn_is_a_list_to_work_through(page: Any, root: Path) -> None:
    assert main(["review", str(root), "--sample", "5", "--per", "task"]) == 0
    with run_server(str(root), review=True) as found:
        queue = found.get("/api/samples?queue=1")[2]["samples"]
        assert 1 <= len(queue) <= 5
        assert found.get("/api/lake")[2]["review"]["open"] == 5
        opened(page, found)
        page.get_by_role("link", name="To review").click()
        until(page, f"document.querySelectorAll('.card').length === {len(queue)}")
        page.locator(".card").first.click()
        page.wait_for_selector(".sample")
        until(page, "[...document.querySelectorAll('.tag')].some(each => each.textContent === 'to review')")
        page.goto("about:blank")
