"""The stages, one small file each, in a folder for each step.

label: CutScenes > RenderTiles > ScreenTiles > AnnotateTiles > LabelTiles (one per labeller) > KeepBands (where raw bands are
asked for) > EncodeTiles > WriteTiles. The other steps follow over columns and written pictures; shard: WriteShards.
"""
