"""Datasets, one a file: `<name>(...)` returns a `dataset.Dataset`, which says what there is to know
without opening anything and holds the function that reads it."""
