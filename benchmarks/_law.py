"""The law of a label weight, from the labels and pixels of many mixed batches; NumPy alone.

`benchmarks.laws` reads this project's ops with it, and tests/reference/make_laws.py the public code, so that
both are read in the same way.
"""

from typing import NamedTuple

import numpy as np

BATCH = 8  # images of a batch
# CIFAR-10's, by which the generated pictures are normalised.
MEAN, STD = (125.3 / 255, 123.0 / 255, 113.9 / 255), (63.0 / 255, 62.1 / 255, 66.7 / 255)
PERCENT = (5, 25, 50, 75, 95)
POINTS = 51  # at which a distribution function is kept
NOISE = 1.95  # Kolmogorov-Smirnov: beyond NOISE sqrt(1/n + 1/m) once in 1,000 pairs of samples of one law
EQUAL = 1e-6  # weights that differ by less are the same, in float32


class Law(NamedTuple):
    """What a method's label weights are, as far as a sample shows.

    Attributes:
        pasted: float64 [n], sorted: the source's label weight where something was pasted.
        nothing: the chance that nothing is.
        error: standard error of the mean.
        draws: the number of independent draws that tells as much.
        gap: (mean, largest) absolute difference of a label weight and the share of the pixels, or None.
    """

    pasted: np.ndarray
    nothing: float
    error: float
    draws: int
    gap: tuple | None

    @property
    def mean(self):
        """E[lam], with 0 where nothing is pasted."""
        return (1 - self.nothing) * self.pasted.mean() if len(self.pasted) else 0.0

    @property
    def deviation(self):
        """The standard deviation of lam."""
        if not len(self.pasted):
            return 0.0
        return max((1 - self.nothing) * np.mean(self.pasted**2) - self.mean**2, 0.0) ** 0.5

    def below(self, at):
        """The distribution function at the values `at`: P(lam <= at)."""
        count = np.searchsorted(self.pasted, np.asarray(at) + EQUAL, side='right')
        return self.nothing + (1 - self.nothing) * count / max(len(self.pasted), 1)

    def quantiles(self, percent=PERCENT):
        """The smallest lam whose distribution function reaches each of `percent`."""
        wanted = (np.asarray(percent) / 100 - self.nothing) / max(1 - self.nothing, EQUAL)
        index = np.ceil(wanted * len(self.pasted)).astype(int) - 1
        if not len(self.pasted):
            return np.zeros(len(index))
        return np.where(wanted <= 0, 0.0, self.pasted[np.clip(index, 0, len(self.pasted) - 1)])

    def points(self):
        """Up to POINTS values of lam that divide the law evenly, for `below`."""
        values = self.quantiles(np.linspace(0, 100, POINTS)[1:])
        return np.unique(np.append(0.0, values).round(6))

    def numbers(self):
        """The law as a dict of plain numbers."""
        return {
            'mean': round(float(self.mean), 5),
            'error': round(float(self.error), 5),
            'deviation': round(float(self.deviation), 4),
            'quantiles': [round(float(value), 4) for value in self.quantiles()],
            'nothing': round(float(self.nothing), 4),
            'gap': self.gap and [float(f'{value:.2g}') for value in self.gap],
            'draws': self.draws,
        }


def read(labels, shares=None, weights=None, alone=True):
    """The law of the source's label weight in mixed batches.

    The batch has B images, B classes and one-hot labels: image i is of class i. If no label ever changes, the
    share of the pixels that is gone takes the place of the weight.

    Args:
        labels: [N, B, B], the labels of the rows of N batches.
        shares: [N, B, B], the share of the pixels of row i that are of image j, or None if not known.
        weights: [N, B], if the weight to be read is another than 1 - the label's own class.
        alone: whether an image can be its own partner, as in a uniform permutation; its row shows no weight.

    Returns:
        `Law`. If all changed rows of every batch have one weight, a draw is a batch, else a row.
    """
    labels = np.asarray(labels, np.float64)
    own = np.eye(labels.shape[1], dtype=bool)
    unmixed = (abs(labels - own) < EQUAL).all()
    if weights is None:
        weights = 1 - (np.asarray(shares, np.float64).sum(-1) if unmixed else labels[:, own])
    changed = weights > EQUAL
    gap = None
    if shares is not None and not unmixed:
        apart = abs(labels - shares).max(-1)[changed]
        gap = (apart.mean(), apart.max())
    highest, lowest = weights.max(1), np.where(changed, weights, np.inf).min(1)
    if changed.any() and (lowest >= highest - 2 * EQUAL)[changed.any(1)].all():  # drawn once a batch
        pasted = highest[changed.any(1)]
        return Law(np.sort(pasted), 1 - changed.any(1).mean(), _error(highest[:, None]), len(highest), gap)
    made = Law(np.sort(weights[changed]), 1 - changed.mean(), _error(weights), weights.size, gap)
    if alone and not unmixed:
        # Images that have a weight in another row are not their own partners.
        made = _without_own_partners(made, weights, changed, (labels * ~own > EQUAL).any(1))
    draws = made.deviation**2 / made.error**2 if made.error else made.draws
    return made._replace(draws=int(np.clip(draws, 1, made.draws)))


