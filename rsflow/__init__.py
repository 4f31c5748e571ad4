"""rsflow: remote-sensing scenes and annotated sets in, one instruction-following dataset out, streamed into training."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsflow.loading.collate import collate as collate
    from rsflow.loading.stream import stream as stream

__version__ = "0.1.0"
__all__ = ["__version__", "collate", "stream"]


def __getattr__(name: str) -> Any:
    # torch is imported when a stream is asked for, not by every command of the building wing.
    if name == "stream":
        from rsflow.loading.stream import stream

        return stream
    if name == "collate":
        from rsflow.loading.collate import collate

        return collate
    raise AttributeError(f"module 'rsflow' has no attribute {name!r}")
