"""Text of conversations: turns with box marks, and the control tokens that must not reach them."""
