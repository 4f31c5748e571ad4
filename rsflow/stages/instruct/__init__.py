"""The stages that turn labels into instructions, and that put in a reviewer's corrections."""
