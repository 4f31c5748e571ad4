"""A checkpoint's own processor: what makes its tensors of pictures and words.

One idea: pictures are prepared by the processors' Pillow backend, because torchvision's gives other pixels, and whether it is
installed must not change a label; a processor that has no such backend (SAM 2) uses torchvision's. And no video is ever shown
to a model here. Where torchvision is missing, a processor therefore goes without its part for videos, which has no other
backend, rather than not at all: Qwen-VL, InternVL, SmolVLM and LLaVA-OneVision see the same pictures with it and without.
"""

from __future__ import annotations

from typing import Any


class _NoVideos(dict[str, Any]):
    """Placeholder for a processor's video part. A dict, because a processor is serialised as JSON; SmolVLM reads these two
    before it looks whether there is a video."""

    num_frames = None
    fps = None


def load_processor(kind: str, place: dict[str, Any]) -> Any:
    """The processor by an Auto class of transformers. `place`: what `from_pretrained` takes. Raises what that raises."""
    import transformers
    from transformers.utils.import_utils import is_torchvision_available

    auto: Any = transformers  # whose Auto classes have no types
    # For its part with pictures only: a processor would hand `backend` on to its part for videos.
    pictures = auto.AutoImageProcessor.from_pretrained(**place, backend="pil")
    if kind == "AutoImageProcessor":
        return pictures
    own = None if is_torchvision_available() else auto.PROCESSOR_MAPPING.get(_config_class(place), None)
    if own is not None and set(own.get_attributes()) == {"image_processor", "tokenizer", "video_processor"}:
        return _without_videos(own, pictures, place)
    processor = getattr(auto, kind).from_pretrained(**place)
    processor.image_processor = pictures
    return processor


def _config_class(place: dict[str, Any]) -> type:
    from transformers import AutoConfig

    return type(AutoConfig.from_pretrained(**place))


def _without_videos(own: Any, pictures: Any, place: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer

    def check(self: Any, name: str, part: Any) -> Any:
        return None if isinstance(part, _NoVideos) else own.check_argument_for_proper_class(self, name, part)

    still: Any = type(own.__name__, (own,), {"check_argument_for_proper_class": check})  # one that lets a part be missing
    tokenizer: Any = AutoTokenizer
    parts = {"image_processor": pictures, "tokenizer": tokenizer.from_pretrained(**place), "video_processor": _NoVideos()}
    settings, more = own.get_processor_dict(**place)
    return still.from_args_and_dict([parts[name] for name in own.get_attributes()], settings, **more)
