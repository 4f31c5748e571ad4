"""Splits: assignment by ground and cluster, stratification, leakage between splits."""
