"""Ray: stages on Ray Data, training on Ray Train, and the processes of a local cluster."""
