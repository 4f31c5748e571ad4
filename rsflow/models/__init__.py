"""Model definitions of rsflow's own: EarthGPT in small, and what tuning adds to anybody's model.

They are PyTorch modules in the form of `transformers`: saved by `save_pretrained`, loaded by `from_pretrained`.
"""
