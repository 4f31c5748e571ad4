"""The memory of a dataset: Delta tables, receipts and marks under one root. See DESIGN: write files, then commit receipts."""
