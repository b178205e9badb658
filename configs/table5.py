"""Table 5: object detection by transfer, SSD300 and Faster R-CNN on COCO and PASCAL VOC; mAP in %.

    python main.py --config=configs/table5.py --list
    python main.py --config=configs/table5.py:row=cutmix,model=ssd_voc,seed=0 --workdir=DIR \\
        --config.dataset=voc:/path/VOCdevkit --config.init=RUN

Arguments: row (see --list), model ssd_coco | frcnn_coco | ssd_voc | frcnn_voc, recipe paper | released, scale
paper | small, seed.
A row is the classifier that the backbone comes from: --config.init is its run of Table 4, ResNet-50 (the
paper's top-1 on ImageNet: 76.1, 78.6 and 79.0). The paper names MMDetection and its settings; what it leaves
open, above all how the ResNet stands in SSD, is said in `resizemix_jax/recipes.py` and `detectors/ssd300.py`.
On COCO the measure is mAP at overlaps of .5 to .95, on VOC that of 2007 at .5.
"""

from resizemix_jax.tables import Column, Row, Table

COLUMNS = (
    Column('ssd_coco', 'ssd300_coco'),
    Column('frcnn_coco', 'faster_rcnn_coco'),
    Column('ssd_voc', 'ssd300_voc'),
    Column('frcnn_voc', 'faster_rcnn_voc'),
)


def _row(name, title, *numbers):
    paper = {column.name: number for column, number in zip(COLUMNS, numbers, strict=True)}
    # The path of that run takes this place, see Row.needs; without one there is nothing to start from.
    keys = dict(init=f'RUN_OF_TABLE4_{name}', init_scope='backbone')
    return Row(name, title, keys, paper, needs=(('table4', name, 'init'),))


TABLE = Table(
    name='table5',
    doc=__doc__,
    columns=COLUMNS,
    rows=(
        _row('baseline', 'Baseline', 25.1, 38.1, 75.6, 81.0),
        _row('cutmix', 'CutMix', 24.9, 38.2, 76.1, 81.9),
        _row('resizemix', 'ResizeMix', 25.5, 38.4, 77.3, 82.0),
    ),
)

get_config = TABLE.get_config
