"""Mixtures of Gaussians: against scikit-learn, scipy, single Gaussians, and themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture as TheirMixture

from sklvm import DensityOutlierDetector, GaussianMixture
from sklvm.exceptions import DivergenceError
from sklvm.optimizers import EM
from sklvm.statistics import GaussianStatistics

pytestmark = pytest.mark.filterwarnings(
    "ignore:GaussianMixture. The fit did not converge:sklearn.exceptions.ConvergenceWarning"
)

TYPES = ["full", "tied", "diag", "spherical"]
ALL_TYPES = [*TYPES, "factor"]


def clusters(n=600, d=4, seed=0, distance=3.0):
    rng = np.random.default_rng(seed)
    means = distance * rng.standard_normal((3, d))
    factors = np.array([np.eye(d) + 0.4 * rng.standard_normal((d, d)) for _ in range(3)])
    labels = rng.integers(3, size=n)
    noise = rng.standard_normal((n, d))
    return means[labels] + np.einsum("nij,nj->ni", factors[labels], noise), labels


@pytest.fixture(scope="module")
def X():
    return clusters()[0]


@pytest.fixture(scope="module", params=ALL_TYPES)
def fitted(request, X):
    return GaussianMixture(3, covariance_type=request.param, random_state=0).fit(X)


def gaps(X, share=0.2, seed=1):
    rng = np.random.default_rng(seed)
    patterns = rng.random((6, X.shape[1])) < share
    patterns[patterns.all(axis=1)] = False
    return np.where(patterns[rng.integers(6, size=len(X))], np.nan, X)


def full_covariances(mixture):
    d, K = mixture.n_features_in_, len(mixture.weights_)
    covariances = mixture.covariances_
    return {
        "full": lambda: covariances,
        "factor": lambda: covariances,
        "tied": lambda: np.array([covariances] * K),
        "diag": lambda: np.array([np.diag(v) for v in covariances]),
        "spherical": lambda: np.array([v * np.eye(d) for v in covariances]),
    }[mixture.covariance_type]()


def naive_log_joint(mixture, X):
    """log p(x_observed, k) by scipy, row by row."""
    joint = np.empty((len(X), len(mixture.weights_)))
    for k, (share, mean, covariance) in enumerate(
        zip(mixture.weights_, mixture.means_, full_covariances(mixture), strict=True)
    ):
        for i, x in enumerate(X):
            o = ~np.isnan(x)
            normal = multivariate_normal(mean[o], covariance[np.ix_(o, o)])
            joint[i, k] = np.log(share) + normal.logpdf(x[o])
    return joint


# -- what a fitted mixture says -------------------------------------------------------------------


@pytest.mark.parametrize("holes", [0, 0.3])
def test_densities_are_those_of_scipy(fitted, X, holes):
    rows = gaps(X[:50], holes)
    joint = naive_log_joint(fitted, rows)
    expected = logsumexp(joint, axis=1)
    assert_allclose(fitted.score_samples(rows), expected, rtol=1e-9)
    assert_allclose(fitted.predict_proba(rows), np.exp(joint - expected[:, np.newaxis]), atol=1e-9)


def test_gaps_are_filled_as_conditionals_say(fitted, X):
    rows = X[:4].copy()
    rows[0, 0] = rows[1, [1, 3]] = rows[2, :3] = np.nan
    filled = fitted.impute(rows)
    responsibilities = fitted.predict_proba(rows)
    covariances = full_covariances(fitted)
    for row, completed, r in zip(rows, filled, responsibilities, strict=True):
        m = np.isnan(row)
        expected = np.zeros(m.sum())
        for k, (mean, S) in enumerate(zip(fitted.means_, covariances, strict=True)):
            slope = S[np.ix_(m, ~m)] @ np.linalg.inv(S[np.ix_(~m, ~m)])
            expected += r[k] * (mean[m] + slope @ (row[~m] - mean[~m]))
        assert_allclose(completed[m], expected, rtol=1e-8)
        assert_array_equal(completed[~m], row[~m])
    many = np.repeat(rows[1:2], 20_000, axis=0)
    drawn = fitted.impute(many, method="draw", random_state=0)
    spread = drawn.std(axis=0).max()
    assert_allclose(drawn.mean(axis=0), filled[1], atol=5 * spread / np.sqrt(20_000))
    log_proba = fitted.conditional_log_proba(X[:4], np.isnan(rows))
    assert_allclose(log_proba, fitted.score_samples(X[:4]) - fitted.score_samples(rows))


def test_draws_have_the_moments_of_the_model(fitted):
    draws = fitted.sample(60_000, random_state=0)
    mean = fitted.weights_ @ fitted.means_
    deviations = fitted.means_ - mean
    covariance = np.einsum("k,kij->ij", fitted.weights_, full_covariances(fitted))
    covariance += (fitted.weights_ * deviations.T) @ deviations
    scale = np.sqrt(np.diag(covariance))
    assert_allclose((draws.mean(axis=0) - mean) / scale, 0, atol=0.02)
    ratio = (np.cov(draws.T) - covariance) / np.outer(scale, scale)
    assert_allclose(ratio, 0, atol=0.03)


def test_parameters_are_counted_as_scikit_learn_counts_them(X):
    for covariance_type in TYPES:
        ours = GaussianMixture(3, covariance_type=covariance_type, max_iter=1, tol=0).fit(X)
        theirs = TheirMixture(3, covariance_type=covariance_type).fit(X)
        assert ours.n_parameters() == theirs._n_parameters()
    factor = GaussianMixture(2, covariance_type="factor", n_factors=2, max_iter=1, tol=0).fit(X)
    assert factor.n_parameters() == 1 + 2 * (4 + 4 + 8 - 1)


# -- EM -------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("covariance_type", TYPES)
def test_iterations_are_those_of_scikit_learn(X, covariance_type):
    ours = GaussianMixture(
        3, covariance_type=covariance_type, init=X[:3], max_iter=7, tol=0, regularization=0
    ).fit(X)
    S = np.cov(X.T, bias=True)
    precisions = {
        "full": np.array([np.linalg.inv(S)] * 3),
        "tied": np.linalg.inv(S),
        "diag": np.array([1 / np.diag(S)] * 3),
        "spherical": np.full(3, 1 / np.diag(S).mean()),
    }[covariance_type]
    theirs = TheirMixture(
        3,
        covariance_type=covariance_type,
        weights_init=np.full(3, 1 / 3),
        means_init=X[:3],
        precisions_init=precisions,
        max_iter=7,
        tol=0,
        reg_covar=0,
    ).fit(X)
    assert_allclose(ours.weights_, theirs.weights_, rtol=1e-9)
    assert_allclose(ours.means_, theirs.means_, rtol=1e-9, atol=1e-10)
    assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-8, atol=1e-10)
    assert ours.history_["bound"][-1] == pytest.approx(theirs.score(X), rel=1e-10)


@pytest.mark.parametrize("covariance_type", ALL_TYPES)
@pytest.mark.parametrize("options", [{}, {"prior_strength": 5.0}, {"regularization": 0.3}], ids=str)
@pytest.mark.parametrize("holes", [0, 0.3])
def test_the_bound_never_falls(X, rng, covariance_type, options, holes):
    mixture = GaussianMixture(
        4, covariance_type=covariance_type, max_iter=15, tol=0, random_state=0, **options
    )
    weights = rng.random(300) + 0.1
    bound = mixture.fit(gaps(X[:300], holes), sample_weight=weights).history_["bound"]
    assert np.diff(bound).min() > -1e-10


@pytest.mark.parametrize("covariance_type", ALL_TYPES)
@pytest.mark.parametrize("holes", [0, 0.3])
def test_the_bound_of_incremental_passes_never_falls(X, covariance_type, holes):
    mixture = GaussianMixture(
        3,
        covariance_type=covariance_type,
        optimizer=EM(incremental=True),
        batch_size=100,
        max_iter=10,
        tol=0,
        random_state=0,
    ).fit(gaps(X, holes))
    bound = mixture.history_["bound"]
    assert np.diff(bound).min() > -1e-10
    # F, from statistics, is tight where EM has arrived.
    mixture.set_params(max_iter=30, warm_start=True).fit(gaps(X, holes))
    assert mixture.history_["bound"][-1] == pytest.approx(mixture.score(gaps(X, holes)), abs=1e-3)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_one_component_is_the_gaussian_of_the_data(X, rng, covariance_type):
    weights = rng.random(len(X))
    mixture = GaussianMixture(covariance_type=covariance_type, regularization=0).fit(
        X, sample_weight=weights
    )
    location, covariance = GaussianStatistics.collect(X, weights).solve()
    assert_allclose(mixture.means_[0], location)
    assert_allclose(
        full_covariances(mixture)[0],
        np.diag(np.diag(covariance)) if covariance_type == "diag" else covariance,
        atol=1e-10,
    )


@pytest.mark.parametrize("covariance_type", ALL_TYPES)
def test_weights_are_repetitions(X, covariance_type):
    weights = np.arange(len(X)) % 3
    start = X[[1, 2, 4]]
    mixture = GaussianMixture(3, covariance_type=covariance_type, init=start, max_iter=6, tol=0)
    weighted = clone(mixture).fit(X, sample_weight=weights)
    repeated = clone(mixture).fit(np.repeat(X, weights, axis=0))
    assert_allclose(weighted.means_, repeated.means_, rtol=1e-6, atol=1e-8)
    assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "factor"])
def test_gaps_at_random_leave_the_estimate_where_it_was(covariance_type):
    X, _ = clusters(2000)
    mixture = GaussianMixture(3, covariance_type=covariance_type, n_init=1, random_state=0)
    whole, holed = clone(mixture).fit(X), clone(mixture).fit(gaps(X))
    # Nearly as good on complete rows as the one that has seen them.
    assert holed.score(X) > whole.score(X) - 0.03


def test_hard_assignments_to_round_clusters_are_k_means():
    X, _ = clusters(600, distance=8.0)
    # A strong prior holds the covariances at one and the same multiple of the identity.
    mixture = GaussianMixture(
        3,
        covariance_type="spherical",
        optimizer=EM(hard=True),
        prior_strength=1e9,
        init=X[:3],
        tol=0,
        max_iter=20,
    ).fit(X)
    theirs = KMeans(3, init=X[:3], n_init=1).fit(X)
    assert_allclose(mixture.means_, theirs.cluster_centers_)
    assert_array_equal(mixture.predict(X), theirs.labels_)


@pytest.mark.parametrize("seed", range(3))
def test_data_of_few_factors_are_described_by_factors(seed):
    rng = np.random.default_rng(seed)
    W, noise = rng.standard_normal((20, 3)), 0.1 + 0.2 * rng.random(20)
    X = rng.standard_normal((5000, 3)) @ W.T + np.sqrt(noise) * rng.standard_normal((5000, 20))
    mixture = GaussianMixture(
        1, covariance_type="factor", n_factors=3, tol=1e-7, max_iter=3000
    ).fit(X)
    truth = W @ W.T + np.diag(noise)
    assert_allclose(mixture.noise_variances_[0], noise, rtol=0.15)
    error = np.linalg.norm(mixture.covariances_[0] - truth) / np.linalg.norm(truth)
    assert error < 0.05
    low_rank = mixture.factors_[0].T @ mixture.factors_[0] + np.diag(mixture.noise_variances_[0])
    assert_allclose(low_rank, mixture.covariances_[0])


def test_a_stream_is_one_pass_of_batches(X):
    for covariance_type in ALL_TYPES:
        mixture = GaussianMixture(
            3,
            covariance_type=covariance_type,
            init=X[:3],
            batch_size=150,
            shuffle=False,
            max_iter=1,
            tol=0,
        ).fit(X)
        stream = clone(mixture).set_params(max_iter=0).fit(X)
        for chunk in (X[:300], X[300:]):
            stream.partial_fit(chunk)
        assert_array_equal(stream.means_, mixture.means_)
        assert_array_equal(stream.covariances_, mixture.covariances_)


def test_online_passes_come_close_to_full_ones():
    X, _ = clusters(6000)
    full = GaussianMixture(3, random_state=0).fit(X).score(X)
    online = GaussianMixture(3, batch_size=300, max_iter=3, tol=0, random_state=0).fit(X)
    assert online.score(X) > full - 0.02


@pytest.mark.parametrize("covariance_type", ALL_TYPES)
def test_workers_do_not_change_a_bit(covariance_type):
    X, _ = clusters(1500)
    mixture = GaussianMixture(3, covariance_type=covariance_type, init=X[:3], max_iter=3, tol=0)
    alone = clone(mixture).set_params(n_jobs=1).fit(X)
    two = clone(mixture).set_params(n_jobs=2).fit(X)
    assert_array_equal(alone.covariances_, two.covariances_)


# -- hard data ------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", ALL_TYPES)
@pytest.mark.parametrize(("dtype", "offset"), [(np.float32, 1e4), (np.float64, 1e7)])
def test_far_from_the_origin_it_is_as_good(X, covariance_type, dtype, offset):
    mixture = GaussianMixture(3, covariance_type=covariance_type, init=X[:3], max_iter=10, tol=0)
    near = clone(mixture).fit(X)
    far_start = (X[:3] + offset).astype(dtype)
    rows = (X + offset).astype(dtype)
    far = clone(mixture).set_params(init=far_start).fit(rows)
    assert far.means_.dtype == far.score_samples(rows).dtype == dtype
    tolerance = 0.02 if dtype == np.float32 else 1e-4
    assert_allclose(far.covariances_, near.covariances_, rtol=tolerance, atol=tolerance)
    assert_allclose(far.score(rows), near.score(X), atol=tolerance)


def test_units_of_features_do_not_matter(X):
    units = np.array([1e-4, 1.0, 1e5, 30.0])
    for covariance_type in ("full", "tied", "diag", "factor"):
        mixture = GaussianMixture(
            3, covariance_type=covariance_type, random_state=0, max_iter=10, tol=0
        )
        plain, scaled = clone(mixture).fit(X), clone(mixture).fit(X * units)
        assert_allclose(scaled.means_, plain.means_ * units, rtol=1e-5, atol=1e-7 * units.max())
        assert scaled.score(X * units) == pytest.approx(
            plain.score(X) - np.log(units).sum(), abs=1e-6
        )


def test_components_do_not_collapse(rng):
    X = np.vstack([rng.standard_normal((50, 3)), np.zeros((10, 3))])
    X = np.column_stack([X, np.ones(60)])  # a constant feature
    for covariance_type in ALL_TYPES:
        mixture = GaussianMixture(5, covariance_type=covariance_type, random_state=0).fit(X)
        assert np.isfinite(mixture.score_samples(X)).all()
        least = np.linalg.eigvalsh(full_covariances(mixture)).min()
        assert least > 1e-8
    with pytest.raises(DivergenceError, match=r"covariance of component . is singular.*regulari"):
        GaussianMixture(5, regularization=0, random_state=0).fit(X)


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariance_type": "diagonal"}, "'covariance_type' parameter of GaussianMixture"),
        ({"covariance_type": "factor", "n_factors": 4}, "n_factors=4 must be less than"),
        ({"regularization": -1e-3}, "'regularization' parameter of GaussianMixture"),
        ({"n_components": 601}, "n_components=601 components need as many rows"),
        ({"init": np.zeros((3, 2))}, r"init must have shape .* = \(3, 4\)"),
    ],
)
def test_bad_parameters_are_named(X, options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**{"n_components": 3, **options}).fit(X)


@pytest.mark.parametrize("change", [{"covariance_type": "diag"}, {"n_components": 2}])
def test_what_a_warm_start_cannot_follow_is_named(X, change):
    mixture = GaussianMixture(3, warm_start=True, max_iter=2, tol=0).fit(X)
    with pytest.raises(ValueError, match=f"{next(iter(change))}=.* does not go with warm_start"):
        mixture.set_params(**change).fit(X)


def test_a_detector_takes_it(X):
    detector = DensityOutlierDetector(GaussianMixture(3, random_state=0), contamination=0.05)
    assert detector.fit_predict(X).shape == (600,)
    assert (detector.predict(X + 100) == -1).all()
