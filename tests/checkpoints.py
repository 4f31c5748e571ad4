"""Checkpoints of real families in small: random weights, saved in the real format and loaded by the code that is tested.

Each function writes one into a folder. Tests that need to know what a model says set or train its weights first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from tokenizers import models, pre_tokenizers, processors
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.mask2former.image_processing_pil_mask2former import Mask2FormerImageProcessorPil
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil
from transformers.models.segformer.image_processing_pil_segformer import SegformerImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from rsflow.models.centre_detector import CentreDetector, CentreDetectorConfig
from rsflow.models.unet_segmenter import UNetSegmenter, UNetSegmenterConfig

CLASSES = {0: "ship", 1: "plane"}
WORDS = ("a", "an", "red", "green", "blue", "ship", "plane", "tank", "photo", "of", "picture", ".", "?")

_NAMES: dict[str, Any] = {"id2label": CLASSES, "label2id": {name: number for number, name in CLASSES.items()}}
_MAPPED = {0: "background", 1: "ship", 2: "plane"}
_TOWER: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def detr(folder: Path, queries: int = 5) -> transformers.PreTrainedModel:
    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", out_features=["stage2"]
    )
    config = transformers.DetrConfig(
        backbone_config=backbone, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_queries=queries, **_NAMES,
    )  # fmt: skip
    DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    return saved(transformers.DetrForObjectDetection(config), folder)


def constant_detr(folder: Path, box: tuple[float, float, float, float], score: float, queries: int = 1) -> None:
    """A detector that finds the one same ship in every picture: `box` is (x, y, width, height) of its middle, as shares."""
    model = detr(folder, queries)
    last = model.bbox_predictor.layers[-1]
    with torch.no_grad():
        for layer in (model.class_labels_classifier, last):
            layer.weight.zero_()
        last.bias.copy_(torch.logit(torch.tensor(box)))
        others = (1 - score) / 2
        model.class_labels_classifier.bias.copy_(torch.tensor([score, others, others]).log())
    model.save_pretrained(folder)


def rt_detr(folder: Path) -> None:
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.RTDetrConfig(
        backbone_config=backbone, encoder_hidden_dim=32, encoder_in_channels=[8, 16, 16], feat_strides=[8, 16, 32],
        encoder_layers=1, encoder_ffn_dim=32, encoder_attention_heads=2, d_model=32, num_queries=8, decoder_layers=1,
        decoder_ffn_dim=32, decoder_attention_heads=2, decoder_in_channels=[32, 32, 32], num_denoising=0, **_NAMES,
    )  # fmt: skip
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    saved(transformers.RTDetrForObjectDetection(config), folder)


def centres(folder: Path) -> None:
    torch.manual_seed(1)  # whose peaks differ by picture
    RTDetrImageProcessorPil(do_resize=False, do_normalize=False, do_pad=False).save_pretrained(folder)
    saved(CentreDetector(CentreDetectorConfig(widths=(8, 8), **_NAMES)), folder)


def unet(folder: Path) -> None:
    torch.manual_seed(1)
    SegformerImageProcessorPil(do_resize=False, do_normalize=False).save_pretrained(folder)
    names = {"id2label": _MAPPED, "label2id": {name: number for number, name in _MAPPED.items()}}
    saved(UNetSegmenter(UNetSegmenterConfig(widths=(8, 8), **names)), folder)


def segformer(folder: Path) -> None:
    torch.manual_seed(1)
    SegformerImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    config = transformers.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 1, 1], decoder_hidden_size=16, **_NAMES
    )
    saved(transformers.SegformerForSemanticSegmentation(config), folder)


def mask2former(folder: Path) -> None:
    """A universal segmenter; deep features would be most of its size."""
    torch.manual_seed(1)
    backbone = transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=32,
        encoder_layers=1, decoder_layers=2, num_attention_heads=2, dim_feedforward=32, num_queries=6, **_NAMES,
    )  # fmt: skip
    Mask2FormerImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    saved(transformers.Mask2FormerForUniversalSegmentation(config), folder)


TWELVE_MEAN, TWELVE_STD = [500.0 + 100 * band for band in range(12)], [200.0 + 10 * band for band in range(12)]


SAR_MEAN, SAR_STD = [-12.0, -19.0], [5.0, 6.0]  # decibels of VV and VH


def twelve_bands(
    folder: Path, model: str = "vit", mean: Sequence[float] = TWELVE_MEAN, std: Sequence[float] = TWELVE_STD
) -> None:
    """A backbone of measured bands, normalised by the means and deviations of its own configuration; a classifier or a map."""
    torch.manual_seed(2)
    own: dict[str, Any] = {"image_mean": [*mean], "image_std": [*std]}
    if model == "segformer":
        SegformerImageProcessorPil(size={"height": 64, "width": 64}, **own).save_pretrained(folder)
        settings = {
            "depths": [1] * 4,
            "hidden_sizes": [8, 8, 16, 16],
            "num_attention_heads": [1] * 4,
            "decoder_hidden_size": 16,
        }
        config = transformers.SegformerConfig(num_channels=len(mean), **settings, **_NAMES)
        saved(transformers.SegformerForSemanticSegmentation(config), folder)
        return
    ViTImageProcessorPil(size={"height": 32, "width": 32}, **own).save_pretrained(folder)
    vit = transformers.ViTConfig(**_TOWER, image_size=32, patch_size=16, num_channels=len(mean), **_NAMES)
    saved(transformers.ViTForImageClassification(vit), folder)


def resnet(folder: Path) -> None:
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], layer_type="basic", **_NAMES)
    BitImageProcessorPil(size={"height": 32, "width": 32}, do_center_crop=False).save_pretrained(folder)
    saved(transformers.ResNetForImageClassification(config), folder)


def words(form: str = "<s> $A </s>", more: tuple[str, ...] = ()) -> transformers.PreTrainedTokenizerFast:
    """A tokenizer of whole words; `form` says which marks it puts around a text."""
    vocabulary = {word: number for number, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *more, *WORDS])}
    inner = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(form, special_tokens=[("<s>", 1), ("</s>", 2)])
    marks = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **marks)


def clip(folder: Path) -> transformers.PreTrainedModel:
    text = {**_TOWER, "vocab_size": 40, "max_position_embeddings": 16, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    vision = {**_TOWER, "image_size": 32, "patch_size": 16}
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    transformers.CLIPProcessor(pictures, words()).save_pretrained(folder)
    return saved(
        transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)), folder
    )


def colour_clip(folder: Path) -> None:
    """A CLIP that was taught red, green and blue, by the phrases "a red picture" and so on."""
    torch.manual_seed(0)
    model = clip(folder).train()
    names = ["red", "green", "blue"]
    texts = words()([f"a {name} picture" for name in names], return_tensors="pt")
    for _ in range(40):
        right = torch.arange(12) % 3
        pictures = torch.randn(12, 3, 32, 32) * 0.3
        pictures[torch.arange(12), right] += 1.5
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(**texts, pixel_values=pictures).logits_per_image, right).backward()
        # Descent by sign: torch.optim takes seconds to import.
        with torch.no_grad():
            for weights in model.parameters():
                if weights.grad is not None:
                    weights -= 0.006 * weights.grad.sign()
    saved(model, folder)


def siglip(folder: Path) -> transformers.PreTrainedModel:
    text = {**_TOWER, "vocab_size": 40, "max_position_embeddings": 64, "projection_size": 32}
    vision = {**_TOWER, "image_size": 32, "patch_size": 16}
    pictures = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    transformers.SiglipProcessor(pictures, words()).save_pretrained(folder)
    return saved(transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=vision)), folder)


def owlv2(folder: Path) -> None:
    text = {**_TOWER, "vocab_size": 40, "max_position_embeddings": 16, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    vision = {**_TOWER, "image_size": 64, "patch_size": 16}
    config = transformers.Owlv2Config(text_config=text, vision_config=vision, projection_dim=32)
    pictures = Owlv2ImageProcessorPil(size={"height": 64, "width": 64})
    transformers.Owlv2Processor(pictures, words()).save_pretrained(folder)
    model = transformers.Owlv2ForObjectDetection(config)
    with torch.no_grad():
        model.box_head.dense2.weight.mul_(0.02)  # else all boxes lie on an edge, without area
    saved(model, folder)


def grounding_dino(folder: Path) -> None:
    # The model knows the marks of BERT's vocabulary by number.
    marks = {100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 1012: ".", 1029: "?"}
    spare = iter([word for word in WORDS if word.isalpha()])
    names = ["[PAD]", *(marks.get(i) or (next(spare, None) if i > 200 else None) or f"[unused{i}]" for i in range(1, 1040))]
    inner = tokenizers.Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 101), ("[SEP]", 102)])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    pictures = GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    transformers.GroundingDinoProcessor(pictures, tokenizer).save_pretrained(folder)
    backbone = transformers.SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 2], window_size=4,
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    text = transformers.BertConfig(vocab_size=1040, max_position_embeddings=64, **_TOWER)
    config = transformers.GroundingDinoConfig(
        backbone_config=backbone, text_config=text, d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, encoder_attention_heads=2, decoder_attention_heads=2, num_queries=6, max_text_len=32,
    )  # fmt: skip
    saved(transformers.GroundingDinoForObjectDetection(config), folder)


def dinov2(folder: Path) -> None:
    config = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=28, patch_size=14
    )
    pictures = BitImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    pictures.save_pretrained(folder)
    saved(transformers.Dinov2Model(config), folder)


def sam(folder: Path) -> None:
    vision = transformers.SamVisionConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=64, patch_size=8, output_channels=16,
        window_size=4, global_attn_indexes=[1], mlp_dim=32, num_pos_feats=8,
    )  # fmt: skip
    prompt = transformers.SamPromptEncoderConfig(
        hidden_size=16, image_size=64, patch_size=8, mask_input_channels=4, image_embedding_size=8
    )
    decoder = transformers.SamMaskDecoderConfig(
        hidden_size=16, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16, iou_head_depth=2
    )
    pictures = SamImageProcessorPil(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}, mask_size={"longest_edge": 16}
    )
    transformers.SamProcessor(pictures).save_pretrained(folder)
    config = transformers.SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    saved(transformers.SamModel(config), folder)


CHAT = (
    "{% for message in messages %}{% for content in message['content'] %}{% if content['type'] == 'image' %}<image> {% else %}"
    "{{ content['text'] }} {% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %}?{% endif %}"
)


def llava(folder: Path, says: tuple[str, ...] = ()) -> None:
    """A LLaVA. With `says` it answers that, word by word, to any question that it is asked (the template ends with "?")."""
    tokenizer = words("<s> $A", ("<image>",))
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = transformers.LlavaProcessor(
        pictures, tokenizer, patch_size=14, vision_feature_select_strategy="default", chat_template=CHAT,
        num_additional_image_tokens=1, image_token="<image>",
    )  # fmt: skip
    size = len(tokenizer)
    text = transformers.LlamaConfig(
        vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False,
    )  # fmt: skip
    vision = transformers.CLIPVisionConfig(**{**_TOWER, "num_hidden_layers": 3}, image_size=28, patch_size=14)
    config = transformers.LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids("<image>")
    )
    model = transformers.LlavaForConditionalGeneration(config)
    if says:
        _teach(model, [tokenizer.convert_tokens_to_ids(word) for word in ("?", *says, "</s>")])
    processor.save_pretrained(folder)
    saved(model, folder)


_WRITER: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": False,
}  # fmt: skip


def _marked(marks: tuple[str, ...], **named: str) -> transformers.PreTrainedTokenizerFast:
    """A tokenizer of whole words with a model's own marks; `named` ones are also its attributes."""
    plain = words("<s> $A", (*marks, *named.values()))
    plain.add_special_tokens({"additional_special_tokens": [*marks, *named.values()]})
    usual = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain.backend_tokenizer, extra_special_tokens=named or list(marks), **usual
    )


