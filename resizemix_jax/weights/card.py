"""The model card: README.md beside exported weights, ready for a model hub."""

import json

_TEXT = """---
library_name: jax
tags: [{tags}]
---

# {model}, trained with {title}

{scores}

| | |
|---|---|
| network | `{model}`: {model_args} |
| names of the tensors | those of {source} |
| data | {dataset}, {num_classes} classes |
| images | uint8, {height} x {width} x {channels}; divided by 255, mean {mean}, std {std}{half} |
| method | {cell} |
| training | {epochs} epochs, seed {seed}; the checkpoint of step {step} |
| made with | {versions}; commit {commit} |

## Use

In JAX, with preprocessing inside; nothing but jax and flatbuffers is needed:

```python
import jax, numpy as np

program = jax.export.deserialize(bytearray(open('model.stablehlo', 'rb').read()))
images = np.zeros((2, {height}, {width}, {channels}), np.uint8)
probabilities = program.call(images)  # float32 [2, {num_classes}]
```

In torch, with the class of that code as `network` (some take images of one size only, or in colour only):

```python
import torch

images = torch.zeros(2, {height}, {width}, {channels}, dtype=torch.uint8)
images = (images / 255 - torch.tensor({mean})) / torch.tensor({std})  # [B, H, W, C]
network.load_state_dict(torch.load('model.pth', weights_only=True))
probabilities = network.eval()(images.permute(0, 3, 1, 2).float()).softmax(1)
```

To train on from it with resizemix-jax: `--config.init=model.safetensors`.
{names}"""


def text(facts, source, words):
    """The card.

    Args:
        facts: name -> text, as `export.metadata` has it.
        source: whose names the tensors have.
        words: lines of the scores, and of the paper's number beside them.
    """
    args, versions, classes = (json.loads(facts[name]) for name in ('model_args', 'versions', 'classes'))
    height, width, channels = json.loads(facts['image_shape'])
    return _TEXT.format_map(
        facts
        | {
            'tags': ', '.join(['image-classification', facts['model'], facts['mixing']]),
            'title': facts['row'] or facts['mixing'],
            'scores': '\n'.join(f'- {word}' for word in words),
            'model_args': ', '.join(f'{name}={value!r}' for name, value in args.items()),
            'source': source,
            'cell': _cell(facts),
            'height': height,
            'width': width,
            'channels': channels,
            'versions': ', '.join(f'{name} {version}' for name, version in versions.items()),
            'half': _half(facts['half_eval']),
            'names': '\n## Classes\n\n' + ', '.join(classes) + '\n' if classes else '',
        }
    )


def _half(method):
    """What happens to the images after the division, in words."""
    return '' if method == 'full' else f"; at half the resolution, half_eval='{method}'"


def _cell(facts):
    """The cell of its table that a run is, in words."""
    if not facts['row']:
        return f'mixing `{facts["mixing"]}`'
    return 'row `{row}` of `{table}`, column `{column}`, recipe `{recipe}`, scale `{scale}`'.format(**facts)
