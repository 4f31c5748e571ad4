"""The stage that passes labels between the tiles of a cell of the ground grid."""
