"""The shard phase: selected samples to WebDataset shards and a snapshot."""
