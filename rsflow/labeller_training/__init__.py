"""A labeller of one's own: a small model that learns from a lake's annotated tiles and labels the rest of the archive.

One idea: what is trained is judged as it will be used. Training ends with a checkpoint's folder; the labeller that a
configuration would open from that folder labels ground which training never saw, and its calibration and its quality per
category are what was found there. The same room says which tiles' labels would teach most (`suggest`).
"""
