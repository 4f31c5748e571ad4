"""The model that a run trains: where it starts from, which parameters are trained, what is saved of it."""
