"""The laws of the corruptions once more, for one image, by NumPy, SciPy and Pillow, with given draws.

Each takes an image float64 [H, W, C] in [0, 1] and gives the result before it is rounded down to levels.
"""

import io

import numpy as np
import scipy.ndimage
from PIL import Image


def blur(x, sigma):
    return scipy.ndimage.gaussian_filter(x, (sigma, sigma, 0), mode='nearest', truncate=4.0)


def zoom(x, factor):
    """The middle enlarged; square images."""
    size = len(x)
    kept = int(np.ceil(size / factor))
    first = (size - kept) // 2
    middle = x[first : first + kept, first : first + kept]
    longer = scipy.ndimage.zoom(middle, (factor, factor, 1), order=1)
    start = (len(longer) - size) // 2
    return longer[start : start + size, start : start + size]


def zoom_blur(x, factors):
    return (x + sum(zoom(x, factor) for factor in factors)) / (len(factors) + 1)


def sweep(x, moves, reach):
    """A sweep of the glass blur, pixel by pixel; moves [2, H, W]."""
    x = x.copy()
    height, width, _ = x.shape
    for row in range(height - reach, reach, -1):
        for column in range(width - reach, reach, -1):
            down, across = moves[:, row, column]
            x[row, column] = x[row + down, column + across]
    return x


def motion(x, degrees, radius, sigma):
    angle, total, weights = np.radians(degrees), 0.0, []
    padded = np.pad(x, ((60, 60), (60, 60), (0, 0)), 'edge')
    for i in range(2 * radius + 1):
        weights.append(np.exp(-(i**2) / (2 * sigma**2)))
        y, x0 = (60 + int(np.ceil(i * f(angle) - 0.5)) for f in (np.sin, np.cos))
        total = total + weights[-1] * padded[y : y + x.shape[0], x0 : x0 + x.shape[1]]
    return total / sum(weights)


def snow(x, numbers, draws, degrees):
    """draws: normal [H, W], of a square image."""
    mean, scale, factor, least, radius, sigma, kept = numbers
    layer = zoom((mean + scale * draws)[..., None], factor)
    layer = np.floor(np.clip(np.where(layer < least, 0, layer), 0, 1) * 255) / 255
    layer = np.round(255 * motion(layer, degrees, radius, sigma)) / 255
    luma = x @ [[0.299], [0.587], [0.114]]
    x = kept * x + (1 - kept) * np.maximum(x, 1.5 * luma + 0.5)
    return x + layer + np.rot90(layer, 2)


def elastic(x, amount, sigma, points, moved, draws):
    """points and moved: [3, 2], (x, y); draws: uniform [H, W, 2], down and across."""
    height, width, channels = x.shape
    grid = np.mgrid[:height, :width].astype(float)
    plane = np.stack([grid[1], grid[0], np.ones((height, width))], axis=-1)
    back = plane @ np.linalg.solve(np.c_[moved, np.ones(3)], points)
    take = scipy.ndimage.map_coordinates
    x = np.stack(
        [take(x[..., k], (back[..., 1], back[..., 0]), order=1, mode='mirror') for k in range(channels)], -1
    )
    field = [
        amount * scipy.ndimage.gaussian_filter(draws[..., k], sigma, mode='reflect', truncate=3)
        for k in (0, 1)
    ]
    return np.stack([take(x[..., k], grid + field, order=1, mode='reflect') for k in range(channels)], -1)


def plasma(size, decay, draws):
    """Cell by cell; draws: count -> uniform [3, count, count] of the middles, upper and left edges."""
    made, step, amplitude = {(0, 0): 0.0}, size, 100.0**2
    while step > 1:
        half, noise = step // 2, amplitude * draws(size // step)
        cells = [(y, x) for y in range(0, size, step) for x in range(0, size, step)]
        offsets = (half, half), (0, half), (half, 0)
        for kind, (down, across) in enumerate(offsets):
            for y, x in cells:
                y1, x1 = y + down, x + across
                signs = (
                    [(-1, -1), (-1, 1), (1, -1), (1, 1)] if not kind else [(-1, 0), (1, 0), (0, -1), (0, 1)]
                )
                around = [made[(y1 + i * half) % size, (x1 + j * half) % size] for i, j in signs]
                made[y1, x1] = sum(around) / 4 + noise[kind, y // step, x // step]
        step, amplitude = half, amplitude / decay**2
    made = np.array([[made[y, x] for x in range(size)] for y in range(size)])
    return (made - made.min()) / (made.max() - made.min())


def pixelate(x, share):
    image = Image.fromarray(np.uint8(np.round(255 * x)))
    small = image.resize((int(image.width * share), int(image.height * share)), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BOX)) / 255


def jpeg(x, quality):
    levels = np.uint8(np.round(255 * x))
    buffer = io.BytesIO()
    Image.fromarray(levels[..., 0] if x.shape[2] == 1 else levels).save(buffer, 'JPEG', quality=quality)
    return np.asarray(Image.open(buffer)).reshape(x.shape) / 255


def defocus(x, radius, alias):
    """By OpenCV, which the public code uses."""
    import cv2

    reach = max(8, radius)
    offsets = np.arange(-reach, reach + 1)
    disk = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.float32)
    taps = (3, 3) if radius <= 8 else (5, 5)
    kernel = cv2.GaussianBlur(disk / disk.sum(), ksize=taps, sigmaX=alias)
    return np.stack([cv2.filter2D(x[..., k], -1, kernel) for k in range(x.shape[2])], axis=2)
