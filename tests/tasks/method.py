"""Configs of a method, for the tests of what the task makes of them."""

import ml_collections

from configs import quickstart

PUZZLE = {'mixing': 'puzzlemix', 'mixing_args': {}, 'saliency': 'input_gradient'}
CUT = {'mixing': 'cut_paste', 'mixing_args': {'source': 'salient'}, 'saliency': 'grad_cam'}
SALIENCYMIX = {'mixing': 'saliencymix', 'mixing_args': {'prob': 1.0}, 'saliency': 'fine_grained'}


def config(**values):
    made = quickstart.get_config()
    for key, value in values.items():
        made[key] = ml_collections.ConfigDict(value) if isinstance(value, dict) else value
    return made


def variables_of(variables):
    return variables['params'], variables['batch_stats']
