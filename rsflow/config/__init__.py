"""The configuration of a build: settings, the YAML file they come from, and which sources are available."""
