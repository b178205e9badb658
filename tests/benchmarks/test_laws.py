"""docs/laws.md: the reading of laws from mixed batches, and that the page's numbers are those of the ops."""

import numpy as np
import pytest

from benchmarks import _law as law
from benchmarks import _laws_page as page
from benchmarks import laws

RECORDS, PUBLIC = laws.read(laws.RECORDS), laws.read_public()


def mixed_labels(partner, weight):
    """The labels [N, B, B] of rows whose partners [N, B] have the weights [N, B]."""
    one = np.eye(partner.shape[1])
    return (1 - weight[..., None]) * one + weight[..., None] * one[partner]


def permutations(count, batch, rng):
    return np.stack([rng.permutation(batch) for _ in range(count)])


def test_a_weight_drawn_once_a_batch_is_read_from_batches():
    rng = np.random.default_rng(0)
    weight = np.repeat(rng.uniform(size=(500, 1)), 8, axis=1) * (rng.uniform(size=(500, 1)) < 0.7)
    labels = mixed_labels(permutations(500, 8, rng), weight)
    found = law.read(labels, labels)
    np.testing.assert_allclose(found.mean, weight[:, 0].mean())
    np.testing.assert_allclose(found.deviation, weight[:, 0].std())
    np.testing.assert_allclose(found.error, weight[:, 0].std() / 500**0.5)
    assert found.nothing == pytest.approx((weight[:, 0] == 0).mean())
    assert found.draws == 500 and found.gap == (0, 0)
    np.testing.assert_array_equal(
        found.quantiles(), np.quantile(weight[:, 0], [0.05, 0.25, 0.5, 0.75, 0.95], method='inverted_cdf')
    )


@pytest.mark.parametrize('never', (0.0, 0.3))
def test_images_that_are_their_own_partners_are_not_taken_for_unmixed_ones(never):
    rng = np.random.default_rng(0)
    weight = rng.beta(2, 2, size=(4000, 8)) * (rng.uniform(size=(4000, 8)) >= never)
    found = law.read(mixed_labels(permutations(4000, 8, rng), weight))
    assert abs(found.nothing - never) < 0.01 and abs(found.mean - (1 - never) / 2) < 0.01
    assert 20_000 < found.draws <= 32_000 and found.gap is None
    assert 0.8 < found.error * 28_000**0.5 / found.deviation < 1.3


def test_rows_that_are_unmixed_together_are_not_taken_for_their_own_partners():
    rng = np.random.default_rng(0)
    weight = rng.beta(2, 2, size=(4000, 8)) * (rng.uniform(size=(4000, 1)) >= 0.2)
    found = law.read(mixed_labels(permutations(4000, 8, rng), weight * (rng.uniform(size=(4000, 8)) < 0.9)))
    assert abs(found.nothing - 0.28) < 0.02 and abs(found.mean - 0.36) < 0.02


def test_images_of_a_batch_that_share_a_draw_count_less():
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.1, 0.4, size=(500, 1)) + rng.uniform(0, 0.01, size=(500, 8))
    assert 300 < law.read(mixed_labels(np.roll(np.tile(np.arange(8), (500, 1)), 1, 1), weight)).draws < 700


def test_labels_that_never_change_show_the_erased_share():
    rng = np.random.default_rng(0)
    erased = rng.uniform(size=(300, 8)) * (rng.uniform(size=(300, 8)) < 0.5)
    own = np.broadcast_to(np.eye(8), (300, 8, 8))
    found = law.read(own, own * (1 - erased[..., None]))
    np.testing.assert_allclose((found.mean, found.nothing), (erased.mean(), (erased == 0).mean()))
    nothing = law.read(own, own)
    assert (nothing.mean, nothing.nothing, nothing.gap) == (0, 1, None)


def test_the_gap_is_between_label_and_pixels():
    labels = mixed_labels(np.array([[1, 0]] * 3), np.array([[0.5, 0.25]] * 3))
    shares = mixed_labels(np.array([[1, 0]] * 3), np.array([[0.4, 0.25]] * 3))
    np.testing.assert_allclose(law.read(labels, shares).gap, (0.05, 0.1))


def test_the_distance_is_the_largest_of_the_distribution_functions():
    half = law.Law(np.linspace(0, 1, 1001)[1:], 0.5, 0.1, 1000, None)
    np.testing.assert_allclose(half.below([0, 0.5, 1]), (0.5, 0.75, 1))
    apart, noise = law.distance(half, [0, 0.5, 1], [0, 0.5, 1], 1000)
    assert apart == 0.5 and noise == pytest.approx(1.95 * (2 / 1000) ** 0.5)
    for other in (half, half._replace(pasted=half.pasted[::3])):
        assert law.distance(half, other.points(), other.below(other.points()), 10)[0] < 0.002


