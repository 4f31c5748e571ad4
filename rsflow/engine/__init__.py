"""Runs stages inline or on Ray Data, commits receipts, reports progress, keeps to the budget. Only `cluster/` imports ray."""
