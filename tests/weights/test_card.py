import json

from resizemix_jax.weights import card

FACTS = {
    'model': 'resnet', 'mixing': 'none', 'row': '', 'table': '', 'column': '', 'recipe': 'paper',
    'scale': 'paper', 'dataset': 'folder', 'num_classes': '2', 'image_shape': '[4, 6, 3]', 'mean': '[0.5]',
    'std': '[0.25]', 'half_eval': 'full', 'epochs': '3', 'seed': '7', 'step': '9', 'versions': '{"jax": "1"}',
    'commit': 'abc', 'model_args': '{"depth": 14}', 'classes': json.dumps(['cat', 'dog']),
}  # fmt: skip


def test_it_has_the_facts():
    text = card.text(FACTS, 'torchvision and timm', ['top1: 50.00 %', 'the paper: 60.00 %'])
    for part in (
        'tags: [image-classification, resnet, none]', '- top1: 50.00 %\n- the paper: 60.00 %\n',
        '`resnet`: depth=14', 'those of torchvision and timm', 'uint8, 4 x 6 x 3', 'mixing `none`', 'seed 7',
        'np.zeros((2, 4, 6, 3), np.uint8)', 'jax 1; commit abc', '\n## Classes\n\ncat, dog\n',
    ):  # fmt: skip
        assert part in text


def test_the_row_of_a_table_is_named():
    cell = {'row': 'resizemix', 'table': 'table3', 'column': 'wrn', 'classes': '[]'}
    text = card.text(FACTS | cell | {'half_eval': 'resize'}, '', [])
    assert 'row `resizemix` of `table3`, column `wrn`' in text and 'Classes' not in text
    assert "at half the resolution, half_eval='resize'" in text
