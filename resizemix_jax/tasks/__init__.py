"""Tasks: what the loop knows of an experiment. `<name>(config, dataset)` returns an object with

metric_names                             of the training metrics
init(key)                                -> variables: 'params', and 'batch_stats' where the network has it
prepare(params, batch_stats, batch, key, progress)
                                         -> examples: augmentation and mixing, on the device
loss(params, batch_stats, examples, key) -> loss, (batch_stats, metrics)
measure(params, batch_stats, batch)      -> sums over the valid examples of an evaluation batch
summarise(sums)                          -> the evaluation's metrics, of the sums over the whole split
"""
