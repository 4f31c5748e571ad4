"""Truth that lies on the ground: vector layers and class rasters in their own coordinates, as labels of any scene with a place.

The driver reads a layer once into an indexed copy that holds just what labels need (rsflow.ground.layer_copy); workers read
the features of their window from it (rsflow.ground.labels.tile_labels). A scene's labels depend on the features within its
footprint and on nothing else of the layer, so a new version of a file relabels only scenes whose ground changed.
"""
