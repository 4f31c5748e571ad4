"""Faults of labels and of the fields of annotation files."""
