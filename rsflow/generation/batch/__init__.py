"""Batch interfaces: their files, their calls, and the batches that are not finished."""
