"""What the sources hold: scenes, their annotations, their layers on the ground."""
