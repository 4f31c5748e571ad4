"""The driver: plans what is missing, runs stages inline or on Ray Data, commits receipts. The only folder that imports ray."""
