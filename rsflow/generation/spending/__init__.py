"""What requests cost: allowances, attempts on disk, and the sums."""
