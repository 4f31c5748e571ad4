"""Model definitions of rsflow's own: EarthGPT, the small networks of `rsflow train-labeller`, and what tuning adds to anybody's
model.

They are PyTorch modules in the form of `transformers`: saved by `save_pretrained`, loaded by `from_pretrained`.
"""

from __future__ import annotations


def register_model_type(model_type: str) -> None:
    """Make the Auto classes of transformers know a type of ours; any other is theirs, and nothing is loaded for it."""
    if model_type == "earthgpt":
        from rsflow.models import earthgpt  # noqa: F401
    elif model_type == "rsflow_centre_detector":
        from rsflow.models import centre_detector  # noqa: F401
    elif model_type == "rsflow_unet_segmenter":
        from rsflow.models import unet_segmenter  # noqa: F401
