"""Rasters and pictures grouped into sources, and the names of their bands."""
