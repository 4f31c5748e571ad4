"""The page in a real browser: what is drawn, keys alone, light and dark, a small window, hostile texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsflow.lake.tables import open_lake
from tests.viewer.conftest import HOSTILE, Served, run_server


def opened(page: Any, served: Served, place: str = "#samples") -> Any:
    page.goto("about:blank")  # a change of the part after # alone would not load the page again
    page.goto(f"{served.address}/{place}")
    page.wait_for_selector(".card, .sample, canvas, .rejects tbody tr, .empty")
    return page


def until(page: Any, condition: str) -> None:
    """Wait for a condition in the page (its own policy forbids what Playwright's wait does, which is to evaluate text)."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {condition}")


def focused(page: Any) -> str | None:
    found: str | None = page.evaluate("document.activeElement.dataset.key || document.activeElement.id || null")
    return found


def test_cards_show_pictures_boxes_and_texts(page: Any, served: Served) -> None:
    opened(page, served, "#samples?reason=kept&category=ship")
    first = page.locator(".card").first
    until(page, "document.querySelector('.card img').naturalWidth > 0")
    labels = served.get("/api/samples?reason=kept&category=ship&limit=1")[2]["samples"][0]["labels"]
    boxes = [label for label in labels if label["kind"] in {"box", "phrase"} and label["box"]]
    assert first.locator("svg.overlay g").count() == len(boxes) > 0
    until(page, "document.querySelector('.card .said').textContent.length > 10")
    total = served.get("/api/counts?reason=kept&category=ship")[2]["total"]
    until(page, f"document.getElementById('total').textContent.startsWith('{total} sample')")


def test_a_box_lies_where_its_label_says(page: Any, served: Served) -> None:
    """Of the drawn picture, the overlay covers the same share of width and height as in the label's pixels."""
    opened(page, served, "#samples?category=ship")
    card = served.get("/api/samples?category=ship&limit=1")[2]["samples"][0]
    label = next(each for each in card["labels"] if each["kind"] == "box")
    at = page.evaluate(
        "id => { const g = [...document.querySelectorAll('.card g')].find(e => e.dataset.label === id);"
        " const a = g.querySelector('.shape').getBoundingClientRect(), b = g.closest('.picture').getBoundingClientRect();"
        " return [a.left - b.left, a.top - b.top, a.right - b.left, a.bottom - b.top].map(v => v / b.width); }",
        label["label_id"],
    )
    assert at == pytest.approx([value / card["width_px"] for value in label["box"]], abs=0.02)


def test_the_grid_grows_to_its_end(page: Any, served: Served) -> None:
    opened(page, served)
    total = served.get("/api/counts")[2]["total"]
    until(
        page,
        "() => { window.scrollTo(0, document.body.scrollHeight); "
        f"return document.querySelectorAll('.card').length === {total}; }}",
    )
    keys = page.eval_on_selector_all(".card", "cards => cards.map(card => card.dataset.key)")
    assert len(set(keys)) == total


def test_the_keyboard_alone_is_enough(page: Any, served: Served) -> None:
    opened(page, served)
    keys = [row["key"] for row in served.get("/api/samples?limit=3")[2]["samples"]]
    page.keyboard.press("ArrowDown")
    assert focused(page) == keys[0]
    page.keyboard.press("ArrowRight")
    assert focused(page) == keys[1]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(".sample")
    assert keys[1] in page.url
    page.keyboard.press("ArrowRight")
    until(page, f"location.hash.includes('{keys[2]}')")
    page.wait_for_selector(".sample")
    page.keyboard.press("Escape")
    page.wait_for_selector(".grid .card")
    until(page, f"document.activeElement.dataset.key === '{keys[2]}'")
    page.keyboard.press("/")
    assert focused(page) == "text"
    page.keyboard.type("ship")
    page.keyboard.press("Enter")
    until(page, "location.hash.includes('text=ship')")
    page.keyboard.press("Escape")
    page.locator("#content").focus()
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    for key, selector in (("2", "canvas"), ("4", ".rejects tbody tr"), ("3", ".empty"), ("1", ".card")):
        page.keyboard.press(key)
        page.wait_for_selector(selector)
    page.keyboard.press("b")
    assert page.locator(".card .overlay").first.is_hidden()


def test_filters_are_in_the_address_and_go_back(page: Any, served: Served) -> None:
    opened(page, served)
    page.get_by_role("checkbox", name="sar").first.check()
    until(page, "location.hash.includes('sensor=sar')")
    total = served.get("/api/counts?sensor=sar")[2]["total"]
    until(page, f"document.getElementById('total').textContent.startsWith('{total} ')")
    page.get_by_label("Size of an object, px, min").fill("20")
    page.keyboard.press("Enter")
    until(page, "location.hash.includes('min_size=20')")
    page.reload()
    page.wait_for_selector(".card")
    assert page.locator(".chip").count() == 2
    page.locator(".chip").first.click()
    until(page, "!location.hash.includes('sensor=sar')")
    page.go_back()
    until(page, "location.hash.includes('sensor=sar')")


def test_a_sample_shows_every_record(page: Any, served: Served) -> None:
    card = served.get("/api/samples?reason=kept&task=grounding&limit=1")[2]["samples"][0]
    records = served.get(f"/api/sample/{card['key']}")[2]
    opened(page, served, f"#sample/{card['key']}")
    text = page.locator("#content").inner_text()
    assert card["tile_id"] in text
    assert page.locator("[data-instruction]").count() == len(records["instructions"])
    page.locator("summary").first.click()
    assert page.locator("tr[data-label]").count() == len(records["labels"])
    for summary in page.locator("summary").all()[1:]:
        summary.click()
    text = page.locator("#content").inner_text()
    assert records["scene"]["files"][0] in text
    assert records["tile"]["file"] in text
    page.locator(".mark").first.hover()
    assert page.locator("svg.overlay:not(.main) polygon").count() >= 1
    assert len(records["companions"]) == 0 or page.locator(".strip img").count() > 0


def test_the_map_opens_a_sample_and_filters_to_the_view(page: Any, served: Served) -> None:
    opened(page, served, "#map")
    box = page.locator("canvas").bounding_box()
    page.wait_for_timeout(300)
    drawn = page.evaluate(
        "() => { const c = document.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n / (d.length / 4); }"
    )
    assert drawn > 0.1
    page.get_by_text("Only what is in view").click()
    until(page, "location.hash.includes('box=')")
    page.wait_for_selector("canvas")
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".sample")


