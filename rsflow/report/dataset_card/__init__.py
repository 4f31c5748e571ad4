"""The dataset card: what a snapshot holds, beside the published mixes."""
