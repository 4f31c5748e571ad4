"""The steps of the label and shard phases, one small file each: this folder is their table of contents.

Label: CutScenes > RenderTiles > ScreenTiles > AnnotateTiles > LabelTiles (one per labeller) > KeepBands (where raw bands are
asked for) > EncodeTiles > WriteTiles.
Then InstructTiles over columns alone, and WriteShards over the chosen samples.
"""
