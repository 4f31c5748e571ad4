"""Which sample comes at which position of an iteration, as pure functions of snapshots, seed and weights."""
