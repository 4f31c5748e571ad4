"""The generate phase: which tiles a model is asked about, and what it writes of them."""
