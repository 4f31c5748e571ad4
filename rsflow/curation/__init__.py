"""Selection over columns: duplicates, splits, quotas and balance. No files, no pixels other than thumbnails."""
