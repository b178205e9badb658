"""The paper's two claims, measured: what a network recognises of a pasted patch, cut out or resized.

    python -m benchmarks.patches --runs='runs/study_baseline_*' [--examples=2000 --picture=FILE.png]

The paper argues that a patch that was cut out may show nothing of its object, so that the mixed image carries
a label that is not in it (label misallocation), and that its object is lost (object information missing).
Here networks that were trained without mixing look at patches of both kinds, of equal area:

* Kinds: cut from a random, a salient and a non-salient place (`cut_paste`; the map is the network's Grad-CAM
  of the true class), and the whole image resized (`resizemix`, per sample, nearest). The place on the target
  is random. A side scale tau pastes a share of tau^2 of the pixels, rounded as the ops round it.
* Images: test images that the network classifies right, so that what fails is the patch; of a mixed image
  both images, of different classes.
* alone: the patch where it was pasted, on a black image, or with --background=mean on the mean of the
  training set; the share whose class of the highest logit is the patch's label.
* label: the mixed image; the share with the patch's label among the two classes of the highest logits.
* both: the share whose two highest are the two labels.

The pixels of a patch are found by the op itself: with the same key it mixes images that are constant, each
the number of its row. Shares of several runs are given as mean and standard deviation over the runs.
"""

import functools
import glob
import pathlib
import statistics
import sys

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import _timing as timing
from resizemix_jax import build, keys
from resizemix_jax.config_files import get_config, of_run
from resizemix_jax.mixing.cut_paste import cut_paste
from resizemix_jax.mixing.resizemix import resizemix
from resizemix_jax.normalize import normalize
from resizemix_jax.ranges import Choice
from resizemix_jax.run import network as networks
from resizemix_jax.run.network import Network

TAUS = '0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8'
CUTS = ('random', 'salient', 'non_salient')
KINDS = (*(f'cut, {source.replace("_", "-")}' for source in CUTS), 'resized')
MEASURES = {
    'alone': 'the patch alone is recognised',
    'label': "the patch's label is among the first two",
    'both': 'both labels are the first two',
}
BATCH = 250


def patched(kind, tau, key, images, saliency):
    """Every image with a patch of another one.

    Args:
        kind: one of KINDS.
        tau: the side scale.
        key: JAX key.
        images: float32 [B, H, W, C].
        saliency: float32 [B, H, W].

    Returns:
        mixed float32 [B, H, W, C]; mask bool [B, H, W, 1], where the patch is; source int32 [B], whose it is.
    """
    source = CUTS[KINDS.index(kind)] if kind != 'resized' else ''
    if source:
        op = functools.partial(cut_paste, source=source, tau=tau, per='sample', saliency=saliency)
    else:
        op = functools.partial(resizemix, tau=tau, per='sample')
    row = jnp.arange(len(images))
    mixed, _ = op(key, images, jax.nn.one_hot(row, len(images)))
    numbered = jnp.broadcast_to(row[:, None, None, None], images.shape).astype(images.dtype)
    found, weights = op(key, numbered, jax.nn.one_hot(row, len(images)))
    mask = (found != numbered)[..., :1]
    others = jnp.where(jnp.eye(len(images), dtype=bool), 0, weights)
    return mixed, mask, jnp.argmax(others, axis=-1)


def counts(model, network, heat, blank, kind, tau, key, images, label):
    """How often each measure holds in a batch, and of how many patches: two dicts of the names in MEASURES.

    Args:
        model, network: of `build.Plan`, and `Network`.
        heat: (images, label) -> the saliency maps, float32 [B, H, W].
        blank: a normalised pixel, float32 [C], of the empty image.
        kind, tau, key: of `patched`.
        images: normalised, float32 [B, H, W, C].
        label: int32 [B].
    """
    right = jnp.argmax(network.logits(model, images), axis=-1) == label
    mixed, mask, source = patched(kind, tau, key, images, heat(images, label))
    given = label[source]
    alone = jnp.argmax(network.logits(model, jnp.where(mask, mixed, blank)), axis=-1) == given
    first = jax.lax.top_k(network.logits(model, mixed), 2)[1]
    has = functools.partial(jnp.any, axis=-1)
    of_patch, of_target = has(first == given[:, None]), has(first == label[:, None])
    one = right[source] & mask.any(axis=(1, 2, 3))
    two = one & right & (label != given)
    held = dict(alone=alone & one, label=of_patch & two, both=of_patch & of_target & two)
    of = dict(alone=one, label=two, both=two)
    return tuple({name: jnp.sum(values[name]) for name in MEASURES} for values in (held, of))


