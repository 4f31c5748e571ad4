"""Batches through memory that processes share, instead of a pipe."""
