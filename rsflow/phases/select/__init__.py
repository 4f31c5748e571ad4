"""The select phase: duplicates, leakage, splits and quotas over the lake's columns."""
