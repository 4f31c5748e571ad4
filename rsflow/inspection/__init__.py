"""What a lake holds and why: explain, diff, evaluate labels, vacuum, and the facts that reports print."""
