"""Saliency maps: of a network for a class, and of an image alone."""
