"""Which bands of a file are read, what is stated of them, and how they become statistics or colours."""
