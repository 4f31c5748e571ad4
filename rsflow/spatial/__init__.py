"""Numbers of space: windows and boxes, polygons with parts and holes, lengths on the ellipsoid."""
