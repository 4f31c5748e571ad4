"""The invented place: its relief, what covers its ground, its plan and the things in it."""
