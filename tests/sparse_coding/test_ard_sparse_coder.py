"""The evidence of automatic relevance determination is true, stationary and never decreases."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ARDRegression

from sklvm import ARDSparseCoder

# With more atoms than features a noise variance learned from one row would be overfitted.
CASES = pytest.mark.parametrize("noise_variance, n_atoms", [("learn", 15), (0.04, 40)])


def planted(rng, n_atoms):
    """Rows of three atoms each with noise of variance .04, the dictionary, and the codes."""
    D = rng.standard_normal((n_atoms, 25)) * rng.uniform(0.5, 2, (n_atoms, 1))
    Z = np.zeros((12, n_atoms))
    for z in Z:
        z[rng.choice(n_atoms, 3, replace=False)] = 2 * rng.choice([-1, 1], 3)
    return Z @ D + 0.2 * rng.standard_normal((12, 25)), D, Z


@pytest.fixture
def signals(rng):
    return planted(rng, 40)


def log_evidence(x, D, prior_variance, noise_variance):
    covariance = noise_variance * np.eye(len(x)) + (D.T * prior_variance) @ D
    return multivariate_normal.logpdf(x, np.zeros(len(x)), covariance)


@CASES
def test_the_evidence_is_the_density_of_a_gaussian(rng, noise_variance, n_atoms):
    X, D, _ = planted(rng, n_atoms)
    coder = ARDSparseCoder(D, noise_variance=noise_variance).fit(X)
    Z, info = coder.encode(X, return_info=True)
    for i, x in enumerate(X):
        expected = log_evidence(x, D, info.prior_variance_[i], info.noise_variance_[i])
        assert info.log_evidence_[i] == pytest.approx(expected, rel=1e-9)
        used = info.prior_variance_[i] > 0
        precision = D[used] @ D[used].T / info.noise_variance_[i]
        covariance = np.linalg.inv(precision + np.diag(1 / info.prior_variance_[i, used]))
        np.testing.assert_allclose(info.variance_[i, used], np.diag(covariance), rtol=1e-8)
        mean = covariance @ D[used] @ x / info.noise_variance_[i]
        np.testing.assert_allclose(Z[i, used], mean, rtol=1e-7, atol=1e-10)
        assert not Z[i, ~used].any() and not info.variance_[i, ~used].any()
    np.testing.assert_array_equal(coder.score_samples(X), info.log_evidence_)


@CASES
def test_the_evidence_is_stationary(rng, noise_variance, n_atoms):
    X, D, _ = planted(rng, n_atoms)
    coder = ARDSparseCoder(D, noise_variance=noise_variance, tol=1e-12).fit(X)
    _, info = coder.encode(X, return_info=True)
    step = 1e-4
    for x, prior, noise in zip(X, info.prior_variance_, info.noise_variance_, strict=True):
        best = log_evidence(x, D, prior, noise)
        for k in range(len(D)):
            if prior[k] > 0:
                up, down = (
                    log_evidence(
                        x, D, np.where(np.arange(n_atoms) == k, prior * factor, prior), noise
                    )
                    for factor in (np.exp(step), np.exp(-step))
                )
                assert abs(up - down) / (2 * step) < 1e-4
            else:
                raised = prior + 1e-4 * (np.arange(n_atoms) == k)
                assert log_evidence(x, D, raised, noise) <= best + 1e-9
        if noise_variance == "learn":
            up, down = (log_evidence(x, D, prior, noise * np.exp(s)) for s in (step, -step))
            assert abs(up - down) / (2 * step) < 1e-4


@CASES
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_evidence_never_decreases(rng, noise_variance, n_atoms):
    X, D, _ = planted(rng, n_atoms)
    coder = ARDSparseCoder(D, noise_variance=noise_variance).fit(X)
    steps = [coder.set_params(max_iter=n).fit(X).score_samples(X) for n in range(1, 25)]
    assert (np.diff(steps, axis=0) >= -1e-9).all()
    assert (steps[-1] > steps[0] + 1).all()


@CASES
def test_planted_atoms_are_found(rng, noise_variance, n_atoms):
    X, D, Z = planted(rng, n_atoms)
    found, info = (
        ARDSparseCoder(D, noise_variance=noise_variance).fit(X).encode(X, return_info=True)
    )
    assert np.linalg.norm(found - Z) < 0.2 * np.linalg.norm(Z)
    assert np.all(np.abs(found[Z != 0]) > 1)
    assert 0.02 < np.median(info.noise_variance_) < 0.06


def test_single_signals_are_those_of_scikit_learn(rng):
    D = rng.standard_normal((15, 60))
    x = 2 * D[3] - 3 * D[8] + D[11] + 0.3 * rng.standard_normal(60)
    theirs = ARDRegression(
        fit_intercept=False,
        max_iter=2000,
        tol=1e-10,
        alpha_1=0,
        alpha_2=0,
        lambda_1=0,
        lambda_2=0,
        threshold_lambda=1e8,
    ).fit(D.T, x)
    coder = ARDSparseCoder(D, tol=1e-12).fit(x[np.newaxis])
    z, info = coder.encode(x[np.newaxis], return_info=True)
    strong = np.abs(theirs.coef_) > 0.5
    assert strong.sum() == 3
    np.testing.assert_allclose(z[0, strong], theirs.coef_[strong], rtol=1e-3)
    assert info.noise_variance_[0] == pytest.approx(1 / theirs.alpha_, rel=2e-2)
    used = theirs.lambda_ < 1e8
    prior = np.where(used, 1 / theirs.lambda_, 0)
    assert info.log_evidence_[0] >= log_evidence(x, D, prior, 1 / theirs.alpha_) - 1e-3


def test_missing_entries_are_as_if_their_features_did_not_exist(signals, rng):
    X, D, _ = signals
    X[rng.random(X.shape) < 0.2] = np.nan
    X[0] = np.nan
    coder = ARDSparseCoder(D, noise_variance=0.04).fit(X)
    Z, scores = coder.transform(X), coder.score_samples(X)
    assert not Z[0].any() and scores[0] == 0
    for x, z, score in zip(X[1:], Z[1:], scores[1:], strict=True):
        known = ~np.isnan(x)
        alone = ARDSparseCoder(D[:, known], noise_variance=0.04).fit(x[np.newaxis, known])
        np.testing.assert_allclose(alone.transform(x[np.newaxis, known])[0], z, atol=1e-9)
        assert alone.score(x[np.newaxis, known]) == pytest.approx(score)


@CASES
def test_degenerate_dictionaries_and_signals(rng, noise_variance, n_atoms):
    X, D, _ = planted(rng, n_atoms)
    X[3] = 0
    X[4] = D[5]
    twins = np.vstack([D, D, D + 1e-9, np.zeros((1, 25))])
    coder = ARDSparseCoder(twins, noise_variance=noise_variance).fit(X)
    Z, info = coder.encode(X, return_info=True)
    assert np.isfinite(Z).all() and np.isfinite(info.log_evidence_).all()
    assert not Z[3].any() and not Z[:, -1].any()
    once = ARDSparseCoder(D, noise_variance=noise_variance).fit(X)
    rows = np.arange(len(X)) != 4  # without noise the evidence is at its bound
    np.testing.assert_allclose(info.log_evidence_[rows], once.score_samples(X)[rows], atol=0.5)
    assert np.linalg.norm(Z[4] @ twins - X[4]) < 0.01 * np.linalg.norm(X[4]) or (
        noise_variance != "learn"
    )


def test_threads_and_order_of_rows_do_not_matter(signals):
    X, D, _ = signals
    coder = ARDSparseCoder(D, noise_variance=0.04, n_jobs=1).fit(X)
    Z = coder.transform(X)
    np.testing.assert_allclose(coder.transform(X[::-1]), Z[::-1], atol=1e-9)
    np.testing.assert_array_equal(coder.set_params(n_jobs=3).fit(X).transform(X), Z)
    np.testing.assert_allclose(coder.inverse_transform(Z), Z @ D)


def test_samples_that_do_not_converge_are_counted(signals):
    X, D, _ = signals
    with pytest.warns(ConvergenceWarning, match="12 of 12 samples did not reach tol=1e-06"):
        ARDSparseCoder(D, max_iter=1).fit(X).transform(X)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"noise_variance": 0.0}, "'noise_variance' parameter of ARDSparseCoder"),
        ({"noise_variance": "given"}, "'noise_variance' parameter of ARDSparseCoder"),
        ({"dictionary": np.eye(3)}, "dictionary must have X's number of features, 25"),
    ],
)
def test_bad_parameters_are_named(signals, params, message):
    X, D, _ = signals
    with pytest.raises(ValueError, match=message):
        ARDSparseCoder(**{"dictionary": D, **params}).fit(X)
