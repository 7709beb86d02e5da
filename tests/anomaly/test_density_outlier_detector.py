"""A threshold on any density: where it lies, what it passes on, what it refuses."""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklvm import ConstrainedGaussian, DeepEnergyModel, DensityOutlierDetector, ZCAWhitener


class FirstFeature(BaseEstimator):
    """Scores a row by its first entry."""

    def fit(self, X, y=None, sample_weight=None):
        self.fit_arguments_ = y, sample_weight
        return self

    def score_samples(self, X):
        return np.asarray(X)[:, 0]


@pytest.fixture
def X(rng):
    return rng.standard_normal((200, 3)) @ [[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 0.4]]


@pytest.mark.parametrize(
    "estimator",
    [
        KernelDensity(),
        GaussianMixture(2, random_state=0),
        PCA(2),
        ConstrainedGaussian("diagonal"),
        ZCAWhitener(),
        DeepEnergyModel(
            3,
            hidden_layer_sizes=(4,),
            partition="none",
            random_state=0,
            max_iter=20,
            objective="score_matching",
            sigma=1.0,
            optimizer="adam",
        ),
        make_pipeline(StandardScaler(), KernelDensity()),
        GridSearchCV(KernelDensity(), {"bandwidth": [0.3, 1.0]}),
    ],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.parametrize("contamination", [0.05, 0.1, 0.5])
def test_any_score_becomes_a_detector_that_finds_the_share_asked_for(estimator, contamination, X):
    detector = DensityOutlierDetector(estimator, contamination=contamination).fit(X)
    is_inlier, scores = detector.predict(X), detector.estimator_.score_samples(X)
    assert np.sum(is_inlier == -1) == contamination * len(X)
    assert scores[is_inlier == -1].max() < detector.offset_ < scores[is_inlier == 1].min()
    np.testing.assert_array_equal(detector.decision_function(X), scores - detector.offset_)
    assert detector.n_features_in_ == 3
    assert not hasattr(estimator, "n_features_in_")


def test_log_partition_moves_the_threshold_and_no_prediction(X):
    model = DeepEnergyModel(
        3,
        hidden_layer_sizes=(4,),
        random_state=0,
        max_iter=20,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    )
    normalized = DensityOutlierDetector(model).fit(X)
    ranking = DensityOutlierDetector(model.set_params(partition="none")).fit(X)
    shift = ranking.offset_ - normalized.offset_
    assert shift == pytest.approx(normalized.estimator_.log_partition_)
    np.testing.assert_array_equal(normalized.predict(X), ranking.predict(X))


def test_a_frozen_density_is_not_fitted_again(X):
    density = KernelDensity().fit(X)
    expected = density.score_samples(X + 1)
    detector = DensityOutlierDetector(FrozenEstimator(density)).fit(X + 1)
    np.testing.assert_array_equal(detector.score_samples(X + 1), expected)
    assert np.mean(detector.predict(X + 1) == -1) == pytest.approx(0.1)
    # Weights are for the threshold alone.
    weights = np.arange(200.0)
    outlying = detector.fit(X + 1, sample_weight=weights).predict(X + 1) == -1
    np.testing.assert_array_equal(detector.score_samples(X + 1), expected)
    assert 0.08 < weights[outlying].sum() / weights.sum() <= 0.1


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.3, 0.5])
@pytest.mark.parametrize("n", [3, 10, 30, 37])
def test_the_outliers_are_as_many_as_the_share_admits(n, contamination, rng):
    scores = rng.permutation(n).astype(float)[:, np.newaxis]
    detector = DensityOutlierDetector(FirstFeature(), contamination=contamination).fit(scores)
    outliers = scores[detector.predict(scores) == -1, 0]
    n_outliers = int(contamination * n + 1e-9)
    np.testing.assert_array_equal(np.sort(outliers), np.arange(n_outliers))


def test_rows_of_equal_score_are_on_one_side():
    scores = np.array([[0.0], [1.0], [1.0], [1.0], [2.0]])
    detector = DensityOutlierDetector(FirstFeature(), contamination=0.5).fit(scores)
    np.testing.assert_array_equal(detector.predict(scores), [-1, 1, 1, 1, 1])


def test_a_weight_counts_as_so_many_rows(rng):
    scores = rng.standard_normal((40, 1))
    counts = rng.integers(0, 4, 40)
    weighted = DensityOutlierDetector(FirstFeature()).fit(scores, sample_weight=counts)
    repeated = DensityOutlierDetector(FirstFeature()).fit(np.repeat(scores, counts, axis=0))
    assert weighted.offset_ == repeated.offset_
    np.testing.assert_array_equal(weighted.estimator_.fit_arguments_[1], counts)


