"""Facts of several dates of one place: their order, the objects and covers of each, the elevation of the sun."""