def measure(run, taus, examples, background):
    """What one run recognises: kind -> tau -> name of a measure -> its share in [0, 1], or NaN.

    Args:
        run: its workdir; '' for an untrained network.
        taus: side scales of the patches.
        examples: of the test split, drawn without replacement.
        background: 'black' or 'mean'.
    """
    config = of_run(pathlib.Path(run)) if run else get_config('configs/quickstart.py:row=baseline')
    plan = build.plan(config)
    split = plan.dataset.read('eval', config.data_dir)
    network = restore(plan, run)
    chosen = np.random.default_rng(0).permutation(split.size)[: min(examples, split.size)]
    model, dataset = plan.task.model, plan.dataset

    def heat(images, label):
        return plan.task.heat(network, 'grad_cam', images, label)[0]

    black = normalize(jnp.zeros((1, 1, 1, split.images.shape[-1]), jnp.uint8), dataset.mean, dataset.std)
    blank = black if background == 'black' else jnp.zeros_like(black)
    shares, root = {}, jax.random.key(0)
    for kind in KINDS:
        shares[kind] = {}
        for place, tau in enumerate(taus):
            step = jax.jit(functools.partial(counts, model, network, heat, blank, kind, tau))
            held, of = dict.fromkeys(MEASURES, 0), dict.fromkeys(MEASURES, 0)
            for number, rows in enumerate(np.split(chosen, range(BATCH, len(chosen), BATCH))):
                key = jax.random.fold_in(jax.random.fold_in(root, place), number)
                images = normalize(jnp.asarray(split.images[rows]), dataset.mean, dataset.std)
                found = step(key, images, jnp.asarray(split.label[rows]))
                for total, part in zip((held, of), found, strict=True):
                    total |= {name: total[name] + int(part[name]) for name in MEASURES}
            shares[kind][tau] = {name: held[name] / of[name] if of[name] else np.nan for name in MEASURES}
    return shares


def restore(plan, run):
    """The best network of a run; an untrained one for ''."""
    if not run:
        variables = jax.jit(plan.task.init)(keys.stream(keys.root(plan.config.seed), 'init'))
        return Network(variables['params'], variables.get('batch_stats', {}), 0)
    network = networks.restore(plan, run)
    if network is None:
        sys.exit(f'{run} has no checkpoint')
    return network


def main(argv=None):
    smallest = dict(examples=20, taus='0.5')
    args = timing.arguments(
        __doc__, argv, smallest, runs='', taus=TAUS, examples=2000, background='black', picture=''
    )
    Choice('black', 'mean').check('--', background=args.background)
    runs = sorted(glob.glob(args.runs)) if args.runs else ['']
    if not runs:
        sys.exit(f'--runs={args.runs} matches no directory')
    taus = [float(tau) for tau in args.taus.split(',')]
    found = [measure(run, taus, args.examples, args.background) for run in runs]
    print(f'{len(runs)} runs{"" if args.runs else " (untrained)"}, {args.examples} test images of each')
    for name, words in MEASURES.items():
        print(f'\n{words}, %\n\n| area | {" | ".join(KINDS)} |\n|---|{"---|" * len(KINDS)}')
        for tau in taus:
            cells = [words_of([100 * run[kind][tau][name] for run in found]) for kind in KINDS]
            print(f'| {tau**2:.2f} | {" | ".join(cells)} |')
    if args.picture:
        draw(args.picture, taus, found)


def words_of(values):
    """The mean of the runs, with the standard deviation where there are several."""
    spread = f' ± {statistics.stdev(values):.1f}' if len(values) > 1 else ''
    return f'{statistics.fmean(values):.1f}{spread}'


def draw(path, taus, found):
    """A plot of every measure over the area, the mean of the runs, as a PNG file."""
    from matplotlib.figure import Figure

    from resizemix_jax.report.plots import COLOURS, MARKERS

    figure = Figure(figsize=(11, 3.4), layout='constrained')
    for axes, (name, words) in zip(
        figure.subplots(1, len(MEASURES), sharey=True), MEASURES.items(), strict=True
    ):
        for kind, colour, marker in zip(KINDS, COLOURS, MARKERS, strict=False):
            means = [statistics.fmean(100 * run[kind][tau][name] for run in found) for tau in taus]
            axes.plot([tau**2 for tau in taus], means, color=colour, marker=marker, label=kind)
        axes.set(title=words, xlabel="the patch's share of the pixels", ylim=(0, 100))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel('%')
    figure.axes[0].legend()
    figure.savefig(path, dpi=110)


if __name__ == '__main__':
    main()
