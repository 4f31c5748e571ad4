"""Faults of the questions and answers of an instruction set."""
