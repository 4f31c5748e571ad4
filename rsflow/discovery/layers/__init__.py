"""Layers on the ground: which there are, what they hold, which sources they label."""
