"""What to keep, decided over columns alone: signatures, duplicates, splits and quotas. No files, no pixels but thumbnails."""
