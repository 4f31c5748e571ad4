"""Geometries of features as arrays: rings, shapes, and their places in the pixels of a scene."""
