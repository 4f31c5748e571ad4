"""Truth that lies on the ground: vector layers and class rasters in their own coordinates, as labels of any scene with a place.

One idea: a layer is read once into a copy in a spatial index that holds just what labels need (rsflow.ground.layer_copy), on the
driver; workers cut the features of their window out of it (rsflow.ground.tile_labels). A scene's labels depend on the features
within its footprint and on nothing else of the layer, so a new version of a file relabels only the ground that changed.
"""
