"""The model: two encoders side by side, one projection, one decoder."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel, AutoModelForCausalLM, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from rsflow.models.earthgpt.configuration import EarthGPTConfig


class EarthGPTPreTrainedModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    config_class = EarthGPTConfig
    base_model_prefix = ""
    input_modalities = ["image", "text"]  # noqa: RUF012  # as the base class has it
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["Dinov2Layer", "ConvNextStage", "LlamaDecoderLayer"]  # noqa: RUF012


class EarthGPTForConditionalGeneration(EarthGPTPreTrainedModel, GenerationMixin):
    """`pixel_values` (pictures, 3, rows, cols), of which each stands for (rows / patch) × (cols / patch) image tokens in
    `input_ids`, in order. The rest is as in any causal language model of transformers."""

    _tied_weights_keys = {"language_model.lm_head.weight": "language_model.model.embed_tokens.weight"}  # noqa: RUF012

    def __init__(self, config: EarthGPTConfig) -> None:
        super().__init__(config)
        parts: Any = AutoModel  # whose methods have no types
        decoders: Any = AutoModelForCausalLM
        self.vit = parts.from_config(config.vit_config)
        self.cnn = parts.from_config(config.cnn_config)
        self.projection = nn.Linear(config.feature_size, config.text_config.hidden_size)
        self.language_model = decoders.from_config(config.text_config)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Module:
        return cast(nn.Module, self.language_model.get_input_embeddings())

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        return cast(nn.Module, self.language_model.get_output_embeddings())

    def set_output_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_output_embeddings(value)

    def get_decoder(self) -> nn.Module:
        return cast(nn.Module, self.language_model.get_decoder())

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(pictures, places, hidden size of the decoder); places row by row on the ViT's grid. A picture that comes several
        times, as of several questions about it, is encoded once."""
        distinct, which = torch.unique(pixel_values, dim=0, return_inverse=True)
        return self._encode_pictures(distinct)[which]

    def _encode_pictures(self, pixel_values: torch.Tensor) -> torch.Tensor:
        encoded = self.vit(pixel_values, output_hidden_states=True)
        rows, cols = (side // self.config.vit_config.patch_size for side in pixel_values.shape[-2:])
        # DINOv2's own normalisation on every depth, as its get_intermediate_layers does; the first token is of no place.
        depths = [self.vit.layernorm(encoded.hidden_states[layer])[:, 1:] for layer in self.config.vit_layers]
        maps = self.cnn(pixel_values, output_hidden_states=True).hidden_states
        after_stem = len(maps) - len(self.config.cnn_config.hidden_sizes) - 1
        scales = [_to_grid(maps[after_stem + stage], rows, cols) for stage in self.config.cnn_stages]
        return cast(torch.Tensor, self.projection(torch.cat([*depths, *scales], dim=-1)))

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **settings: Any,
    ) -> CausalLMOutputWithPast:
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        if pixel_values is not None:
            assert input_ids is not None
            inputs_embeds = self._put_pictures(input_ids, inputs_embeds, self.get_image_features(pixel_values))
        outputs: CausalLMOutputWithPast = self.language_model(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask, labels=labels, **settings
        )
        return outputs

    def _put_pictures(self, input_ids: torch.Tensor, embeds: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        places = input_ids == self.config.image_token_id
        if int(places.sum()) != features.shape[0] * features.shape[1]:
            raise ValueError(
                f"{int(places.sum())} image tokens for {features.shape[0]} pictures of {features.shape[1]} places each: "
                "the processor does not belong to the model"
            )
        return embeds.masked_scatter(places[..., None], features.to(embeds.dtype))

    def prepare_inputs_for_generation(  # type: ignore[override]  # generate() reads the names off this signature
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        is_first_iteration: bool | None = False,
        **settings: Any,
    ) -> dict[str, Any]:
        """Pictures are seen once, with the prompt; later steps find them in the cache."""
        parent: Any = super()
        prepared: dict[str, Any] = parent.prepare_inputs_for_generation(
            input_ids, attention_mask=attention_mask, is_first_iteration=is_first_iteration, **settings
        )
        if is_first_iteration or not settings.get("use_cache", True):
            prepared["pixel_values"] = pixel_values
        return prepared


def _to_grid(feature_map: torch.Tensor, rows: int, cols: int) -> torch.Tensor:
    """A map (pictures, channels, rows, cols) of any scale on the ViT's grid: (pictures, places, channels). A finer map is
    averaged, a coarser one interpolated."""
    size = (rows, cols)
    finer = feature_map.shape[-2] >= rows and feature_map.shape[-1] >= cols
    resized = (
        functional.adaptive_avg_pool2d(feature_map, size)
        if finer
        else functional.interpolate(feature_map, size, mode="bilinear", align_corners=False)
    )
    return resized.flatten(2).transpose(1, 2)
