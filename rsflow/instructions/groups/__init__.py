"""What is known and asked of several pictures of one place."""
