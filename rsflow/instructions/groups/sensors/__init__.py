"""What the sensors of one cell measure at the same place, as questions and answers."""
