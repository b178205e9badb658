"""tf.data for benchmarks/input.py, run by a Python that has TensorFlow and perhaps nothing else.

Reads names from standard input; for each, runs it on all JPEGs in one thread and prints
its processor seconds.
"""

import os
import pickle
import sys
import time

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''

import tensorflow as tf  # noqa: E402


def decode(data):
    return tf.reduce_max(tf.io.decode_jpeg(data, channels=3))


def decode_and_crop(data):
    """TensorFlow's usual crop of ImageNet: decodes the window alone; bilinear, without antialiasing."""
    begin, size, _ = tf.image.sample_distorted_bounding_box(
        tf.io.extract_jpeg_shape(data), tf.zeros((0, 0, 4)), area_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3), max_attempts=10, use_image_if_no_bounding_boxes=True,
    )  # fmt: skip
    window = tf.stack([begin[0], begin[1], size[0], size[1]])
    image = tf.image.decode_and_crop_jpeg(data, window, channels=3)
    return tf.cast(tf.image.random_flip_left_right(tf.image.resize(image, (224, 224))), tf.uint8)


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with open(sys.argv[1], 'rb') as file:
        jpegs = pickle.load(file)
    sets = {
        name: tf.data.Dataset.from_tensor_slices(jpegs).map(function).batch(32)
        for name, function in (('decode', decode), ('decode+crop', decode_and_crop))
    }
    for line in sys.stdin:
        start = time.process_time()
        for _ in sets[line.strip()]:
            pass
        print(time.process_time() - start, flush=True)


if __name__ == '__main__':
    main()
