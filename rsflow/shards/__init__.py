"""Shards and snapshots: where building and loading meet. Neither Ray nor torch is known here.

Building calls `plan.plan_shards`, `writer.write_shard` and `manifest.write_snapshot`; loading `manifest.read_snapshot` and
`reader.ShardReader`; `verify` compares what is on disk with what the manifest says.
"""
