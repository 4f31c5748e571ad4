"""Every configuration that ships loads: its keys, values and names are right. Nothing is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.planning.recipe import label_recipe, load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))


def test_there_are_configurations() -> None:
    assert CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_configuration_loads(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_TEST_DATA", str(tmp_path))
    monkeypatch.delenv("RSFLOW_ROOT", raising=False)
    built = load(str(path))
    # Each source's settings make stages, so each has a fingerprint, and no two sources share a name.
    assert all(label_recipe(built, source).fingerprint for source in built.sources)
    # Lakes and data lie beside the folder of configurations unless the environment says otherwise.
    assert Path(built.root).parent == path.parents[1] / "runs"
