"""Image-text-to-text models in the process: the same code and files as the large ones, with few and random weights."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from PIL import Image  # noqa: E402

from rsflow.errors import ConfigError, DeviceLostError, RsflowError  # noqa: E402
from rsflow.generation import Failure, Request, from_settings  # noqa: E402
from rsflow.generation.local_model import BatchGenerator  # noqa: E402
from rsflow.generation.model_batches import GumbelNoise, ModelBatches  # noqa: E402
from tests.generation.attempts import counted  # noqa: E402
from tests.loading.test_collate import llava  # noqa: E402

COMMIT = "0" * 40
PLENTY = 2**30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    place = Path(tmp_path_factory.mktemp("tiny-llava"))
    llava(place)
    return place


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads only wait for each other in a model this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def batches(folder: Path) -> ModelBatches:
    return engine(folder).open().batches  # type: ignore[no-any-return]


def picture(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 30, 3), dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def request(i: int, **own: Any) -> Request:
    return Request("You are brief.", f"How many ships are there? {'Find ' * i}", (picture(i),), **{"max_tokens": 5, **own})


def engine(folder: Path, **own: Any) -> Any:
    return from_settings({"name": "transformers", "model": str(folder), "device": "cpu", **own})


def answers(writer: Any, *requests: Request) -> list[Any]:
    found = dict(writer(requests, counted()))
    assert sorted(found) == list(range(len(requests)))
    return [found[i] for i in range(len(requests))]


def test_it_says_what_plain_generate_says(folder: Path) -> None:
    model = transformers.LlavaForConditionalGeneration.from_pretrained(folder).eval()
    processor = transformers.LlavaProcessor.from_pretrained(folder)
    one = request(1, history=(("user", "Is there a ship?"), ("assistant", "Yes.")))
    image = {"type": "image", "image": Image.open(io.BytesIO(one.pictures[0]))}
    chat = [
        {"role": "system", "content": [{"type": "text", "text": one.system}]},
        {"role": "user", "content": [image, {"type": "text", "text": "Is there a ship?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
        {"role": "user", "content": [{"type": "text", "text": one.prompt}]},
    ]
    inputs = processor.apply_chat_template(
        chat, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    made = model.generate(**inputs, do_sample=False, max_new_tokens=5)[:, inputs["input_ids"].shape[1] :]
    (found,) = answers(engine(folder).open(), one)
    assert found.text == processor.batch_decode(made, skip_special_tokens=True)[0].strip() != ""
    assert found.tokens_in == inputs["input_ids"].shape[1]
    assert found.tokens_out == made.shape[1]


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_batch_changes_no_text(batches: ModelBatches, temperature: float) -> None:
    requests = [request(i % 4, temperature=temperature, seed=i, max_tokens=4 + i % 2) for i in range(6)]
    alone = answers(BatchGenerator(batches, 1, PLENTY), *requests)
    together = answers(BatchGenerator(batches, 4, PLENTY), *requests)
    assert [one.text for one in alone] == [one.text for one in together]
    assert [(one.tokens_in, one.tokens_out) for one in alone] == [(one.tokens_in, one.tokens_out) for one in together]


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl", "idefics3", "internvl"])
def test_a_batch_changes_no_text_of_other_families(family: str, checkpoint: Callable[[str], Path]) -> None:
    batches = engine(checkpoint(family)).open().batches
    requests = [Request("", "a ship ." * (i % 3), (picture(i),) * (i % 2 + 1), max_tokens=6) for i in range(6)]
    alone = answers(BatchGenerator(batches, 1, PLENTY), *requests)
    assert [one.text for one in alone] == [one.text for one in answers(BatchGenerator(batches, 4, PLENTY), *requests)]
    assert len({one.text for one in alone}) > 1


def test_a_seed_decides_and_the_picture_counts(batches: ModelBatches) -> None:
    drawn = answers(BatchGenerator(batches, 8, PLENTY), *[request(1, temperature=1.0, seed=seed) for seed in (1, 1, 2)])
    assert drawn[0].text == drawn[1].text != drawn[2].text
    inputs = batches.inputs([request(1), Request(request(1).system, request(1).prompt, (picture(9),))])
    assert not torch.equal(*inputs["pixel_values"])


def test_chance_draws_from_the_softmax() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    draws = 4000
    chance = GumbelNoise([Request("", "", temperature=1.5, seed=seed) for seed in range(draws)], "cpu")
    picked = chance(torch.zeros(draws, 1), logits.expand(draws, -1).clone()).argmax(dim=1)
    shares = torch.bincount(picked, minlength=4) / draws
    assert torch.allclose(shares, torch.softmax(logits / 1.5, 0), atol=0.03)


def test_an_answer_ends_at_its_limit_or_by_itself(batches: ModelBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = answers(BatchGenerator(batches, 8, PLENTY), request(0, max_tokens=3))
    assert (found.finish_reason, found.tokens_out) == ("length", 3)
    monkeypatch.setattr(batches, "_end_tokens", set(range(10_000)))  # whatever token comes first ends the answer
    (found,) = answers(BatchGenerator(batches, 8, PLENTY), request(0, max_tokens=3))
    assert (found.finish_reason, found.tokens_out) == ("stop", 1)


def test_a_batch_keeps_to_its_rows_and_pixels(batches: ModelBatches) -> None:
    requests = list(enumerate([request(i, max_tokens=4 + (i > 6)) for i in range(9)]))  # pictures of 1,200 pixels

    def sizes(rows: int, pixels: int) -> list[int]:
        return [len(batch) for batch in BatchGenerator(batches, rows, pixels)._split_batches(requests)]

    assert sizes(3, PLENTY) == [3, 3, 1, 2]
    assert sizes(9, PLENTY) == [7, 2]
    assert sizes(9, 2500) == [2, 2, 2, 1, 2]
    assert sizes(9, 1) == [1] * 9


@contextmanager
def limited(batches: ModelBatches, rows: int, poison: str = "") -> Iterator[BatchGenerator]:
    """The model with memory for so many rows, breaking at a word."""

    def before(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
        ids = kwargs["input_ids"]
        if ids is not None and len(ids) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        if ids is not None and any("lost" in batches.processor.tokenizer.decode(row) for row in ids):
            raise torch.AcceleratorError("CUDA error: device-side assert triggered")
        if poison and ids is not None and any(poison in batches.processor.tokenizer.decode(row) for row in ids):
            raise RuntimeError("shape mismatch")

    handle = batches.model.register_forward_pre_hook(before, with_kwargs=True)
    yield BatchGenerator(batches, 8, PLENTY)
    handle.remove()


def test_memory_that_runs_out_halves_the_batch_for_good(batches: ModelBatches) -> None:
    requests = [request(i) for i in range(8)]
    plain = answers(BatchGenerator(batches, 8, PLENTY), *requests)
    with limited(batches, rows=3) as writer:
        assert [one.text for one in answers(writer, *requests)] == [one.text for one in plain]
        assert writer.rows == 2
    with limited(batches, rows=0) as writer:
        assert [one.reason for one in answers(writer, *requests[:2])] == ["out_of_memory"] * 2


def test_a_request_that_breaks_the_model_stands_alone(batches: ModelBatches) -> None:
    requests = [request(i) for i in range(5)]
    poisoned = Request("", "harbour", (picture(1),), max_tokens=5)
    with limited(batches, 8, "harbour") as writer:
        found = answers(writer, *requests[:2], poisoned, *requests[2:])
    assert isinstance(found[2], Failure)
    assert found[2].reason == "model_failed"
    assert "shape mismatch" in found[2].detail
    plain = answers(BatchGenerator(batches, 8, PLENTY), *requests)
    assert [one.text for one in found if one is not found[2]] == [one.text for one in plain]


def test_a_request_that_costs_the_device_ends_the_work(batches: ModelBatches) -> None:
    with limited(batches, 8) as writer, pytest.raises(DeviceLostError, match="device-side assert"):
        list(writer([request(0), Request("", "lost", (picture(1),), max_tokens=5), request(2)], counted()))


def test_a_model_whose_logits_are_no_numbers_writes_nothing(folder: Path) -> None:
    writer = engine(folder).open()
    with torch.no_grad():
        next(iter(writer.batches.model.parameters())).fill_(float("nan"))
    found = answers(writer, request(0), request(1))
    assert [one.reason for one in found] == ["not_finite", "not_finite"]


def test_a_picture_that_is_none_stands_alone(batches: ModelBatches) -> None:
    broken = Request("", "q", (picture(0)[:200],), max_tokens=5)
    found = answers(BatchGenerator(batches, 8, PLENTY), request(0), broken, request(1))
    assert [getattr(one, "reason", "") for one in found] == ["", "picture_unreadable", ""]


def test_a_folder_is_named_by_its_content(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    before = engine(copy).model_identity
    assert before == engine(folder).model_identity
    assert before.startswith(f"{folder.name}@")
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert engine(copy).model_identity != before


def test_what_is_no_checkpoint_is_refused_with_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        engine(tmp_path / "nothing")
    with pytest.raises(ConfigError, match=r"config\.json"):
        engine(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match="pickled weights"):
        engine(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(RsflowError, match="transformers cannot load it as AutoModelForImageTextToText"):
        engine(tmp_path).open()


def test_a_template_without_a_place_for_it_gets_the_system_text_with_the_question(folder: Path, tmp_path: Path) -> None:
    for name, template in (("deaf", "{% if message['role'] != 'system' %}"), ("strict", REFUSES)):
        place = tmp_path / name
        shutil.copytree(folder, place)
        (file,) = place.glob("chat_template*")
        file.write_text("{% for message in messages %}" + template + BODY + "{% endif %}{% endfor %}")
        batches = engine(place).open().batches
        (text,) = batches.processor.batch_decode(batches.inputs([request(1)])["input_ids"])
        assert "You are brief." in text
        assert "How many ships" in text


BODY = "{% for part in message['content'] %}{{ '<image>' if part['type'] == 'image' else part['text'] }}{% endfor %}"
REFUSES = "{% if message['role'] == 'system' %}{{ raise_exception('no system here') }}{% else %}"


def test_a_model_that_cannot_be_asked_is_told(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "mute")
    for file in (tmp_path / "mute").glob("chat_template*"):
        file.unlink()
    with pytest.raises(RsflowError, match="has no chat template"):
        engine(tmp_path / "mute").open()


def test_a_hub_id_wants_a_commit_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="full commit"):
        from_settings({"name": "transformers", "model": "nobody/nothing", "revision": "main"})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = from_settings({"name": "transformers", "model": "nobody/nothing", "revision": COMMIT})
    assert found.model_identity == f"nobody/nothing@{COMMIT}"
    with pytest.raises(RsflowError, match=f"hf download nobody/nothing --revision {COMMIT}"):
        found.open()


def test_vllm_says_what_to_install() -> None:
    with pytest.raises(RsflowError, match="vllm serve MODEL"):
        from_settings({"name": "vllm", "model": "a/b", "revision": COMMIT}).open()


def test_unknown_names_and_keys_are_told() -> None:
    with pytest.raises(ConfigError, match="did you mean 'transformers'"):
        from_settings({"name": "transformer", "model": "x"})
    with pytest.raises(ConfigError, match="known keys: model, revision"):
        from_settings({"name": "transformers", "modle": "x"})
