"""What an EarthGPT is made of: the configurations of its three parts, and which of their features it takes."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PreTrainedConfig

_DEFAULTS: dict[str, dict[str, Any]] = {
    # The sizes of the paper: DINOv2 ViT-L/14, ConvNeXt-L, LLaMA-2 7B.
    "vit_config": {
        "model_type": "dinov2", "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "patch_size": 14,
        "image_size": 518,
    },
    "cnn_config": {"model_type": "convnext", "hidden_sizes": [192, 384, 768, 1536], "depths": [3, 3, 27, 3]},
    "text_config": {"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32},
}  # fmt: skip


class EarthGPTConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """`vit_layers`: depths whose outputs are taken, counted from 1, -1 the last; None: four, evenly spaced (ours).
    `cnn_stages`: the stages of the ConvNeXt, counted from 1; None: all. `image_token_id`: the token that stands for one place
    of a picture."""

    model_type = "earthgpt"
    sub_configs = dict.fromkeys(_DEFAULTS, AutoConfig)

    def __init__(
        self,
        vit_config: Any = None,
        cnn_config: Any = None,
        text_config: Any = None,
        vit_layers: list[int] | None = None,
        cnn_stages: list[int] | None = None,
        image_token_id: int = 0,
        **settings: Any,
    ) -> None:
        given = {"vit_config": vit_config, "cnn_config": cnn_config, "text_config": text_config}
        for name, value in given.items():
            setattr(self, name, _sub_config(name, value))
        depth = self.vit_config.num_hidden_layers
        self.vit_layers = vit_layers or sorted({max(1, round(depth * part / 4)) for part in (1, 2, 3, 4)})
        self.cnn_stages = cnn_stages or list(range(1, len(self.cnn_config.hidden_sizes) + 1))
        self.image_token_id = image_token_id
        settings.setdefault("tie_word_embeddings", self.text_config.tie_word_embeddings)
        super().__init__(**settings)

    @property
    def feature_size(self) -> int:
        """Numbers that describe one place of a picture, before the projection."""
        stages = sum(self.cnn_config.hidden_sizes[stage - 1] for stage in self.cnn_stages)
        return int(len(self.vit_layers) * self.vit_config.hidden_size + stages)


def _sub_config(name: str, value: Any) -> PreTrainedConfig:
    if isinstance(value, PreTrainedConfig):
        return value
    content = {**_DEFAULTS[name], **(value or {})} if not value or "model_type" not in value else dict(value)
    made: PreTrainedConfig = AutoConfig.for_model(**content)
    return made
