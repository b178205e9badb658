"""Learning-rate schedules, one a file: `<name>(steps, steps_per_epoch, *, lr, ...)` returns a schedule.

Shared contract:
    steps, steps_per_epoch   of the whole run and of one epoch, int >= 1; `steps` need not be whole epochs.
    returns                  step (int or int32 [], 0 to `steps`) -> learning rate, float32 []. The training
                             step calls it with the number of updates made so far.
    keywords                 the config's `schedule_args`; `lr` is the peak. A duration in epochs is called
                             `..._epochs`, one in steps `..._steps`.
    errors                   ValueError for a value out of range or a warm-up that does not fit the run,
                             naming schedule_args.<keyword>.
"""
