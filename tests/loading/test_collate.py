"""Batches for real model families with random weights: what is trained on is exactly what the assistant says."""

from __future__ import annotations

import copy
import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

import rsflow
from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.collate import IGNORED, collate

transformers = pytest.importorskip("transformers", reason="needs the extra rsflow[vlm]")
tokenizers = pytest.importorskip("tokenizers")

LLAVA = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() }}: {% endif %}"
    "{% for content in message['content'] if content['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for content in message['content'] if content['type'] == 'text' %}{{ content['text'] + ' ' }}{% endfor %}"
    "{% if message['role'] == 'assistant' %}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT: {% endif %}"
)
CHATML = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful "
    "assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKED = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['role'] == 'assistant' %}{% generation %}"
    "{{ message['content'][0]['text'] }}<|im_end|>\n{% endgeneration %}{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]


def tokenizer(special: list[str], **names: str) -> Any:
    """A byte-level BPE trained on a few sentences: any text has tokens, and merges cross word borders as real ones do."""
    bpe = tokenizers.ByteLevelBPETokenizer()
    text = ["How many ships are there? Two ships at the quay.", "Find [1, 2, 10.5, 20].", "USER: ASSISTANT: a harbour"]
    bpe.train_from_iterator(text * 20, vocab_size=400, min_frequency=2, special_tokens=special)
    # Before transformers 5 a processor took no tokenizer but its own family's.
    kind = "PreTrainedTokenizerFast" if special is not QWEN or transformers.__version__ >= "5" else "Qwen2TokenizerFast"
    return getattr(transformers, kind)(tokenizer_object=bpe._tokenizer, **names)


def llava(folder: Path) -> Any:
    words = tokenizer(["<pad>", "<s>", "</s>", "<image>"], pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    pictures = transformers.CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = transformers.LlavaProcessor(
        pictures, words, patch_size=14, vision_feature_select_strategy="default", chat_template=LLAVA,
        num_additional_image_tokens=1,
    )  # fmt: skip
    text = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, pad_token_id=0,
    )  # fmt: skip
    vision = transformers.CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2, image_size=28, patch_size=14
    )
    config = transformers.LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=words.convert_tokens_to_ids("<image>")
    )
    transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return transformers.LlavaForConditionalGeneration.from_pretrained(folder), transformers.LlavaProcessor.from_pretrained(
        folder
    )


def qwen(folder: Path, family: str = "Qwen2VL", template: str = CHATML) -> Any:
    words = tokenizer(QWEN, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    words.image_token, words.video_token = "<|image_pad|>", "<|video_pad|>"
    pictures = transformers.Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=56 * 56)
    vision: dict[str, Any] = {"depth": 2, "num_heads": 2, "patch_size": 14}
    if family == "Qwen2VL":
        vision |= {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}
    else:
        vision |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "fullatt_block_indexes": [1]}
    rope = {"rope_type": "default", "type": "mrope", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0}
    text = {
        "vocab_size": len(words), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 2, "max_position_embeddings": 2048, "rope_scaling": rope, "pad_token_id": 0,
    }  # fmt: skip
    marks = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    tokens = {f"{name}_token_id": words.convert_tokens_to_ids(f"<|{mark}|>") for name, mark in marks.items()}
    config = getattr(transformers, f"{family}Config")(text_config=text, vision_config=vision, **tokens)
    model = getattr(transformers, f"{family}ForConditionalGeneration")
    model(config).save_pretrained(folder)
    if find_spec("torchvision"):
        videos = transformers.Qwen2VLVideoProcessor()
        return model.from_pretrained(folder), transformers.Qwen2VLProcessor(pictures, words, videos, chat_template=template)
    return model.from_pretrained(folder), PicturesOnly(pictures, words, chat_template=template)


