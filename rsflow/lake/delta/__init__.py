"""What rsflow adds to Delta tables: retried commits, compaction, format versions, files read once."""
