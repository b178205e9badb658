"""An oracle of Puzzle Mix: the energy of masks in the terms of the public code, and problems for it."""

import numpy as np

HEIGHT, WIDTH = 16, 12
NUMBERS = dict(beta=1.2, gamma=0.5, eta=0.2, n_labels=3, neigh=4)


def pool(values, rows, cols):
    """Means over rows x cols pixels of [H, W, ...]."""
    height, width = values.shape[:2]
    return values.reshape(height // rows, rows, width // cols, cols, *values.shape[2:]).mean(axis=(1, 3))


def meeting(upper, lower, side):
    """N(upper, lower): the mean difference across each border between two rows of blocks, [b - 1, b]."""
    step, across = len(upper) // side, upper.shape[1] // side
    found = np.empty((side - 1, side))
    for i, j in np.ndindex(side - 1, side):
        columns = slice(j * across, (j + 1) * across)
        found[i, j] = abs(upper[(i + 1) * step - 1, columns] - lower[(i + 1) * step, columns]).mean()
    return found


def energies(masks, own, other, s_own, s_other, lam, side, *, beta, gamma, eta, n_labels, neigh):
    """Of masks [M, b, b], as the public code has them, in float64: [M]. lam is the target's share too."""
    smooth = beta / (16 * side)
    rows, cols = (next(n for n in range(neigh, 0, -1) if size // side % n == 0) for size in own.shape[:2])
    pooled = [pool(other, rows, cols), pool(own, rows, cols)]
    q = 1 - lam
    prior = {
        2: (lam, q),
        3: (lam**2, 2 * lam * q, q**2),
        4: (lam**3, 3 * lam**2 * q, 3 * lam * q**2, q**3),
    }[n_labels]
    zero, one = s_own.copy(), s_other.copy()  # what a mask of 0 and of 1 costs
    total = np.zeros(len(masks))
    for turned in (False, True):
        a = [p.swapaxes(0, 1) for p in pooled] if turned else pooled
        d = {(i, j): smooth * gamma * meeting(a[i], a[j], side) for i in (0, 1) for j in (0, 1)}
        z, w, m = (x.swapaxes(-1, -2) if turned else x for x in (zero, one, masks))
        w[:-1] += (d[1, 0] + d[1, 1]) / 2
        z[:-1] += (d[0, 1] + d[0, 0]) / 2
        w[1:] += (d[0, 1] + d[1, 1]) / 2
        z[1:] += (d[1, 0] + d[0, 0]) / 2
        weight = np.maximum((d[1, 0] + d[0, 1] - d[1, 1] - d[0, 0]) / 2 + smooth, 0)
        total += (weight * np.diff(m, axis=1) ** 2).sum(axis=(1, 2))
    label = np.rint((1 - masks) * (n_labels - 1)).astype(int)
    priors = -eta * np.log(prior)[label] / side**2
    return total + (masks * one + (1 - masks) * zero + priors).sum(axis=(1, 2))


def problem(seed, size=16):
    """Coarse pictures and maps, in which neighbouring blocks differ, and partners."""
    rng = np.random.default_rng(seed)
    pixels = pool(rng.random((HEIGHT, WIDTH, size, 3)), 2, 2).repeat(2, 0).repeat(2, 1)
    maps = rng.random((HEIGHT // 4, WIDTH // 3, size)).repeat(4, 0).repeat(3, 1) ** 2
    return (
        np.float32(pixels.transpose(2, 0, 1, 3)),
        np.float32(maps.transpose(2, 0, 1)),
        np.roll(np.arange(size), 1),
    )
