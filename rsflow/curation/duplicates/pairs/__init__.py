"""Pairs of tiles that may show the same: by signature, window, ground and time, or shared keypoints."""
