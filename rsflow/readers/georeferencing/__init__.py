"""Where a scene lies on the ground, how exactly, and the way from there to its pixels."""
