"""From files to batches: datasets and splits, TFDS directories, decoding, worker processes."""
