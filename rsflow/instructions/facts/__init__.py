"""What the labels of a tile state, as values that tasks draw on."""
