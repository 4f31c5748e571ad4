"""Lakes, a server over each, and a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from rsflow.cli import main
from rsflow.demo import write_demo_scenes
from rsflow.lake.tables import create_lake, open_lake
from rsflow.phases.build import run
from rsflow.planning.recipe import load

pytest.importorskip("duckdb", reason="needs the extra rsflow[view]")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra rsflow[view]")
pytest.importorskip("starlette", reason="needs the extra rsflow[view]")

from rsflow.viewer.security import Access  # noqa: E402
from rsflow.viewer.serve import listen  # noqa: E402
from rsflow.viewer.server import LakeView, make_app  # noqa: E402

INLINE = "engine.kind=inline"
HOSTILE = "<img src=x onerror=window.hacked=1>"


@pytest.fixture(scope="session")
def demo_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the demo in small, built whole."""
    folder = tmp_path_factory.mktemp("view")
    write_demo_scenes(folder, seed=7, size_px=512)
    run(load(str(folder / "demo.yaml"), [INLINE]))
    return folder / "lake"


@pytest.fixture(scope="session")
def hostile_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose file names, categories and captions try to be HTML; labelled, not yet selected. One flat picture is
    rejected."""
    folder = tmp_path_factory.mktemp("hostile")
    name = f"{HOSTILE}.png"
    pixels = np.random.default_rng(3).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / name)
    Image.new("RGB", (96, 96), (40, 90, 140)).save(folder / "flat.png")
    labels = [
        {"kind": "box", "category": f"boat {HOSTILE}", "box": [10, 10, 50, 40]},
        {"kind": "caption", "text": f"A picture {HOSTILE} of a boat."},
    ]
    row = {"file": str(folder / name), "height_px": 96, "width_px": 96, "labels": labels}
    (folder / "labels.jsonl").write_text(json.dumps(row) + "\n")
    config = {
        "root": "lake",
        "sources": [
            {
                "name": "hostile",
                "sensor": "optical",
                "licence": "CC0-1.0",
                "scenes": {"files": "*.png"},
                "annotations": {"format": "rsflow", "files": "labels.jsonl"},
            }
        ],
    }
    (folder / "build.yaml").write_text(yaml.safe_dump(config))
    assert main(["label", str(folder / "build.yaml"), INLINE]) == 0
    return folder / "lake"


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "lake"
    create_lake(str(folder))
    return folder


@dataclass
class Served:
    """A running server. `get` and `post` answer (status, headers, content)."""

    address: str
    access: Access
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] = {}, method: str = "GET") -> tuple[int, Mapping[str, str], Any]:
        request = urllib.request.Request(self.address + path, headers={**self.headers, **headers}, method=method)
        return _answer(request)

    def post(self, path: str, content: Any, headers: Mapping[str, str] = {}) -> tuple[int, Mapping[str, str], Any]:
        own = {"content-type": "application/json", "origin": self.address, "x-rsflow-review": self.access.secret}
        given = {name: value for name, value in {**own, **self.headers, **headers}.items() if value}
        data = json.dumps(content).encode()
        return _answer(urllib.request.Request(self.address + path, data=data, headers=given, method="POST"))


def _answer(request: urllib.request.Request) -> tuple[int, Mapping[str, str], Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = answer.read()
            found, headers = answer.status, answer.headers
    except urllib.error.HTTPError as error:
        data, found, headers = error.read(), error.code, error.headers
    is_json = headers.get("content-type", "").startswith("application/json")
    return found, headers, json.loads(data) if is_json else data


Server = Callable[..., contextlib.AbstractContextManager[Served]]


@contextlib.contextmanager
def run_server(lake: str, token: str = "", background: str = "", review: bool = False) -> Iterator[Served]:
    listening = listen("127.0.0.1", 0)
    access = Access("127.0.0.1", listening.getsockname()[1], token)
    app = make_app(LakeView(open_lake(lake), review), access, background)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Served(f"http://127.0.0.1:{access.port}", access)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture(scope="session")
def served(demo_lake: Path) -> Iterator[Served]:
    """The page of the demo's lake."""
    with run_server(str(demo_lake)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; tests that need it are skipped where there is none.

    Of a module alone: while it runs so does an event loop in this thread, where tests of other modules start their own.
    """
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra rsflow[dev]")
    place = os.environ.get("RSFLOW_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if place is None:
        pytest.skip("no chromium on this machine: install Debian's `chromium`, or name one in RSFLOW_CHROMIUM")
    with sync.sync_playwright() as play:
        found = play.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page in a context of its own; the test fails where its console shows an error or it asks another machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="light")
    found = context.new_page()
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    found.on(
        "request",
        lambda asked: None if "://127.0.0.1:" in asked.url or asked.url.startswith("data:") else faults.append(asked.url),
    )
    yield found
    context.close()
    assert faults == []
