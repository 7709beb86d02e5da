"""p-values from rows that were held out, what a score is compared with, and who is to blame."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from sklvm import ConstrainedGaussian, DensityOutlierDetector
from sklvm.anomaly._references import reference_rows


class MinusNorm(BaseEstimator):
    """A score without parameters, that records what it was fitted to."""

    def fit(self, X, y=None, sample_weight=None):
        self.rows_ = X
        return self

    def score_samples(self, X):
        return -np.abs(np.asarray(X)).sum(axis=1)


@pytest.fixture
def X(rng):
    return rng.standard_normal((200, 3)) @ [[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 0.4]]


def test_p_values_are_ranks_among_the_rows_held_out(X):
    detector = DensityOutlierDetector(MinusNorm(), calibration=0.3, random_state=0).fit(X)
    held_out = detector.calibration_scores_
    assert len(held_out) == 60
    assert len(detector.estimator_.rows_) == 140
    rows = np.array([[0.0, 0, 0], [99, 0, 0], [1, 0, 0]])
    expected = [(1 + np.sum(held_out <= s)) / 61 for s in detector.score_samples(rows)]
    np.testing.assert_allclose(detector.tail_probability(rows), expected)
    # The threshold is theirs, too.
    assert np.sum(held_out < detector.offset_) == 6


def test_p_values_of_new_rows_are_uniform(rng):
    X = rng.standard_normal((3000, 2))
    detector = DensityOutlierDetector(calibration=0.5, random_state=0).fit(X[:1000])
    p = detector.tail_probability(X[1000:])
    for level in (0.02, 0.1, 0.5):
        # Binomial scatter of 500 rows held out and 2,000 new ones.
        scatter = np.sqrt(level * (1 - level) * (1 / 500 + 1 / 2000))
        assert abs(np.mean(p <= level) - level) < 4 * scatter


def test_weights_count_among_the_rows_held_out(X):
    weights = np.ones(200)
    plain = DensityOutlierDetector(MinusNorm(), calibration=0.3, random_state=0).fit(X)
    even = DensityOutlierDetector(MinusNorm(), calibration=0.3, random_state=0)
    even.fit(X, sample_weight=5 * weights)
    np.testing.assert_allclose(even.tail_probability(X), plain.tail_probability(X))
    heavy = np.where(np.abs(X).sum(axis=1) > 3, 10.0, 1.0)
    far = np.array([[3.5, 0, 0]])
    even.fit(X, sample_weight=heavy)
    assert even.tail_probability(far) > plain.tail_probability(far)


def test_without_held_out_rows_there_are_no_p_values(X):
    detector = DensityOutlierDetector(MinusNorm()).fit(X)
    assert not hasattr(detector, "tail_probability")
    detector.set_params(calibration=0.5).fit(X)
    assert detector.tail_probability(X).shape == (200,)
    with pytest.raises(ValueError, match=r"calibration=0\.001 of 200 samples"):
        detector.set_params(calibration=0.001).fit(X)


def test_a_ratio_cancels_what_both_models_say(rng):
    """Dependence is all that tells these rows apart, and the norm is louder."""
    shared = rng.standard_normal((600, 1))
    X = np.hstack([shared + 0.3 * rng.standard_normal((600, 2)), 3 * rng.standard_normal((600, 4))])
    odd = np.hstack([rng.standard_normal((200, 2)), 0.3 * rng.standard_normal((200, 4))])
    areas = {}
    for reference in (None, "independent", GaussianMixture(1, covariance_type="diag")):
        detector = DensityOutlierDetector(
            GaussianMixture(1, random_state=0), reference=reference, random_state=0
        ).fit(X[:300])
        scores = detector.score_samples(np.vstack([X[300:], odd]))
        areas[str(reference)] = roc_auc_score(np.repeat([0, 1], [300, 200]), -scores)
        if reference is not None:
            rows = X[:5]
            difference = detector.estimator_.score_samples(rows)
            difference = difference - detector.reference_.score_samples(rows)
            np.testing.assert_allclose(detector.score_samples(rows), difference)
    plain, independent, given = areas.values()
    assert min(independent, given) > plain + 0.1


def test_rows_that_are_too_probable_are_not_typical(rng):
    X = rng.standard_normal((400, 50))
    calm = 0.3 * rng.standard_normal((50, 50))
    model = ConstrainedGaussian("diagonal")
    plain = DensityOutlierDetector(model).fit(X)
    assert np.all(plain.predict(calm) == 1)
    typical = DensityOutlierDetector(model, typicality=True).fit(X)
    assert np.all(typical.predict(calm) == -1)
    center = np.median(plain.score_samples(X))
    np.testing.assert_allclose(
        typical.score_samples(calm), -np.abs(plain.score_samples(calm) - center)
    )


@pytest.mark.parametrize("kind", ["independent", "blurred"])
def test_reference_rows_keep_the_features_and_lose_the_rest(kind, rng):
    X = rng.standard_normal((4000, 1)) * [1.0, 5.0]
    rows = reference_rows(X, kind, np.random.default_rng(0))
    correlation = np.corrcoef(rows.T)[0, 1]
    if kind == "independent":
        np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(X, axis=0))
        assert abs(correlation) < 0.06
    else:
        np.testing.assert_allclose(rows.var(axis=0), X.var(axis=0), rtol=0.1)
        assert np.all(np.isin(rows, X))
        assert correlation == pytest.approx(0.25, abs=0.06)  # where both entries stayed


def test_explanations_of_any_score_are_what_replacing_an_entry_changes(X):
    detector = DensityOutlierDetector(MinusNorm(), random_state=0).fit(X)
    rows = np.array([[5.0, 0.0, 0.0], [0.0, 0.0, -7.0]])
    contributions = detector.explain(rows, n_replacements=64)
    # The score is a sum over features: replacing x_j adds |x_j| − mean |replacements|.
    means = np.abs(detector._replacements[:64]).mean(axis=0)
    np.testing.assert_allclose(contributions, np.abs(rows) - means)
    assert list(contributions.argmax(axis=1)) == [0, 2]


def test_explanations_by_default_are_exact_conditionals(X):
    detector = DensityOutlierDetector(random_state=0).fit(X)
    np.testing.assert_array_equal(detector.explain(X[:5]), detector.estimator_.contributions(X[:5]))
    other = detector.explain(X[:5], method="replacement", n_replacements=3)
    assert other.shape == (5, 3)
    detector.set_params(reference="blurred").fit(X)
    assert detector.explain(X[:2]).shape == (2, 3)  # of the ratio, which has no conditionals


def test_explanations_of_sparse_training_rows():
    X = sparse.random_array((50, 4), density=0.4, format="csr", random_state=0)

    class TakesSparse(MinusNorm):
        def score_samples(self, X):
            return -abs(sparse.csr_array(X)).sum(axis=1)

    detector = DensityOutlierDetector(TakesSparse(), random_state=0).fit(X)
    assert detector.explain(np.eye(4)).shape == (4, 4)


def test_bad_requests_are_refused(X):
    detector = DensityOutlierDetector(KernelDensity()).fit(X)
    with pytest.raises(ValueError, match="method must be"):
        detector.explain(X, method="exact")
    with pytest.raises(ValueError, match="KernelDensity has no contributions"):
        detector.explain(X, method="conditional")
    with pytest.raises(ValueError, match="n_replacements"):
        detector.explain(X, n_replacements=0)
    for name, value in {"calibration": 1.0, "reference": "white", "typicality": 3}.items():
        with pytest.raises(ValueError, match=name):
            DensityOutlierDetector(**{name: value}).fit(X)