def _error(rows):
    """The standard error of the mean of [N, B] numbers, of which only the N batches are independent."""
    return rows.mean(1).std() / len(rows) ** 0.5


def _without_own_partners(made, weights, changed, shown):
    """A law whose rows are all, made that of the images that are not their own partners.

    One image in B is on average, so those that are unchanged beyond that got nothing. Among the `shown` that
    is known of each; if rows are independent, it is the same share with less noise.
    """
    batch = changed.shape[1]
    rest = batch / (batch - 1)
    nothing, noise = max(1 - changed.mean() * rest, 0.0), _error(changed) * rest
    known = (~changed & shown).sum() / max(changed.sum(), 1)
    middle = made.pasted.mean()
    error = _error(np.where(changed, weights - middle, 0)) / changed.mean()
    independent = error**2 < 2 * made.pasted.var() / changed.sum() and abs(known - nothing) < 4 * noise
    if known and not independent:
        return made._replace(nothing=nothing, error=made.error * rest)
    error = np.hypot((1 - known) * error, middle * (known * (1 - known) / changed.sum()) ** 0.5)
    return made._replace(nothing=known, error=error)


def corner_cell(borders, once):
    """The share of the cell at the upper left corner, where 2 x 2 cells show images: float64 [N, B].

    Two cells that show one image look like one, so a side is the shorter of those that two borders show.

    Args:
        borders: [N, 4, B, side], the image that each pixel shows along the top, bottom, left and right.
        once: whether the cells are drawn once a batch. Then some row shows them apart.
    """
    change = borders != borders[..., :1]
    first = np.where(change.any(-1), change.argmax(-1), borders.shape[-1])
    cells = first[:, :2].min(1) * first[:, 2:].min(1) / borders.shape[-1] ** 2
    return np.broadcast_to(cells.min(1, keepdims=True), cells.shape) if once else cells


def distance(law, at, below, draws):
    """(largest difference of the distribution functions at the values `at`, what noise alone may give)."""
    apart = abs(law.below(at) - np.asarray(below)).max()
    return float(apart), NOISE * (1 / law.draws + 1 / draws) ** 0.5


def pictures(count, side, seed=0):
    """Generated pictures: float32 [count, side, side, 3] in whole 255ths of [0, 1].

    Three soft spots of random colours, places and sizes, one of them with fine detail, on a plain ground. The
    stream of RandomState is fixed for all versions of NumPy.
    """
    rng = np.random.RandomState(seed)
    at = (np.arange(side) + 0.5) / side
    made = np.empty((count, side, side, 3))
    for picture in made:
        picture[:] = rng.uniform(0.2, 0.8, 3)
        for detail in (0.0, 0.0, 0.25):
            y, x, width = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), rng.uniform(0.05, 0.25)
            spot = np.exp(-((at[:, None] - y) ** 2 + (at - x) ** 2) / (2 * width**2))[..., None]
            colour = rng.uniform(0, 1, 3) + detail * rng.standard_normal((side, side, 3))
            picture += spot * (colour - picture)
    return (np.round(255 * np.clip(made, 0, 1)) / 255).astype(np.float32)


def teacher_matrix(side, classes=BATCH):
    """Of a linear teacher that sees the mean of every row and channel: float32 [3 side, classes]."""
    return (20 * np.random.RandomState(1).standard_normal((3 * side, classes)) / side**0.5).astype(np.float32)
