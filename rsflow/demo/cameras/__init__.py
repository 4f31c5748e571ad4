"""The place through its three sensors."""
