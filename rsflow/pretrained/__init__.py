"""Pretrained models: a checkpoint's identity, its loading, its processor and the device it runs on."""
