"""Fine-grained saliency against OpenCV's own maps, and against its law in NumPy."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.saliency import fine_grained as module

# Images, and their maps by opencv-contrib-python-headless 5.0.0.93 on x86-64: for images in RGB,
# round(255 * cv2.saliency.StaticSaliencyFineGrained_create().computeSaliency(image[..., ::-1])[1]).
# On 77 more images, photographs and noise of 2 x 2 to 256 x 256 pixels, no pixel differed either.
GOLDEN = pathlib.Path(__file__).parents[1] / 'golden' / 'fine_grained.npz'
fine_grained = jax.jit(module.fine_grained)


@pytest.mark.parametrize('name', ['cat', 'rocket', 'gray', 'noise'])
def test_maps_equal_those_of_opencv(name):
    with np.load(GOLDEN) as golden:
        image, expected = golden[name], golden[f'{name}_map']
    maps = fine_grained(image[None])
    assert maps.dtype == jnp.float32 and expected.max() == 255
    np.testing.assert_array_equal(maps[0], expected)


def smoothed(gray):
    wide = np.pad(gray, 1, mode='reflect')
    weights = np.outer([1, 2, 1], [1, 2, 1])
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3))
    return np.floor((windows * weights).sum(axis=(2, 3)) / 16 + 0.5).astype(int)


def oracle(image):
    """The law, pixel by pixel."""
    weights = np.array([9798, 19235, 3735]) / 2**15 if image.shape[-1] == 3 else np.array([1])
    gray = smoothed(smoothed(np.floor((image * weights).sum(-1) + 0.5).astype(int)))
    height, width = gray.shape
    parts = np.zeros((2, height, width))
    for y, x in np.ndindex(height, width):
        for n in (12, 24, 48, 28, 56, 112):
            window = gray[max(y - n + 1, 0) : y + n + 1, max(x - n + 1, 0) : x + n + 1]
            mean = (window.sum() - gray[y, x]) / max(window.size - 1, 1)
            parts[0, y, x] += np.floor(max(gray[y, x] - mean, 0) + 1e-9)
            parts[1, y, x] += np.floor(max(mean - gray[y, x], 0) + 1e-9)
    return sum(np.floor(255 * part / max(part.max(), 1) + 1e-9) for part in parts)


@pytest.mark.parametrize('shape', [(20, 33, 3), (30, 17, 1), (5, 3, 3), (2, 2, 1)])
def test_the_map_is_its_law(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    image[:, : shape[1] // 2] //= 8
    np.testing.assert_array_equal(fine_grained(image[None])[0], oracle(image))


def test_images_of_a_batch_are_independent():
    images = np.random.default_rng(2).integers(0, 256, (3, 15, 19, 3), np.uint8)
    images[1] //= 4
    alone = [fine_grained(image[None])[0] for image in images]
    np.testing.assert_array_equal(fine_grained(images), alone)


def test_an_image_without_contrast_has_an_empty_map():
    for shape in ((2, 15, 19, 3), (1, 1, 1, 1)):
        np.testing.assert_array_equal(fine_grained(np.full(shape, 200, np.uint8)), 0)


@pytest.mark.parametrize(
    ('shape', 'dtype', 'got'),
    [
        ((2, 4, 4, 3), jnp.float32, r'float32\[2, 4, 4, 3\]'),
        ((2, 4, 4, 2), jnp.uint8, r'uint8\[2, 4, 4, 2\]'),
        ((4, 4, 3), jnp.uint8, r'uint8\[4, 4, 3\]'),
    ],
)
@pytest.mark.slow
def test_other_images_are_refused(shape, dtype, got):
    with pytest.raises(
        ValueError, match=rf'images must be uint8 \[B, H, W, 1 or 3\]; got {got}.*denormalize'
    ):
        module.fine_grained(jnp.zeros(shape, dtype))
