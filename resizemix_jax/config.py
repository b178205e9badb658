"""Every key there is, with its default; a config that needs another value sets it."""

import ml_collections


def base():
    """A new config with all keys."""
    config = ml_collections.ConfigDict()
    # What this run is: recorded in the result, chosen in the config's argument and not by an override.
    config.table = ''
    config.row = ''
    config.column = ''
    config.recipe = 'paper'
    config.scale = 'paper'

    config.task = 'classify'  # a file of resizemix_jax/tasks
    config.task_args = ml_collections.ConfigDict()
    config.seed = 0
    config.dataset = 'fashion_mnist_10k'  # a file of resizemix_jax/data, or FILE:SOURCE: 'folder:/path'
    config.dataset_args = ml_collections.ConfigDict()
    config.data_dir = ''  # '': $TFDS_DATA_DIR, or else ~/tensorflow_datasets

    config.model = 'wide_resnet'  # a file of resizemix_jax/models
    config.model_args = ml_collections.ConfigDict()
    config.batch_norm = 'local'  # statistics of each device's share of the batch; 'global': of all of it
    config.dtype = 'float32'  # of the computation, or 'bfloat16'; parameters and loss stay float32
    config.remat = False  # compute what is within the blocks anew in the backward pass, to save memory
    _method(config)

    config.batch_size = 256  # over all devices
    config.micro_batches = 1  # parts of a device's batch, one after the other, to save memory
    config.epochs = 200
    config.steps = 0  # 0: epochs times the steps of an epoch
    config.optimizer = optimizer()

    config.eval_batch_size = 512
    config.log_every_steps = 50
    config.eval_every_epochs = 1
    config.save_every_epochs = 1
    config.max_to_keep = 1  # newest checkpoints; the best one is kept besides
    config.gallery_every = 0  # steps between pictures of what the network is shown; 0: none
    config.profile_steps = 0  # steps that are traced into WORKDIR/profile, after the first one
    config.num_devices = 0  # 0: all
    config.workers = -1  # processes that decode streamed images; -1: one a core, 0: the training's own
    config.generate_images = 0  # that --mode=generate mixes; 0: all training images once
    config.generate_args = supermix()  # keywords of resizemix_jax/mixing/supermix.py
    return config


def _method(config):
    """What happens to the images and their labels before the network sees them, and the loss."""
    config.augment = 'crop_flip'  # a file of resizemix_jax/augment
    config.augment_args = ml_collections.ConfigDict(dict(padding=4, flip=True))
    config.policy = 'none'  # a file of resizemix_jax/augment
    config.policy_args = ml_collections.ConfigDict()
    config.policy_place = 'before_crop'  # or 'before_mixing', 'after_mixing'
    config.batch_augment = 1  # how often the policy after the mixing makes its own of each mixed image
    config.mixing = 'none'  # a file of resizemix_jax/mixing
    config.mixing_args = ml_collections.ConfigDict()
    config.saliency = (
        ''  # the map that a method chooses by: 'grad_cam', 'cam', 'input_gradient', 'fine_grained'
    )
    config.saliency_args = ml_collections.ConfigDict()
    config.saliency_layer = 0  # the group of blocks that the map is of; 0: the last
    config.saliency_mode = 'train'  # BatchNorm and dropout of that pass, or 'eval'
    config.half_train = 'full'  # or half the resolution by 'random_crop', 'center_crop' or 'resize'
    config.half_eval = 'full'
    config.loss = 'ce'  # or 'bce'
    config.label_smoothing = 0.0


def supermix():
    """What --mode=generate mixes by: the published numbers for CIFAR."""
    return ml_collections.ConfigDict(
        dict(k=2, alpha=3.0, mask_size=8, sigma=1.0, lambda_s=25.0, max_iters=50, leftover=0.7)
    )


def optimizer():
    """SGD with Nesterov momentum and a cosine: the paper's, with its values for WRN-28-10."""
    return ml_collections.ConfigDict(
        dict(
            lr=0.1,
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
            decay='all',  # or 'kernels': not biases and BatchNorm
            warmup_epochs=0,
            warmup_lr=1e-5,
            final_lr=0.0,
        )
    )
