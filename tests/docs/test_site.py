"""The documentation site builds strictly, its reference pages hold what the code has, and its notebook runs."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rsflow.cli.app import COMMANDS
from rsflow.config.settings import BuildConfig, Source, Tiles
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the site needs the extra `docs`")
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.mark.slow
def test_the_reference_is_made_from_the_code(site: Path) -> None:
    commands = (site / "reference/commands/index.html").read_text()
    assert [name for name in COMMANDS if f"Usage: rsflow {name}" not in commands] == []
    settings = (site / "reference/settings/index.html").read_text()
    fields = [field.name for kind in (BuildConfig, Source, Tiles) for field in dataclasses.fields(kind)]
    assert [name for name in fields if f"<code>{name}</code>" not in settings] == []
    python = (site / "reference/python/index.html").read_text()
    assert "rsflow.loading.stream.stream" in python


@pytest.mark.slow
def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?://(?!rsflow)[^"]+)"', page.read_text()) == [], page


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "docs/notebooks/first_dataset.ipynb", as_version=4)
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert (tmp_path / "notebook-out/lake/report.html").exists()
