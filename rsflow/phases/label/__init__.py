"""The label phase: scenes to tiles, labels and instructions."""
