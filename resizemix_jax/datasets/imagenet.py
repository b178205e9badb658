"""ImageNet (Russakovsky et al., 2015), ILSVRC 2012: 1000 classes; TFDS `imagenet2012`, streamed."""

from resizemix_jax.input.streams import View, streamed


def imagenet(*, image_size=224, eval_resize=0, resize='antialias', max_damaged=1e-4):
    """1,281,167 training images; the 50,000 validation images for evaluation.

    Args:
        image_size, eval_resize, resize, max_damaged: see `streams.View`.

    Raises:
        ValueError: a value out of range.
    """
    return streamed(
        'imagenet',
        source='imagenet2012',
        splits={'train': ('train', 1_281_167), 'eval': ('validation', 50_000)},
        num_classes=1000,
        view=View(image_size, eval_resize, resize, max_damaged),
    )
