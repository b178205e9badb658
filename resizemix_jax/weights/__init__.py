"""Weights in and out: networks as files of torch's layout, and what a training starts from."""
