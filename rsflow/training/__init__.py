"""Fine-tuning vision-language models on a snapshot: `rsflow train`.

One idea: the stream decides which samples every optimiser step sees, as a function of snapshot, seed and step alone. So a run
is its configuration: it can be killed at any moment, go on with another number of processes, and ends with the weights that
it would have had (up to the order in which numbers are summed).
"""
