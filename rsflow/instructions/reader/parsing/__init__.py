"""A sentence taken apart: words, numbers, places, and the mentions of the tile's things with their attributes."""
