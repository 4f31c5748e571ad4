"""The demo's scenes: one invented place, seen by an optical, a radar and an infrared sensor.

These are the real doubles that ship with rsflow: files in the formats, types and units of real products, with every object's
exact box known, so that the whole build can be run, watched and measured without a download.
"""

from __future__ import annotations

from rsflow.demo.write import DemoScenes, write_demo_scenes

__all__ = ["DemoScenes", "write_demo_scenes"]
