"""JPEGs with the dimensions and file sizes of ImageNet's, made of the photographs in docs/photos."""

import pathlib

import cv2
import numpy as np

PHOTOS = pathlib.Path(__file__).parents[1] / 'docs' / 'photos'
# Width, height, and how many of 20 pictures have them.
SIZES = (
    ((500, 375), 10),
    ((375, 500), 4),
    ((500, 333), 3),
    ((333, 500), 1),
    ((640, 480), 1),
    ((1024, 768), 1),
)


def make(count):
    """`count` encoded pictures of those sizes: parts of the photographs, enlarged, with camera-like noise."""
    rng = np.random.default_rng(0)
    photos = [cv2.imread(str(path)) for path in sorted(PHOTOS.glob('*.jpg'))]
    sizes = [size for size, often in SIZES for _ in range(often)]
    made = []
    for i in range(count):
        width, height = sizes[i % len(sizes)]
        side = int(rng.uniform(130, 256))
        y, x = rng.integers(256 - side + 1, size=2)
        part = photos[i % len(photos)][y : y + side, x : x + side]
        image = cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        image += 24 * cv2.GaussianBlur(rng.normal(size=image.shape).astype(np.float32), (0, 0), 0.7)
        image = np.clip(image, 0, 255).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(90, 97))]
        made.append(cv2.imencode('.jpg', image, quality)[1].tobytes())
    return made
