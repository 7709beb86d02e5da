"""The gated restricted Boltzmann machine as an estimator."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklvm import GatedRBM
from sklvm.partition import AnnealedImportanceSampling

SHORT = {"max_iter": 2, "random_state": 0}
N = 6


def shifted_pairs(n, rng, real=False):
    """Pairs [x, y] of which y is x, shifted in a circle by 0, 1 or 2, and the shifts."""
    x = rng.standard_normal((n, N)) if real else (rng.random((n, N)) < 0.4).astype(float)
    shifts = rng.integers(0, 3, n)
    return np.hstack([x, shifted(x, shifts)]), shifts


def shifted(x, shifts):
    return np.stack([np.roll(row, shift) for row, shift in zip(x, shifts, strict=True)])


@pytest.fixture(scope="module")
def model():
    pairs, _ = shifted_pairs(2000, np.random.default_rng(0))
    return GatedRBM(10, 36, visible="binary", max_iter=100, random_state=0).fit(pairs)


def test_it_learns_shifts_and_applies_them_to_new_rows(model, rng):
    pairs, shifts = shifted_pairs(500, rng)
    clear = pairs[:, :N].sum(axis=1) == 2  # a row of equal bits is the same after all shifts
    pairs, shifts = pairs[clear], shifts[clear]
    rebuilt = model.reconstruct(pairs)
    assert_array_equal(rebuilt[:, :N], pairs[:, :N])
    assert np.mean(rebuilt.round() != pairs) < 0.02
    new, _ = shifted_pairs(len(pairs), rng)
    expected = shifted(new[:, :N], shifts)
    assert np.mean(model.transfer(pairs, new[:, :N]).round() != expected) < 0.1
    back = model.transfer(pairs, expected, direction="input")
    assert np.mean(back.round() != new[:, :N]) < 0.1
    one = model.transfer(pairs[:3], new[:1, :N])
    assert_allclose(one, model.transfer(pairs[:3], np.repeat(new[:1, :N], 3, axis=0)))


def test_scores_are_log_probabilities_of_the_outputs_given_the_inputs(model, rng):
    outputs = ((np.arange(2**N)[:, np.newaxis] >> np.arange(N)) & 1).astype(float)
    rows = np.hstack([np.tile(shifted_pairs(1, rng)[0][:, :N], (2**N, 1)), outputs])
    assert np.exp(model.score_samples(rows)).sum() == pytest.approx(1)
    pairs, _ = shifted_pairs(500, rng)
    assert model.score(pairs) > 0.5 * N * np.log(0.5)
    annealed, std_err = model.conditional_log_partition(
        pairs[:3], partition=AnnealedImportanceSampling(500, 100), random_state=0
    )
    exact, _ = model.conditional_log_partition(pairs[:3])
    assert np.all(np.abs(annealed - exact) < 4 * std_err + 1e-6)


def test_draws_follow_the_inputs_that_are_given(model):
    x = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    draws = model.sample(400, given=np.append(x, np.full(N, np.nan)), random_state=0)
    assert_array_equal(draws[:, :N], np.tile(x, (400, 1)))
    shares = [(draws[:, N:] == np.roll(x, shift)).all(axis=1).mean() for shift in range(3)]
    assert min(shares) > 0.05
    assert sum(shares) > 0.9
    row = np.append(x, [1.0, np.nan, 0.0, 0.0, 0.0, 0.0])[np.newaxis]
    assert 0 <= model.impute(row, random_state=0)[0, N + 1] <= 1
    row[0, 0] = np.nan
    with pytest.raises(ValueError, match="given the first 6, and X contains NaN among these"):
        model.impute(row)
    with pytest.raises(ValueError, match="given the first 6: pass the values"):
        model.sample(2)


@pytest.mark.parametrize("objective", ["cd", "score_matching"])
@pytest.mark.parametrize("n_factors", [24, None])
def test_real_pairs(objective, n_factors, rng):
    pairs, _ = shifted_pairs(2000, rng, real=True)
    test, _ = shifted_pairs(500, rng, real=True)
    model = GatedRBM(8, n_factors, objective=objective, max_iter=40, random_state=0).fit(pairs)
    error = np.mean((model.reconstruct(test)[:, N:] - test[:, N:]) ** 2)
    assert error < 0.3
    assert model.sigma_ < 0.8


def test_what_is_not_part_of_the_conditional_stays_as_it_was(rng):
    pairs, _ = shifted_pairs(300, rng, real=True)
    pairs += 3.0
    model = GatedRBM(3, 5, n_inputs=4, max_iter=5, random_state=0).fit(pairs)
    mean = pairs.mean(axis=0)
    assert_allclose(model.input_offset_, mean[:4])
    assert_allclose(model.intercept_input_, mean[:4])
    assert_allclose(model.output_offset_, mean[4:])
    assert np.abs(model.intercept_output_ - mean[4:]).max() > 1e-3
    assert (model.n_inputs_, model.output_factors_.shape) == (4, (5, 8))
    plain = GatedRBM(3, centered=False, **SHORT).fit(pairs)
    assert_array_equal(plain.input_offset_, 0)
    assert plain.tensor_.shape == (3, N, N)


def test_it_takes_its_place_in_a_pipeline(rng):
    pairs, _ = shifted_pairs(200, rng, real=True)
    pipeline = make_pipeline(StandardScaler(), GatedRBM(3, 5, **SHORT))
    assert pipeline.fit_transform(pairs).shape == (200, 3)
    assert np.isfinite(pipeline.score(pairs))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_inputs": 12}, r"n_inputs=12 must be from 1 to n_features − 1.*X has 12"),
        ({"n_inputs": 0}, "n_inputs"),
        ({"visible": "spin"}, "visible"),
        ({"binarize": 0.5}, r"binarize=0.5 is for bits, which visible='gaussian'"),
        ({"objective": "pcd"}, "go on from batch to batch, and a conditional model.*'cd'"),
        ({"objective": "nce"}, "takes log Z for one number"),
        ({"objective": "pseudo_likelihood"}, "does not fit GatedRBM.*SiteConditionals"),
        ({"visible": "binary", "binarize": 0.0, "objective": "score_matching"}, "Laplacian"),
        ({"visible": "binary"}, "must be binary"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters, message, rng):
    pairs, _ = shifted_pairs(50, rng, real=True)
    with pytest.raises(ValueError, match=message):
        GatedRBM(2, **{**SHORT, **parameters}).fit(pairs)


def test_bad_inputs_of_a_transfer_are_named(model, rng):
    pairs, _ = shifted_pairs(5, rng)
    with pytest.raises(ValueError, match=r"shape \(5, 6\) or \(1, 6\).*got \(2, 6\)"):
        model.transfer(pairs, pairs[:2, :N])
    with pytest.raises(ValueError, match=r"got \(5, 12\)"):
        model.transfer(pairs, pairs)
    with pytest.raises(ValueError, match="direction must be 'output' or 'input', got 'back'"):
        model.transfer(pairs, pairs[:, :N], direction="back")
