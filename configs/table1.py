"""Table 1: does saliency matter for mixing? CIFAR-100, WRN-28-10, top-1 test accuracy in %.

    python main.py --config=configs/table1.py:row=salient_to_random,seed=0 --workdir=DIR

Arguments: row (see --list), recipe paper | released, scale paper | small, seed.
The rows are where the patch is cut from (the source) and where it is pasted (on the target). Rows (5) and (8)
of the paper are the same experiment, and one row here. What the paper leaves open: the sizes are ResizeMix's,
so that row (9) differs from row (5) only in resizing instead of cutting; the map is Grad-CAM on the current
network, of the predicted class, as in what is left of it in the released code.
"""

from resizemix_jax import recipes
from resizemix_jax import tables as common
from resizemix_jax.recipes import WRN

COLUMN = 'model'
COLUMNS = (WRN,)


def _cut(number, source, paste, top1):
    title = f'{number} Cut: {source} to {paste}'.replace('_', '-')
    row = dict(row=f'{source}_to_{paste}', title=title, paper={WRN: top1}, mixing='cut_paste',
               mixing_args=recipes.cut_paste_args(source, paste))  # fmt: skip
    guided = {'salient', 'non_salient'} & {source, paste}
    return row | (recipes.grad_cam() if guided else {})


ROWS = (
    dict(row='baseline', title='(1) Baseline', paper={WRN: 81.20}, mixing='none', mixing_args={}),
    dict(row='cutmix', title='(2) CutMix', paper={WRN: 83.40}, mixing='cutmix',
         mixing_args=recipes.cutmix_args(prob=0.5)),
    _cut('(3)', 'random', 'non_salient', 83.93),
    _cut('(4)', 'random', 'salient', 83.97),
    _cut('(5), (8)', 'random', 'random', 84.14),
    _cut('(6)', 'non_salient', 'random', 83.93),
    _cut('(7)', 'salient', 'random', 84.07),
    dict(row='resizemix', title='(9) ResizeMix', paper={WRN: 84.31}, mixing='resizemix',
         mixing_args=recipes.resizemix_args()),
)  # fmt: skip


def get_config(arg=''):
    return common.table('table1', ROWS, COLUMNS, arg, dataset='cifar100')
