"""The datasets, one a file: `<name>(**keywords)` returns an `input.dataset.Dataset`."""
