"""Tiles: which windows a scene is cut into, what picture they make, whether it is worth keeping, and its encoding. No I/O."""