class PicturesOnly(transformers.Qwen2VLProcessor):
    """Qwen2-VL's processor without its part for videos, which torchvision must be installed for."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None) -> None:
        self.image_token, self.video_token = tokenizer.image_token, tokenizer.video_token
        self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids([self.image_token, self.video_token])
        transformers.ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """(model, processor) by family."""
    torch.manual_seed(0)
    return {
        "llava": llava(tmp_path_factory.mktemp("llava")),
        "qwen2": qwen(tmp_path_factory.mktemp("qwen2")),
        "qwen2.5": qwen(tmp_path_factory.mktemp("qwen25"), "Qwen2_5_VL"),
        "marked": qwen(tmp_path_factory.mktemp("marked"), template=MARKED),
    }


FAMILIES = ["llava", "qwen2", "qwen2.5", "marked"]


def spoken(processor: Any, batch: Any) -> list[list[str]]:
    """What the labels say, row by row, a text for each run of labels."""
    rows = []
    for row in batch["labels"].tolist():
        runs: list[list[int]] = [[]]
        for label in row:
            if label == IGNORED:
                runs.append([])
            else:
                runs[-1].append(label)
        rows.append([processor.tokenizer.decode(run) for run in runs if run])
    return rows


def talk(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant") * len(texts)
    return {"turns": [{"role": role, "text": text} for role, text in zip(roles, texts, strict=False)]}


def one(key: str, *talks: dict[str, Any], size: tuple[int, int] = (40, 30)) -> dict[str, Any]:
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return {"key": key, "image": image, "instructions": list(talks)}


EXAMPLES = [
    one("a", talk("How many ships?", "Two ships.", "Where?", "At the quay [1, 2, 3, 4].")),
    one("b", talk("What is it?", "A harbour."), talk("Any cars?", "No."), size=(28, 56)),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_what_the_assistant_says(built: dict[str, Any], family: str) -> None:
    processor = built[family][1]
    batch = collate(processor)(EXAMPLES)
    ends = {"llava": " </s>"}.get(family, "<|im_end|>\n")
    said = [[text.lstrip(" ") for text in row] for row in spoken(processor, batch)]
    assert said == [[f"Two ships.{ends}", f"At the quay [1, 2, 3, 4].{ends}"], [f"A harbour.{ends}", f"No.{ends}"]]
    where = batch["labels"] != IGNORED
    assert torch.equal(batch["labels"][where], batch["input_ids"][where])
    assert bool((batch["attention_mask"][where] == 1).all())
    assert batch["pixel_values"].isfinite().all()


@pytest.mark.parametrize("family", FAMILIES)
def test_one_step_lowers_the_loss(built: dict[str, Any], family: str, lake: Any) -> None:
    model, processor = copy.deepcopy(built[family][0]), built[family][1]
    dialect = "llava" if family == "llava" else "qwen:min_pixels=784,max_pixels=3136"
    loader = DataLoader(rsflow.stream(str(lake.root), dialect=dialect), batch_size=4, collate_fn=collate(processor))
    batch = next(iter(loader))
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model(**batch).loss
    before.backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())
    optimiser.step()
    assert float(model(**batch).loss.detach()) < float(before.detach())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_is_of_the_answers_alone(built: dict[str, Any], family: str) -> None:
    model, processor = built[family]
    batch = collate(processor)(EXAMPLES)
    with torch.no_grad():
        found = model.eval()(**batch)
    logits, labels = found.logits[:, :-1], batch["labels"][:, 1:]
    by_hand = torch.nn.functional.cross_entropy(logits[labels != IGNORED].float(), labels[labels != IGNORED])
    assert float(found.loss) == pytest.approx(float(by_hand), rel=1e-4)


def test_a_row_in_a_batch_is_the_row_alone(built: dict[str, Any]) -> None:
    for family in FAMILIES:
        fn = collate(built[family][1])
        batch, alone = fn(EXAMPLES), [fn([example]) for example in EXAMPLES]
        for i, single in enumerate(alone):
            n = single["input_ids"].shape[1]
            for name in ("input_ids", "labels", "attention_mask"):
                assert torch.equal(batch[name][i, :n], single[name][0])
            assert (batch["labels"][i, n:] == IGNORED).all()


def test_instructions_joined_each_or_first(built: dict[str, Any]) -> None:
    processor = built["qwen2"][1]

    def said(grouping: Any) -> list[list[str]]:
        return spoken(processor, collate(processor, grouping=grouping)(EXAMPLES[1:]))

    assert said("joined") == [["A harbour.<|im_end|>\n", "No.<|im_end|>\n"]]
    assert said("each") == [["A harbour.<|im_end|>\n"], ["No.<|im_end|>\n"]]
    assert said("first") == [["A harbour.<|im_end|>\n"]]


def test_too_long_conversations_lose_whole_exchanges(built: dict[str, Any]) -> None:
    examples = [one("a", talk("How many ships?", "Two ships.", "Where? " * 20, "At the quay."), size=(28, 28)), EXAMPLES[1]]
    for family in FAMILIES:
        processor = built[family][1]
        whole = collate(processor)(examples)
        short = collate(processor, max_tokens=whole["input_ids"].shape[1] - 1)(examples)
        assert short["input_ids"].shape[1] < whole["input_ids"].shape[1]
        assert [len(row) for row in spoken(processor, short)] == [1, 2]
        with pytest.raises(ConfigError, match=r"max_tokens: found 5, but the picture and the first exchange of sample a alone"):
            collate(processor, max_tokens=5)(EXAMPLES)


def test_a_system_turn_is_said_and_not_trained_on(built: dict[str, Any]) -> None:
    processor = built["qwen2"][1]
    batch = collate(processor, system="You look at radar.")(EXAMPLES)
    assert "You look at radar." in processor.tokenizer.decode(batch["input_ids"][0])
    assert spoken(processor, batch)[0][0] == "Two ships.<|im_end|>\n"


def test_all_pictures_of_a_sample_are_shown_and_named(built: dict[str, Any]) -> None:
    """A picture of another sensor is one more picture before the first words, and changes nothing that is trained on."""
    several = {
        **EXAMPLES[0],
        "sensor": "optical",
        "others": {"infrared": EXAMPLES[0]["image"], "sar": EXAMPLES[0]["image"].flip(1)},
    }
    for family in FAMILIES:
        processor = built[family][1]
        own, shown = collate(processor)([several]), collate(processor, pictures="all")([several])
        count = (own["input_ids"] == processor.image_token_id).sum()
        assert (shown["input_ids"] == processor.image_token_id).sum() == 3 * count
        assert len(shown["pixel_values"]) == 3 * len(own["pixel_values"])
        text = processor.tokenizer.decode(shown["input_ids"][0])
        assert f"Images: {several['sensor']}, infrared, sar.\nHow many" in text
        assert "Images" not in processor.tokenizer.decode(own["input_ids"][0])
        assert spoken(processor, shown) == spoken(processor, own)
        # A sample of one sensor is as it was.
        assert torch.equal(collate(processor, pictures="all")(EXAMPLES)["input_ids"], collate(processor)(EXAMPLES)["input_ids"])
    with pytest.raises(ConfigError, match="pictures: found 'both', expected 'own', 'all' or 'none'"):
        collate(processor, pictures="both")  # type: ignore[arg-type]  # what a user may write


@pytest.mark.parametrize("family", FAMILIES)
def test_without_pictures_the_text_and_what_is_trained_on_stay(built: dict[str, Any], family: str) -> None:
    processor = built[family][1]
    seen, blind = collate(processor)(EXAMPLES), collate(processor, pictures="none")(EXAMPLES)
    assert "pixel_values" not in blind
    assert not (blind["input_ids"] == processor.image_token_id).any()
    assert spoken(processor, blind) == spoken(processor, seen)


def test_encoded_pictures_are_decoded(built: dict[str, Any], lake: Any) -> None:
    fn = collate(built["qwen2"][1])
    batches = [fn(list(rsflow.stream(str(lake.root), "val", shuffle=False, decode=decode))) for decode in (True, False)]
    assert torch.equal(batches[0]["pixel_values"], batches[1]["pixel_values"])


def test_what_would_be_trained_on_wrongly_is_refused(built: dict[str, Any]) -> None:
    processor = copy.deepcopy(built["qwen2"][1])
    with pytest.raises(SnapshotError, match=r"sample x: its text holds '<\|image_pad\|>'"):
        collate(processor)([one("x", talk("What is <|image_pad|>?", "A token."))])
    with pytest.raises(ConfigError, match="grouping: found 'all'"):
        collate(processor, grouping="all")  # type: ignore[arg-type]
    # As templates do that strip the reasoning of earlier turns: what is trained on is not what later turns see.
    processor.chat_template = CHATML.replace(
        "{{ content['text'] }}", "{{ content['text'] if loop.index0 or messages|length < 4 else '' }}"
    )
    with pytest.raises(ConfigError, match="renders earlier turns differently"):
        collate(processor)(EXAMPLES)
    processor.chat_template = None
    with pytest.raises(ConfigError, match="has no chat template"):
        collate(processor)


def test_it_can_be_sent_to_workers(built: dict[str, Any]) -> None:
    fn = collate(built["llava"][1])
    again = pickle.loads(pickle.dumps(fn))
    assert torch.equal(again(EXAMPLES)["labels"], fn(EXAMPLES)["labels"])


def test_boxes_spelled_for_another_size_than_the_processor_shows_are_refused(lake: Any, tmp_path: Path) -> None:
    _, processor = qwen(tmp_path, "Qwen2_5_VL")
    told = "pixels of a picture resized to 56 x 84, but .* shows the model 28 x 28.*qwen:min_pixels=784,max_pixels=3136"
    with pytest.raises(ConfigError, match=told):
        collate(processor)(list(rsflow.stream(lake.root, tasks=["detection"], dialect="qwen")))
    for dialect in ("qwen:min_pixels=784,max_pixels=3136", "qwen2", "qwen3"):
        collate(processor)(list(rsflow.stream(lake.root, tasks=["detection"], dialect=dialect)))
    collate(processor)(list(rsflow.stream(lake.root, tasks=["captioning"], dialect="qwen")))  # no box, nothing to be wrong


def group(key: str, dialect: str, *talks: dict[str, Any]) -> dict[str, Any]:
    """An example of two dates of one place, as a stream gives it."""
    both = {"others": {"after": one(key)["image"].flip(2)}, "meta": {"group": {"kind": "pair", "role": "before"}}}
    return {**one(key, *talks), **both, "dialect": dialect}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_group_shows_all_its_pictures_each_under_its_number(built: dict[str, Any], family: str) -> None:
    model, processor = built[family]
    examples = [group("a", "qwen2", talk("What changed?", "Two ships.")), group("b", "qwen2", talk("Count them.", "two"))]
    batch = collate(processor)(examples)
    pictures = batch["image_grid_thw"] if "image_grid_thw" in batch else batch["pixel_values"]
    assert len(pictures) == 4
    texts = processor.tokenizer.batch_decode(batch["input_ids"])
    for text, asked in zip(texts, ("What changed?", "Count them."), strict=True):
        assert text.index("Picture 1:") < text.index("Picture 2:") < text.index(asked)
    assert ["Two ships." in run for run in spoken(processor, batch)[0]] == [True]
    assert torch.isfinite(model(**batch).loss)
    unnamed = collate(processor)([group("a", "llava", talk("What changed?", "Two ships."))])
    assert "Picture" not in processor.tokenizer.decode(unnamed["input_ids"][0])
