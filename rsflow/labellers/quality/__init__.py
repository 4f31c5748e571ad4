"""How right labellers are: calibration of scores, precision and recall, average precision."""