def test_light_dark_and_small(browser: Any, served: Served) -> None:
    def background(page: Any) -> str:
        found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return found

    dark = browser.new_context(color_scheme="dark", viewport={"width": 1000, "height": 700})
    page = opened(dark.new_page(), served)
    by_system = background(page)
    page.keyboard.press("d")
    assert background(page) != by_system
    page.reload()
    page.wait_for_selector(".card")
    assert background(page) != by_system
    dark.close()
    small = browser.new_context(viewport={"width": 360, "height": 640})
    page = opened(small.new_page(), served)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#filters").is_hidden()
    page.get_by_role("button", name="Filters").click()
    assert page.locator("#filters").is_visible()
    page.locator(".card").first.click()
    page.wait_for_selector(".sample")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small.close()


def test_every_control_has_a_name(page: Any, served: Served) -> None:
    opened(page, served)
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select, a')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert nameless == []
    assert page.locator("main").count() == page.locator("header").count() == page.locator("nav").count() == 1


def test_hostile_names_and_texts_stay_text(page: Any, hostile_lake: Path) -> None:
    with run_server(str(hostile_lake)) as found:
        key = open_lake(str(hostile_lake)).read("tiles", ["key"])["key"][0].as_py()
        for place in ("#samples", f"#sample/{key}", "#map", "#rejects", f"#samples?text={HOSTILE}&category={HOSTILE}"):
            opened(page, found, place)
            page.wait_for_timeout(200)
            assert page.evaluate("window.hacked") is None
            assert page.locator("img[onerror]").count() == 0
        opened(page, found, f"#sample/{key}")
        for summary in page.locator("summary").all():
            summary.click()
        assert page.locator("#content").inner_text().count(HOSTILE) >= 3  # the file, the category and the caption
        assert page.evaluate("window.hacked") is None
        page.goto("about:blank")


def test_an_empty_lake_says_what_to_do(page: Any, empty_lake: Path) -> None:
    with run_server(str(empty_lake)) as found:
        opened(page, found)
        assert "rsflow build" in page.locator(".empty").inner_text()
        for place in ("#map", "#embedding", "#rejects"):
            page.goto(f"{found.address}/{place}")
            page.wait_for_selector(".empty")
        page.goto("about:blank")


def test_a_rejected_tile_is_shown(page: Any, hostile_lake: Path) -> None:
    with run_server(str(hostile_lake)) as found:
        opened(page, found, "#rejects")
        until(page, "[...document.querySelectorAll('.rejects img')].some(image => image.naturalWidth === 96)")
