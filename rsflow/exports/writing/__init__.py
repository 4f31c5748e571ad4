"""How exports write: records, JSON, Parquet, folders, cards, and the counts of what was left out."""
