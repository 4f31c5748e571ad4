"""What holds for a set of any format: its folders, splits, completeness and spelling of categories."""
