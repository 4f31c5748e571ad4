"""The command that makes data to try rsflow with: demo-scenes."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option


def demo_scenes(
    folder: Annotated[str, Argument(metavar="DIR")],
    seed: Annotated[int, Option(help="each number gives another place")] = 7,
) -> int:
    """Write the demo's scenes, annotations and configuration.

    Examples:
      rsflow demo-scenes demo-out/scenes
    """
    from rsflow.demo.write import write_demo_scenes

    written = write_demo_scenes(folder, seed)
    print(f"{len(written.scenes)} scenes with {written.boxes} annotated objects; next: rsflow build {written.config}")
    return 0
