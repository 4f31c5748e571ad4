"""Files of layers: vector files as Arrow batches, rasters on the grid of a tile, Parquet in spatial order."""