@pytest.mark.parametrize(
    ("weights", "message"),
    [(np.zeros(200), "non-zero"), (-np.ones(200), "[Nn]egative"), (np.ones(3), "shape")],
    ids=["zeros", "negative", "too few"],
)
def test_bad_weights_are_refused_before_any_work(weights, message, X):
    class Refuses(FirstFeature):
        def fit(self, X, y=None, sample_weight=None):
            raise AssertionError("work began")

    with pytest.raises(ValueError, match=message):
        DensityOutlierDetector(Refuses()).fit(X, sample_weight=weights)


def test_a_score_that_is_no_number_is_refused():
    X = np.array([[0.0], [np.nan], [1.0]])
    with pytest.raises(ValueError, match="33% of the training rows have no finite score"):
        DensityOutlierDetector(FirstFeature()).fit(X)


def test_rows_of_no_density_are_outliers_until_they_are_too_many():
    X = np.r_[-np.inf, np.arange(9)][:, np.newaxis]
    detector = DensityOutlierDetector(FirstFeature(), contamination=0.1).fit(X)
    np.testing.assert_array_equal(detector.predict(X), [-1] + [1] * 9)
    with pytest.raises(ValueError, match="10% of the training rows have no finite score"):
        detector.set_params(contamination=0.05).fit(X)


def test_targets_and_fit_parameters_reach_the_estimator(X):
    detector = DensityOutlierDetector(make_pipeline(StandardScaler(), FirstFeature()))
    weights = np.arange(200.0)
    detector.fit(X, weights, firstfeature__sample_weight=weights)
    for argument in detector.estimator_[-1].fit_arguments_:
        np.testing.assert_array_equal(argument, weights)


def test_metadata_routing_takes_the_weights_where_they_are_requested(X):
    weights = np.arange(200.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = FirstFeature().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        detector = DensityOutlierDetector(make_pipeline(scaler, asks))
        detector.fit(X, sample_weight=weights)
        np.testing.assert_array_equal(detector.estimator_[-1].fit_arguments_[1], weights)
        # The threshold is weighted even where the estimator wants no weights.
        does_not = FirstFeature().set_fit_request(sample_weight=False)
        detector = DensityOutlierDetector(does_not).fit(X, sample_weight=weights)
    assert detector.estimator_.fit_arguments_[1] is None
    outlying = detector.predict(X) == -1
    assert 0.07 < weights[outlying].sum() / weights.sum() <= 0.1


def test_weights_for_an_estimator_that_takes_none_are_refused(X):
    detector = DensityOutlierDetector(make_pipeline(StandardScaler(), KernelDensity()))
    with pytest.raises(ValueError, match=r"Pipeline takes no sample_weight.*metadata routing"):
        detector.fit(X, sample_weight=np.ones(200))
    assert not hasattr(detector, "estimator_")


@pytest.mark.parametrize("estimator", [LinearRegression(), "density", 3])
def test_what_has_no_score_is_refused(estimator, X):
    detector = DensityOutlierDetector(estimator)
    with pytest.raises(TypeError, match=r"'estimator' parameter .* must be .*'score_samples'"):
        detector.fit(X)


@pytest.mark.parametrize("contamination", [0, -0.1, 0.51, 1, "auto"])
def test_a_contamination_out_of_range_is_refused(contamination, X):
    detector = DensityOutlierDetector(KernelDensity(), contamination=contamination)
    with pytest.raises(ValueError, match="'contamination' parameter"):
        detector.fit(X)


def test_what_data_it_takes_is_what_the_estimator_takes(X):
    class TakesSparse(FirstFeature):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.sparse = True
            return tags

        def score_samples(self, X):
            return X.tocsr()[:, [0]].toarray().ravel()

    detector = DensityOutlierDetector(TakesSparse())
    assert detector.__sklearn_tags__().input_tags.sparse
    assert not DensityOutlierDetector(KernelDensity()).__sklearn_tags__().input_tags.sparse
    assert np.sum(detector.fit_predict(sparse.csr_array(X)) == -1) == 20

    X[::7, 1] = np.nan
    detector = DensityOutlierDetector(make_pipeline(SimpleImputer(), KernelDensity()))
    assert np.sum(detector.fit_predict(X) == -1) == 20


def test_parameters_of_the_estimator_are_searched_by_name(X):
    outliers = X + np.array([0, 0, 3])
    labels = np.r_[np.ones(200), -np.ones(200)]
    folds = [(np.arange(100), np.r_[100:300])]
    search = GridSearchCV(
        DensityOutlierDetector(KernelDensity()),
        {"estimator__bandwidth": [0.3, 30.0], "contamination": [0.02, 0.4]},
        scoring="balanced_accuracy",
        cv=folds,
    ).fit(np.vstack([X, outliers]), labels)
    assert search.best_params_ == {"estimator__bandwidth": 0.3, "contamination": 0.02}
