"""Entry points of an outside package: its rows are used like rsflow's own, and its faults are one clear error."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from rsflow import plugins
from rsflow.cli import main
from rsflow.dialects import get_dialect
from rsflow.errors import ConfigError

ROOT = Path(__file__).parents[2]

MODULE = """
import numpy as np
from rsflow.labellers.scene import Scene
from rsflow.readers.picture import open_picture
from rsflow.annotations.csv_boxes import read_csv
from rsflow.dialects import pixels as dialect
from rsflow.exports import llava as form


def open_scene(files):
    return open_picture(files)


def read_boxes(files, *, delimiter: str = ","):
    return read_csv(files)


class Haze(Scene):
    name = "haze"
"""
POINTS = {
    "rsflow.readers": {"outside_picture": "outside_rs:open_scene"},
    "rsflow.annotations": {"outside_csv": "outside_rs:read_boxes"},
    "rsflow.labellers": {"haze": "outside_rs:Haze"},
    "rsflow.dialects": {"outside_pixels": "outside_rs:dialect"},
    "rsflow.exports": {"outside_llava": "outside_rs:form"},
}


def install(folder: Path, name: str, version: str, points: dict[str, dict[str, str]], module: str = MODULE) -> None:
    """What an installer leaves of a small package in a folder of sys.path."""
    (folder / f"{name}.py").write_text(module)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = [f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items()) for group, rows in points.items()]
    (info / "entry_points.txt").write_text("\n".join(groups))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for packages, and beside it a configuration that uses those of `POINTS`."""
    (tmp_path / "site").mkdir()
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "images/a.png")
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,label\na.png,5,6,40,44,ship\n")
    source: dict[str, Any] = {
        "name": "s",
        "sensor": "optical",
        "licence": "CC0-1.0",
        "reader": "outside_picture",
        "scenes": {"files": "images/*.png"},
        "annotations": {"format": "outside_csv", "files": "boxes.csv"},
        "labellers": [{"name": "haze"}],
    }
    config = {"root": "lake", "sources": [source], "engine": {"kind": "inline"}, "select": {"splits": {"train": 1}}}
    (tmp_path / "build.yaml").write_text(json.dumps(config))
    return tmp_path / "site"


@dataclass
class Command:
    """Runs a command in this process, as in a new one that has the packages of `site`."""

    site: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        forget_packages()
        return (main([*words]), *self.capsys.readouterr())

    def refusal(self) -> str:
        code, out, err = self("plan", "build.yaml")
        assert (code, out, err.count("\n")) == (2, "", 1), err
        return err


