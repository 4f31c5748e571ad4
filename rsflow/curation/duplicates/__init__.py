"""Deduplication: signatures of pictures and texts, candidate pairs, clusters."""