def qwen(folder: Path, newer: bool) -> None:
    """Qwen2-VL, or Qwen2.5-VL. Its processor's part for videos has no file: that cannot be made without torchvision."""
    torch.manual_seed(4)  # whose texts differ by picture
    marks = ("<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>")
    tokenizer = _marked(marks)
    tokenizer.chat_template = CHAT.replace("<image>", " ".join(marks[:3]))
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(min_pixels=16**2, max_pixels=32**2, patch_size=8, merge_size=2).save_pretrained(folder)
    names = ("vision_start_token_id", "image_token_id", "vision_end_token_id", "video_token_id")
    ids = {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in zip(names, marks, strict=True)}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    text = {**_WRITER, "vocab_size": len(tokenizer), "rope_parameters": rope}
    vision = {"depth": 2, "hidden_size": 32, "num_heads": 2, "patch_size": 8, "spatial_merge_size": 2}
    if newer:
        vision |= {"out_hidden_size": 32, "intermediate_size": 64, "fullatt_block_indexes": [1], "window_size": 32}
        newer_config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids)
        saved(transformers.Qwen2_5_VLForConditionalGeneration(newer_config), folder)
    else:
        config = transformers.Qwen2VLConfig(text_config=text, vision_config={**vision, "embed_dim": 32}, **ids)
        saved(transformers.Qwen2VLForConditionalGeneration(config), folder)


