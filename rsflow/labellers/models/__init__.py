"""What labellers with weights have in common: opening, batches, calibrated scores, memory that runs out."""
