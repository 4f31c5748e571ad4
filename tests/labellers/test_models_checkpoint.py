"""What identifies a checkpoint, what of it is refused, and what a labeller's fingerprint depends on."""

from __future__ import annotations

import json
import pickle
import shutil
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rsflow.errors import ConfigError, RsflowError
from rsflow.labellers import from_settings
from rsflow.labellers.models.model_labeller import ModelLabeller
from rsflow.pretrained.checkpoint import Checkpoint
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
    with pytest.raises(RsflowError, match=rf"{folder}: model.safetensors is cut off or damaged .*fetch it again"):
        detector(folder).open()
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(RsflowError, match=r"model.safetensors is a pointer of Git LFS and not the weights"):
        detector(folder).open()
    with pytest.raises(RsflowError, match=r"of type clip, .*it can be used as: classifier, zero_shot_classifier, embedder"):
        detector(checkpoint("clip")).open()


@pytest.mark.parametrize(
    ("family", "labeller", "file", "said"),
    [
        ("detr", "detector", "preprocessor_config.json", "The folder lacks preprocessor_config.json: fetch the whole"),
        ("llava", "captioner", "tokenizer.json", "The folder lacks tokenizer.json: fetch the whole"),
        ("llava", "captioner", "chat_template.jinja", "has no chat template"),
    ],
)
def test_a_missing_file_is_named(family: str, labeller: str, file: str, said: str, checkpoint: Folders, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint(family), tmp_path / family))
    (folder / file).unlink()
    with pytest.raises(RsflowError, match=said):
        from_settings({"name": labeller, "model": str(folder)}).open()


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    if find_spec("torchvision"):
        pytest.skip("torchvision is installed")
    transformers.Sam2Config().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "preprocessor_config.json").write_text('{"image_processor_type": "Sam2ImageProcessorFast"}')
    with pytest.raises(RsflowError, match=r"a library is missing that this model needs: .*Torchvision"):
        from_settings({"name": "outliner", "model": str(tmp_path)}).open()


def test_a_missing_part_of_the_weights_is_named(folder: Path) -> None:
    parts = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    (folder / "model.safetensors").rename(folder / parts[0])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": dict(zip("ab", parts, strict=True))}))
    with pytest.raises(RsflowError, match=f"The folder lacks {parts[1]}: fetch the whole"):
        detector(folder).open()


def test_weights_of_another_shape_are_told(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_queries": 7}))
    with pytest.raises(RsflowError, match=r"do not belong together: .*query\S* is \(5, 32\) there and \(7, 32\) in Detr"):
        detector(folder).open()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "RevisionNotFound", f"the hub has no revision {COMMIT} of it: take one of https"),
        (404, "RepoNotFound", "the hub has no such model, or it is private"),
        (403, "GatedRepo", "is gated: accept its terms"),
    ],
)
def test_what_the_hub_refuses_is_told(status: int, code: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub").constants

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(RsflowError, match=f"owner/a-model: {said}"):
            detector("owner/a-model", revision=COMMIT).open()
        server.shutdown()


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
    with pytest.raises(RsflowError, match="a GPU is wanted, and torch sees none"):
        Checkpoint(str(folder), device="cuda").load("AutoModelForObjectDetection", "AutoImageProcessor")
    # One that is given GPUs must not run on the CPU in silence when its GPU is gone.
    with pytest.raises(RsflowError, match="a GPU is wanted, and torch sees none"):
        detector(folder, gpus=0.5).open()
    detector(folder, gpus=0.5, device="cpu").open()
