"""One file a table of the paper; see common.py."""
