"""Balance: quotas, mixtures, repeat factors and licences."""
