"""The ground grid: cells of fixed metres on which scenes of any sensor, date and projection lie pixel on pixel.

`zones`: the map projections that cover the Earth. `target_grid`: pixels of one zone or cell onto which a scene is warped.
`placement`: the grids that a scene's footprint meets. `major_tom`: the published grid of that name. `positions`,
`resample`: the warp itself.
"""
