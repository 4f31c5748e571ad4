"""Boxes of several tiles and several labellers merged into objects of a scene."""