def test_the_cell_at_the_corner_is_found_from_either_border():
    image = np.zeros((3, 8, 8), int)
    for one, cells in zip(image, ((0, 1, 2, 3), (0, 0, 0, 1), (2, 2, 2, 2)), strict=True):
        for (y, x), cell in zip(((0, 0), (0, 3), (2, 0), (2, 3)), cells, strict=True):
            one[y:, x:] = cell
    lines = np.asarray(laws.borders(np.eye(4, dtype=np.float32)[image]))[None]
    np.testing.assert_allclose(law.corner_cell(lines, once=False), [(6 / 64, 6 / 64, 1)])
    np.testing.assert_allclose(law.corner_cell(lines, once=True), [(6 / 64,) * 3])


def test_pictures_are_the_same_on_every_machine():
    made = law.pictures(2, 8)
    assert made.shape == (2, 8, 8, 3) and made.dtype == np.float32
    np.testing.assert_allclose(made.mean(), 0.56, atol=0.2)
    np.testing.assert_array_equal(made, law.pictures(3, 8)[:2])
    assert np.allclose(made * 255, np.round(made * 255), atol=1e-4)


def test_the_page_is_the_one_of_the_measurements():
    written, made = laws.PAGE.read_text('utf-8'), page.text(RECORDS, PUBLIC)
    assert written == made, 'write it again: python -m benchmarks.laws; python -m benchmarks.laws --page'


@pytest.mark.parametrize('name', page.methods(RECORDS))
def test_every_measured_op_has_a_section_with_its_law_and_numbers(name):
    section = laws.PAGE.read_text('utf-8').partition(f'\n## {name}\n')[2].partition('\n## ')[0]
    assert page.docstring(name)[1] in section
    measured = {page.key(record) for record in RECORDS}
    missing = [case for case in laws.cases(PUBLIC, (name,)) if page.key(case) not in measured]
    assert not missing, f'{missing}: run python -m benchmarks.laws'


@pytest.mark.parametrize('record', PUBLIC, ids=lambda record: f'{record["method"]}, {page.name(record)}')
def test_every_recorded_implementation_is_on_the_page_with_its_distance(record):
    section = laws.PAGE.read_text('utf-8').partition(f'\n## {record["method"]}\n')[2].partition('\n## ')[0]
    assert f'* **{page.library(record)}**, {record["setting"]}: {record["why"]}' in section
    if 'at' in record:
        ours = page.ours_of(record, RECORDS)
        assert f'{ours["distances"][page.name(record)][0]:.3f}' in section


def test_recorded_implementations_have_names_of_their_own_and_a_licence():
    found = [(record['method'], page.name(record)) for record in PUBLIC]
    assert len(set(found)) == len(found) > 30
    assert all(record['licence'] and record['version'] and record['why'].endswith('.') for record in PUBLIC)
    assert {record['column'] for record in PUBLIC} <= {*page.COLUMNS, 'others'}


QUICK = 'cutmix', 'cutout'
SMALL = [record for record in RECORDS if record['side'] == 32]
# Every way of the quick ones, and the first of each other: compiling is what takes the time.
FIRST = {record['method']: record for record in reversed(SMALL)}
FRESH = [record for record in SMALL if record['method'] in QUICK or record is FIRST[record['method']]]


@pytest.mark.parametrize(
    'record',
    [
        pytest.param(record, id=page.key(record), marks=() if record['method'] in QUICK else pytest.mark.slow)
        for record in FRESH
    ],
)
@pytest.mark.slow
def test_the_numbers_of_the_page_are_those_of_the_op(record):
    """With draws of another seed: they agree as two samples of one law do."""
    case = {key: record[key] for key in ('method', 'values', 'side')}
    share = 0.1 if record['method'] in QUICK else 0.02
    fresh = laws.measure(**case, public=PUBLIC, share=share, seed=1)
    assert abs(fresh['mean'] - record['mean']) <= 5 * np.hypot(fresh['error'], record['error']) + 1e-6
    sampling = 1 / max(fresh['draws'], 1) ** 0.5
    assert abs(fresh['deviation'] - record['deviation']) <= 4 * sampling * record['deviation']
    assert abs(fresh['nothing'] - record['nothing']) <= 3 * sampling
    assert fresh['distances'].keys() == record['distances'].keys()
    for name, (apart, noise) in fresh['distances'].items():
        assert abs(apart - record['distances'][name][0]) <= noise
    if record['gap']:
        assert fresh['gap'][0] == pytest.approx(record['gap'][0], rel=0.5, abs=1e-5)
