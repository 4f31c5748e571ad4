"""The labels of one tile from a layer: objects, cover, values."""