def idefics3(folder: Path) -> None:
    """SmolVLM's first architecture."""
    torch.manual_seed(5)  # whose texts differ by picture
    rows = tuple(f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7))
    tokenizer = _marked(("<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *rows))
    pictures = Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    transformers.Idefics3Processor(pictures, tokenizer, image_seq_len=4, chat_template=CHAT).save_pretrained(folder)
    text = {**_WRITER, "model_type": "llama", "vocab_size": len(tokenizer)}
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = transformers.Idefics3Config(
        text_config=text, vision_config={**_TOWER, "image_size": 32, "patch_size": 8}, scale_factor=2, image_token_id=image,
        pad_token_id=0,
    )  # fmt: skip
    saved(transformers.Idefics3ForConditionalGeneration(config), folder)


def smolvlm(folder: Path) -> None:
    """SmolVLM's second one: the same, with videos. Its processor needs num2words, which is for them."""
    idefics3(folder)
    for name in ("config.json", "processor_config.json"):
        text = (folder / name).read_text()
        for old, new in (("idefics3", "smolvlm"), ("Idefics3ImageProcessor", "SmolVLMImageProcessor"), ("Idefics3", "SmolVLM")):
            text = text.replace(old, new)
        (folder / name).write_text(text)


def internvl(folder: Path) -> None:
    """As `qwen`, its processor is saved part by part."""
    torch.manual_seed(4)  # whose texts differ by picture
    own = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    tokenizer = _marked((), **own, video_token="<video>")
    tokenizer.chat_template = CHAT.replace("<image>", "<IMG_CONTEXT>")
    tokenizer.save_pretrained(folder)
    GotOcr2ImageProcessorPil(size={"height": 32, "width": 32}, crop_to_patches=True, max_patches=2).save_pretrained(folder)
    settings = {"processor_class": "InternVLProcessor", "image_seq_length": 4}
    (folder / "processor_config.json").write_text(json.dumps(settings))
    vision = {**_TOWER, "image_size": [32, 32], "patch_size": [8, 8]}
    image = tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>")
    text = {**_WRITER, "model_type": "qwen2", "vocab_size": len(tokenizer)}
    config = transformers.InternVLConfig(
        text_config=text, vision_config=vision, image_seq_length=4, image_token_id=image, tie_word_embeddings=False
    )
    saved(transformers.InternVLForConditionalGeneration(config), folder)


def _teach(model: Any, chain: list[int]) -> None:
    """Weights with which every token of the chain is followed by the next: layers add nothing, the head looks tokens up."""
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        embedding = model.model.language_model.embed_tokens.weight
        embedding.zero_()
        embedding[torch.arange(len(embedding)), torch.arange(len(embedding))] = 1.0
        model.lm_head.weight.zero_()
        for token, after in pairwise(chain):
            model.lm_head.weight[after, token] = 1.0


def saved(model: transformers.PreTrainedModel, folder: Path) -> transformers.PreTrainedModel:
    model.save_pretrained(folder)
    return model.eval()


MAKERS: dict[str, Callable[[Path], Any]] = {
    "detr": detr, "rt_detr": rt_detr, "owlv2": owlv2, "grounding_dino": grounding_dino, "clip": clip, "siglip": siglip,
    "dinov2": dinov2, "sam": sam, "centres": centres, "unet": unet, "segformer": segformer, "mask2former": mask2former,
    "twelve_bands": twelve_bands, "twelve_band_map": partial(twelve_bands, model="segformer"),
    "sar_bands": partial(twelve_bands, mean=SAR_MEAN, std=SAR_STD), "resnet": resnet,
    "llava": llava, "colour_clip": colour_clip,
    "qwen2_vl": partial(qwen, newer=False), "qwen2_5_vl": partial(qwen, newer=True), "idefics3": idefics3,
    "internvl": internvl, "smolvlm": smolvlm,
    "talking_llava": partial(llava, says=("a", "red", "ship", ".")),
    "corner_detr": partial(constant_detr, box=(0.9, 0.5, 0.4, 0.5), score=0.8, queries=3),
}  # fmt: skip
