"""Table 1: does saliency matter for mixing? CIFAR-100, WRN-28-10, top-1 test accuracy in %.

    python main.py --config=configs/table1.py:row=salient_to_random,seed=0 --workdir=DIR

Arguments: row (see --list), recipe paper | released, scale paper | small, seed.
The rows are where the patch is cut from (the source) and where it is pasted (on the target). Rows (5) and (8)
of the paper are the same experiment, and one row here. What the paper leaves open: the sizes are ResizeMix's,
so that row (9) differs from row (5) only in resizing instead of cutting; the map is Grad-CAM on the current
network, of the predicted class, as in what is left of it in the released code.
"""

from resizemix_jax import recipes
from resizemix_jax.recipes import WRN
from resizemix_jax.tables import Column, Row, Table


def _cut(number, source, paste, top1):
    title = f'{number} Cut: {source} to {paste}'.replace('_', '-')
    guided = {'salient', 'non_salient'} & {source, paste}
    keys = recipes.cut_paste(source, paste) | (recipes.grad_cam() if guided else {})
    return Row(f'{source}_to_{paste}', title, keys, {WRN: top1})


TABLE = Table(
    name='table1',
    doc=__doc__,
    columns=(Column(WRN, WRN),),
    keys=dict(dataset='cifar100'),
    rows=(
        Row('baseline', '(1) Baseline', paper={WRN: 81.20}),
        Row('cutmix', '(2) CutMix', recipes.cutmix(prob=0.5), {WRN: 83.40}),
        _cut('(3)', 'random', 'non_salient', 83.93),
        _cut('(4)', 'random', 'salient', 83.97),
        _cut('(5), (8)', 'random', 'random', 84.14),
        _cut('(6)', 'non_salient', 'random', 83.93),
        _cut('(7)', 'salient', 'random', 84.07),
        Row('resizemix', '(9) ResizeMix', recipes.resizemix(), {WRN: 84.31}),
    ),
)

get_config = TABLE.get_config
