"""Reports as text: plans, costs, reviews, sources, use of models."""
