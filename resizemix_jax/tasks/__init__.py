"""Tasks: what the loop knows of an experiment.

`<name>(config, dataset, *, ...)` of a file here returns an object with the attributes below. The file also
has the constant SCORE, the same as `score`, and may have SCORE_TITLE, its name in reports, e.g. 'top-1', and
NETWORKS, the family of `config.model`, where that is not 'models'.

score         name of the main measure, in [0, 1], higher is better, e.g. 'top1'
metric_names  of the training metrics
splits        names of the dataset's splits that it trains on. With one, a batch is of that split; with more,
              a batch is a dict: split -> batch, each in an order of its own. The first one makes the epochs.
init(key)     -> variables: 'params', and 'batch_stats' and 'more' where there are any
prepare(params, batch_stats, batch, key, progress)
              -> examples: a batch augmented and mixed, on the device. `progress` is the share of the training
              that is over, float32 [].
loss(params, batch_stats, examples, key)
              -> loss float32 [], (batch_stats, metrics: name -> float32 [])
measure(params, batch_stats, batch)
              -> (sums, rows) of an evaluation batch. sums: name -> float32 [], over examples whose `valid`
              is 1; the step adds them over devices. rows: {}, or name -> array [B, ...], an entry an example;
              the loop gathers them and puts them in the order of the split.
summarise(sums, rows, split)
              -> the evaluation's metrics, name -> number, `score` among them, of a whole split. `sums` has
              the number of examples as 'examples'.

Optional:

frozen        patterns of parameters that are not trained, in addition to those of the config, see `freeze`
update(state, batch, key, tx)
              -> (state, metrics), instead of gradient and update; it averages over the devices itself
epoch_end(state, sums, key)
              -> state, after every evaluation, on the devices; `sums` are the evaluation's, on all of them
draw(state, pairs, seed)
              -> what the training step makes of `pictures.pairs.Pairs`, for --mode=gallery: normalised images
              float32 [P, h, w, C], and the sources' label weights, float32 [P]
predict(params, batch_stats, images)
              -> what the trained network says of images uint8 [B, H, W, C], for --mode=export
logits(params, batch_stats, images)
              -> the scores of the classes, float [B, K], of images uint8 [B, H, W, C]; for --predictions, of
              evaluation batches that have `images` and `label`, int32 [B]
gradient(params, batch_stats, images, label)
              -> the gradient of the evaluation's loss by the images, uint8 [B, H, W, C], as numbers in
              [0, 1]: float32 [B, H, W, C], for --robustness=fgsm; `label` int32 [B]
heat(state, kind, images, label)
              -> heat maps float32 [P, h, w] of the evidence for a class, and its probability, float32 [P]
"""
