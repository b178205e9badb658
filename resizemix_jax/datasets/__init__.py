"""The datasets, one a file: `<name>(*, ...)` returns an `input.dataset.Dataset`.

It describes a dataset without opening its data. Its keywords are those of the config's `dataset_args`, except
what a file declares in NEEDS: `source` is what follows the colon in `--config.dataset=NAME:SOURCE`, and
`data_dir` is the config's.
"""