def forget_packages() -> None:
    plugins._declared.cache_clear()
    plugins._load.cache_clear()
    for name in ("outside_rs", "rival", "half"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


@pytest.fixture
def rsflow(site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(site.parent)
    yield Command(site, capsys)
    monkeypatch.undo()
    forget_packages()


PRODUCT = """
import re
from rsflow.files import storage
from rsflow.readers.products.contract import Description, Product

TWIN = Product(
    metadata=("*.date",),
    prefix=lambda path: path.removesuffix(".date"),
    file=re.compile(r"^_(?P<band>[RN])\\.tif$"),
    bands=lambda prefix: {"R": "red", "N": "nir"},
    describe=lambda path, bands, files: Description({"acquired_at": storage.read_text(path).strip()}),
)
"""


def test_an_outside_package_brings_a_product(site: Path, rsflow: Command) -> None:
    install(site, "outside_rs", "1.0", {"rsflow.products": {"twin": "outside_rs:TWIN"}}, PRODUCT)
    folder = site.parent / "twin"
    folder.mkdir()
    (folder / "scene.date").write_text("2024-05-01")
    for band in "RN":
        with rasterio.open(
            folder / f"scene_{band}.tif", "w", driver="GTiff", height=8, width=8, count=1, dtype="uint8"
        ) as file:
            file.write(np.ones((1, 8, 8), np.uint8))
    source = {"name": "s", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": "twin", "product": "twin"}}
    (site.parent / "build.yaml").write_text(json.dumps({"root": "lake", "sources": [source], "engine": {"kind": "inline"}}))
    code, out, err = rsflow("plan", "build.yaml", "--json")
    assert (code, json.loads(out)["units"]) == (0, 1), err
    install(site, "rival", "1.0", {"rsflow.products": {"twin": "rival:Nothing"}}, "")
    assert "both have 'twin'" in rsflow.refusal()
    (site / "outside_rs-1.0.dist-info/entry_points.txt").unlink()
    assert "sources.0.scenes.product: rsflow.products: 'twin' of rival 1.0" in rsflow.refusal()


def test_an_outside_package_reads_labels_and_exports(site: Path, rsflow: Command) -> None:
    install(site, "outside_rs", "1.0", POINTS)
    code, out, err = rsflow("build", "build.yaml", "--json")
    assert code == 0, err
    assert json.loads(out)["tiles"] == 1
    words = ["--format", "outside_llava", "--dialect", "outside_pixels", "-o", "out"]
    assert rsflow("export", "lake", *words)[0] == 0
    # The same version finds nothing to do; another one does the package's work again.
    assert json.loads(rsflow("plan", "build.yaml", "--json")[1])["units"] == 0
    (site / "outside_rs-1.0.dist-info").rename(site / "outside_rs-1.1.dist-info")
    metadata = site / "outside_rs-1.1.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "1.1"))
    assert json.loads(rsflow("plan", "build.yaml", "--json")[1])["units"] == 1


def test_an_unknown_name_is_refused_and_the_known_are_listed(site: Path, rsflow: Command) -> None:
    renamed = {**POINTS, "rsflow.readers": {"outside_images": "outside_rs:open_scene"}}
    install(site, "outside_rs", "1.0", renamed)
    assert "unknown reader 'outside_picture'; did you mean 'outside_images'?" in rsflow.refusal()


@pytest.mark.parametrize(
    ("group", "name"),
    [("rsflow.readers", "outside_picture"), ("rsflow.annotations", "outside_csv"), ("rsflow.labellers", "haze")],
)
def test_two_packages_with_one_name_are_refused(site: Path, rsflow: Command, group: str, name: str) -> None:
    install(site, "outside_rs", "1.0", POINTS)
    install(site, "rival", "2.0", {group: {name: POINTS[group][name]}}, "")
    assert f"{group}: outside_rs 1.0 and rival 2.0 both have {name!r}: uninstall one of them" in rsflow.refusal()


@pytest.mark.parametrize("name", ["cfar", "detector"])
def test_a_name_of_rsflows_own_is_refused_where_it_is_used(site: Path, rsflow: Command, name: str) -> None:
    install(site, "outside_rs", "1.0", POINTS)
    install(site, "rival", "2.0", {"rsflow.labellers": {name: "rival:Haze"}}, "")
    assert rsflow("plan", "build.yaml")[0] == 0  # nobody uses it here
    config = json.loads((site.parent / "build.yaml").read_text())
    config["sources"][0]["labellers"] = [{"name": name}]
    (site.parent / "build.yaml").write_text(json.dumps(config))
    assert f"rsflow itself and rival 2.0 both have {name!r}" in rsflow.refusal()


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("import no_such_library", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_library'"),
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("x = 3", "cannot be loaded: AttributeError"),
        ("open_scene = 3", "is not callable: docs/extending.md says what it must be"),
    ],
)
def test_a_package_that_fails_is_named(site: Path, rsflow: Command, module: str, words: str) -> None:
    install(site, "outside_rs", "1.0", POINTS, module)
    text = rsflow.refusal()
    assert "build.yaml: sources.0.reader: rsflow.readers: 'outside_picture' of outside_rs 1.0 (outside_rs:open_scene)" in text
    assert words in text


def test_a_labeller_under_another_name_is_refused(site: Path, rsflow: Command) -> None:
    install(site, "outside_rs", "1.0", POINTS, MODULE.replace('name = "haze"', 'name = "mist"'))
    assert "is named 'mist': the entry point must have the same name" in rsflow.refusal()


def test_a_dialect_without_an_inverse_is_refused(site: Path, rsflow: Command) -> None:
    install(site, "half", "1.0", {"rsflow.dialects": {"half": "half"}}, "def spell(text, boxes, h, w): return text")
    forget_packages()
    with pytest.raises(ConfigError, match=r"'half' of half 1.0 \(half\) has no parse, max_rounding_px"):
        get_dialect("half")


def test_a_new_process_finds_the_package(site: Path) -> None:
    install(site, "outside_rs", "1.0", POINTS)
    command = [sys.executable, "-m", "rsflow.cli", "plan", "build.yaml"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    done = subprocess.run(command, cwd=site.parent, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
