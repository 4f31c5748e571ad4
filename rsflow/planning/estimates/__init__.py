"""What a build will see and do, before it starts."""
