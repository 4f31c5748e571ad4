"""The stage that writes shards, and what a sample's record says."""
