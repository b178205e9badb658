import pytest

from resizemix_jax import build, evaluate, perturbations, robustness
from resizemix_jax.errors import ConfigError
from tests import tiny


@pytest.mark.slow
def test_what_does_not_fit_is_refused_before_anything_is_read():
    half = perturbations.choose(['half'])
    plan = build.plan(tiny.config(half_eval='resize'))
    with pytest.raises(ConfigError, match="half_eval='resize'; leave it out, or evaluate with"):
        robustness.check(plan, half)
    robustness.check(plan, perturbations.choose(['occlusion']))
    plan = build.plan(tiny.config())
    with pytest.raises(ConfigError, match="fgsm: task='classify' has no gradient of its images"):
        robustness.check(plan._replace(task=object()), perturbations.choose(['fgsm']))
    two = plan.dataset._replace(buckets=plan.dataset.buckets * 2)
    with pytest.raises(ConfigError, match="one size, and dataset='fake' has others"):
        robustness.check(plan._replace(dataset=two), half)


@pytest.mark.slow
def test_scores_are_the_same_on_any_number_of_devices():
    chosen, found = perturbations.choose(['fgsm', 'occlusion', 'half', 'impulse_noise']), []
    for devices, batch in ((1, 37), (4, 8)):
        plan = build.plan(tiny.config(num_devices=devices, eval_batch_size=batch))
        robustness.check(plan, chosen)
        run = build.open_run(plan)
        step = robustness.make_step(plan, chosen)
        found.append(evaluate.count(step, plan, build.initial_state(run), run.eval))
    assert len([name for name in found[0][0] if name.endswith('/top1')]) == 3 + 9 + 2 + 5
    for name, value in found[0][0].items():
        # Where a gradient is nearly 0, another batch size may round it to the other sign.
        assert found[1][0][name] == pytest.approx(value, rel=1e-3 if name.startswith('fgsm') else 1e-5)
    sums, rows = robustness.of_condition('half_resize', *found[0])
    assert set(sums) == {'loss', 'top1', 'top5', 'examples'} and sums['examples'] == 37 and rows == {}


def test_the_mean_is_of_all_corruptions_or_none():
    corruptions = perturbations.choose(['corruptions'])
    values = {f'{name}_x': k / 70 for k, name in enumerate(n for one in corruptions for n in one.strengths)}
    assert len(values) == 70 and robustness.mean(values, 'x') == pytest.approx(34.5 / 70)
    values.pop('snow_3_x')
    assert robustness.mean(values, 'x') is None


def test_the_summary_has_a_line_for_each_perturbation():
    chosen = perturbations.choose(['fgsm', 'half'])
    values = {'best_x': 0.5, 'best_fgsm_2_x': 0.25, 'best_half_resize_x': 0.125, 'best_corruptions_x': 0.4}
    assert robustness.summary(values, 'x', chosen).splitlines() == [
        'best, x in %: 50.00',
        '    fgsm           2: 25.00',
        '    half           resize: 12.50',
        '    mean of all corruptions: 40.00',
    ]
    assert robustness.without(values, chosen) == {'best_x': 0.5}


@pytest.mark.slow
def test_a_network_of_one_size_is_not_shown_half_of_it():
    keywords = dict(patch=4, width=8, depth=1, heads=2)
    plan = build.plan(tiny.config(model='vit', **{f'model_args__{k}': v for k, v in keywords.items()}))
    with pytest.raises(ConfigError, match='--robustness=half: this vit has positions for 5 tokens'):
        robustness.check(plan, perturbations.choose(['half']))
