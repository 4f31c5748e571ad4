"""What identifies a checkpoint, what of it is refused, and what a labeller's fingerprint depends on."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rsflow.checkpoint import Checkpoint
from rsflow.errors import ConfigError, RsflowError
from rsflow.labellers import from_settings
from rsflow.labellers.model import ModelLabeller
from rsflow.stage import fingerprint

Folders = Callable[[str], Path]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(checkpoint: Folders, tmp_path: Path) -> Path:
    """A checkpoint of one's own to spoil."""
    return Path(shutil.copytree(checkpoint("detr"), tmp_path / "detr"))


def detector(folder: Path | str, **settings: Any) -> ModelLabeller:
    found = from_settings({"name": "detector", "model": str(folder), **settings})
    assert isinstance(found, ModelLabeller)
    return found


def test_how_a_model_is_run_is_no_part_of_what_its_labels_depend_on(folder: Path) -> None:
    plain = detector(folder)
    run = {"device": "cpu", "batch_rows": 3, "batch_pixels": 99, "workers": [1, 4], "cpus": 2, "gpus": 0.5}
    assert fingerprint(detector(folder, **run)) == fingerprint(plain)
    meant: list[dict[str, Any]] = [
        {"threshold": 0.4}, {"thresholds": {"ship": 0.1}}, {"categories": {"ship": "boat"}}, {"max_overlap": 0.5},
        {"dtype": "bfloat16"}, {"quality": 0.5}, {"trust_remote_code": True},
    ]  # fmt: skip
    prints = [fingerprint(detector(folder, **settings)) for settings in meant]
    assert len({fingerprint(plain), *prints}) == 1 + len(meant)


def test_a_checkpoint_is_its_content_wherever_it_lies(folder: Path, tmp_path: Path) -> None:
    before = detector(folder)
    moved = Path(shutil.move(folder, tmp_path / "elsewhere" / "detr"))
    (moved / "README.md").write_text("changes nothing")
    assert fingerprint(detector(moved)) == fingerprint(before)
    assert detector(moved).key == before.key == f"detector-{fingerprint(before)[:6]}"
    assert before.origin.model == "detr"
    for name in ("model.safetensors", "config.json", "preprocessor_config.json"):
        kept = (moved / name).read_bytes()
        (moved / name).write_bytes(kept[:-2] + b" " + kept[-1:])
        assert fingerprint(detector(moved)) != fingerprint(before), name
        (moved / name).write_bytes(kept)
    assert fingerprint(detector(moved)) == fingerprint(before)


def test_a_labeller_travels_without_its_folder(folder: Path) -> None:
    sent = pickle.dumps(detector(folder, workers=[1, 2]))
    shutil.rmtree(folder)
    assert pickle.loads(sent).checkpoint[0] == "detr"


def test_a_hub_id_is_pinned_by_its_commit() -> None:
    pinned = detector("owner/name", revision=COMMIT)
    assert pinned.checkpoint == ("owner/name", COMMIT)
    for revision in ("", "main", COMMIT[:7]):
        with pytest.raises(ConfigError, match=rf"(?s)revision is '{revision}'.*full commit"):
            detector("owner/name", revision=revision)
    with pytest.raises(ConfigError, match="there is no such folder, and it is no hub id"):
        detector("/no/such/folder")


def test_what_cannot_be_downloaded_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    pytest.importorskip("transformers")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(RsflowError) as told:
        detector("owner/a-model", revision=COMMIT).open()
    text = str(told.value)
    assert f"hf download owner/a-model --revision {COMMIT} --local-dir models/a-model" in text
    assert "set model: models/a-model" in text


def test_pickled_weights_are_refused_before_anything_is_read(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"has no weights \(\*.safetensors\)"):
        detector(folder)
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"pickled weights \(pytorch_model.bin\), which run code"):
        detector(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ConfigError, match="has no config"):
        detector(folder)


def test_damaged_weights_and_another_kind_of_model_are_told(folder: Path, checkpoint: Folders) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(RsflowError, match=f"{folder}: transformers cannot load it"):
        detector(folder).open()
    with pytest.raises(RsflowError, match="cannot load it as AutoModelForObjectDetection"):
        detector(checkpoint("dinov2")).open()


def test_weights_that_are_missing_are_not_made_up(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["class_labels_classifier.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        RsflowError, match=r"lacks weights that DetrForObjectDetection has \(1, as class_labels_classifier.weight\)"
    ):
        detector(folder).open()


def test_code_of_a_checkpoint_runs_only_where_that_is_set(folder: Path) -> None:
    sign = folder / "ran"
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForObjectDetection": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(sign)!r}, 'w').close()\nraise ValueError('it ran')\n")
    with pytest.raises(RsflowError, match="cannot load it"):
        detector(folder).open()
    assert not sign.exists()
    with pytest.raises(RsflowError, match="it ran"):
        detector(folder, trust_remote_code=True).open()
    assert sign.exists()


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RsflowError, match="torch sees no GPU"):
        Checkpoint(str(folder), device="cuda").load("AutoModelForObjectDetection", "AutoImageProcessor")
