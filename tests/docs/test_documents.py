"""What docs/, CONTRIBUTING.md and cluster/ say is what the code has."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from contextlib import chdir
from pathlib import Path

import pytest
import ray.autoscaler
import yaml
from packaging.requirements import Requirement

from rsflow import schemas
from rsflow.cli import main
from rsflow.demo import write_demo_scenes
from rsflow.instructions import TASKS
from rsflow.instructions.phrasings import PHRASINGS
from rsflow.labellers import LABELLERS
from rsflow.lake.delta.formats import TABLES
from rsflow.sensors import SENSOR_NAMES
from rsflow.stages.shard.sample_record import instruction_record, tile_record
from tests.docs.blocks import ROOT, Block, blocks, run

LAKE = (ROOT / "docs/lake.md").read_text()
LABELS = (ROOT / "docs/labels.md").read_text()
NOT_RUN = {"docs/evaluation.md": 1, "docs/labels.md": 1, "docs/lake.md": 1, "cluster/README.md": 5}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo was made and built, in small."""
    folder = tmp_path_factory.mktemp("demo")
    with chdir(folder):
        write_demo_scenes("demo-out/scenes", seed=7, size_px=768)
        assert main(["build", "demo-out/scenes/demo.yaml", "engine.kind=inline"]) == 0
    return folder


@pytest.mark.parametrize(
    "document", ["docs/evaluation.md", "docs/json.md", "docs/labels.md", "docs/lake.md", "CONTRIBUTING.md", "cluster/README.md"]
)
def test_what_is_shown_runs(document: str, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    found = blocks(document)
    for block in found:
        run(block)
    assert [block.language for block in found].count("text") == NOT_RUN.get(document, 0)


def test_the_lakes_tables_and_columns_are_listed() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \| (.*) \|$", LAKE, re.MULTILINE))
    assert set(rows) == set(TABLES)
    values = {"scene", "tile", "annotation", "instruction", "labeller", "scene/row_col_size"}
    for name, words in rows.items():
        assert set(re.findall(r"`([\w/]+)`", words)) - values <= set(TABLES[name].names), name


def test_the_record_of_a_sample_is_listed() -> None:
    (text,) = re.findall(r"The record holds\n(.*?)In the text of a turn", LAKE, re.DOTALL)
    named = set(re.findall(r"`(\w+)`", text))
    tile = dict.fromkeys(schemas.TILES.names)
    instruction = {**dict.fromkeys(schemas.INSTRUCTIONS.names), "answer": "{}"}
    sometimes = {"pixel_m", "split", "repeat", "raw", "companions", "instructions"}
    expected = {*tile_record(tile), *instruction_record(instruction), *sometimes}
    assert named | {"key"} == expected | {"key"}


def test_the_labellers_and_what_was_measured_are_listed() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \| [^|]+ \| [^|]+ \|$", LABELS, re.MULTILINE))
    assert {name: {*SENSOR_NAMES} if sensors == "any" else set(sensors.split(", ")) for name, sensors in listed.items()} == {
        name: set(kind.sensors) for name, kind in LABELLERS.items()
    }
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \| ([\d.]+) \| ([\d.]+) \|$", LABELS, re.MULTILINE)
    written = {(name, sensor, on, float(precision), float(recall)) for name, sensor, on, precision, recall in rows}
    assert written == {(name, *measured) for name, kind in LABELLERS.items() for measured in kind.measured}


def test_the_tasks_are_listed() -> None:
    assert all(f"`{task}`" in LABELS for task in TASKS)
    assert min(map(len, PHRASINGS.values())) >= 5


def test_the_clusters_files_have_the_right_form() -> None:
    launcher = yaml.safe_load((ROOT / "cluster/aws.yaml").read_text())
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(launcher, schema)
    assert launcher["head_node_type"] in launcher["available_node_types"]
    job = yaml.safe_load((ROOT / "cluster/kuberay-job.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert {"headGroupSpec", "workerGroupSpecs"} <= set(cluster)
    assert "pipelines/build.py /etc/rsflow/build.yaml" in job["spec"]["entrypoint"]
    subprocess.run(["bash", "-n", str(ROOT / "cluster/slurm.sh")], check=True, timeout=10)


def test_the_clusters_ray_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (allowed,) = [found.specifier for line in project["dependencies"] if (found := Requirement(line)).name == "ray"]
    versions = re.findall(
        r"ray:(\d+\.\d+\.\d+)|rayVersion: \"(.+?)\"", "".join(path.read_text() for path in (ROOT / "cluster").iterdir())
    )
    (pinned,) = re.findall(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    found = {a or b for a, b in versions}
    assert found == {pinned}
    assert all(version in allowed for version in found)


def test_the_constraints_pin_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *extras["train"], *extras["dev"]]:
        wanted = Requirement(line)
        assert pins[wanted.name.lower()] in wanted.specifier, line


def test_blocks_are_found() -> None:
    found = blocks("CONTRIBUTING.md")
    assert [block.language for block in found] == ["sh"]
    assert isinstance(found[0], Block)
