"""The contracts that every estimator keeps."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags

import sklvm
from sklvm import (
    AdaptiveDeconvolutionalNetwork,
    ARDSparseCoder,
    BernoulliMixture,
    BernoulliRBM,
    BinaryLatentVAE,
    BoltzmannMachine,
    CategoricalMixture,
    ChainConditionalRandomField,
    ConstrainedGaussian,
    ConvolutionalDictionaryLearner,
    ConvolutionalSparseCoder,
    DeconvolutionalNetwork,
    DeepBeliefNetwork,
    DeepBoltzmannMachine,
    DeepEnergyModel,
    DensityOutlierDetector,
    DictionaryLearner,
    GatedRBM,
    GaussianMixture,
    GaussianRBM,
    GridConditionalRandomField,
    HopfieldNetwork,
    LatentDirichletAllocation,
    LayeredDictionaryLearner,
    LayeredSparseCoder,
    LocalDensityEnsemble,
    MarkovRandomField,
    MeanCovarianceRBM,
    ProbabilisticLatentSemanticAnalysis,
    SemiRestrictedRBM,
    SigmoidAutoencoder,
    SparseCoder,
    TikhonovDetail,
    VAETransformer,
    ZCAWhitener,
)


def given_of(model):
    """What ``sample`` of a conditional model has to be given, else None."""
    if not hasattr(model, "conditional_log_partition"):
        return None
    n_outputs = model.n_features_in_ - model.n_inputs_
    return np.append(np.zeros(model.n_inputs_), np.full(n_outputs, np.nan))


def expected_failures(estimator):
    """Check name → why it cannot pass, for mathematical reasons only."""
    of_given_dictionaries = (
        ARDSparseCoder | ConvolutionalSparseCoder | LayeredSparseCoder | SparseCoder
    )
    if isinstance(estimator, of_given_dictionaries):
        return {"check_transformer_n_iter": "To fit a given dictionary takes no iterations."}
    if isinstance(estimator, CategoricalMixture):
        reason = "The check scores values that the training data do not have."
        return dict.fromkeys(
            ("check_sample_weight_equivalence_on_dense_data", "check_fit_idempotent"), reason
        )
    if isinstance(estimator, BernoulliMixture):
        reason = "The check asks for the tags of a classifier where there is a predict_proba."
        return {f"check_estimator_sparse_{kind}": reason for kind in ("array", "matrix")}
    failures = {}
    if isinstance(estimator, GridConditionalRandomField):
        reason = "20 columns are not as many channels for each of three pixels."
        failures["check_classifier_multioutput"] = reason
    if reason := against_weight_equivalence(estimator):
        for kind in ("dense", "sparse"):
            failures[f"check_sample_weight_equivalence_on_{kind}_data"] = reason
    return failures


def against_weight_equivalence(estimator):
    """Why a row of weight 2 is not the row twice, where it is not; else None."""
    if isinstance(estimator, DictionaryLearner) and estimator.batch_size is not None:
        return "A mini-batch of weighted rows is another batch than one of repeated rows."
    if isinstance(estimator, LayeredDictionaryLearner):
        return "Atoms start at rows that are drawn, by other numbers where a row comes twice."
    of_filters = (
        AdaptiveDeconvolutionalNetwork | ConvolutionalDictionaryLearner | DeconvolutionalNetwork
    )
    if isinstance(estimator, of_filters):
        return (
            "Filters start at patches of images that are drawn, by other numbers for a row twice."
        )
    if getattr(estimator, "inference", None) == "cvb0":
        return "Words are brought up to date one after the other, and repeated ones are more."
    if isinstance(estimator, VAETransformer):
        return "Latent variables are drawn for each row, and a row that comes twice has two draws."
    if getattr(estimator, "pretrain", False) or isinstance(estimator, DeepBeliefNetwork):
        return "Bits of the first hidden layer are drawn for each row, to train the second on."
    objective = getattr(estimator, "objective", None)
    if isinstance(estimator, GatedRBM):
        return "Each row has a chain, and one that comes twice has two."
    if objective == "pcd" and isinstance(estimator, GridConditionalRandomField):
        return "Each image has a chain, and one that comes twice has two."
    # (Thresholds make all rows of this check alike.)
    of_bits = isinstance(estimator, BernoulliRBM | BoltzmannMachine | MarkovRandomField)
    of_bits |= getattr(estimator, "visible", None) == "binary"
    if objective == "pcd" and not of_bits:
        return "Chains start at rows that are drawn, by other numbers where a row comes twice."
    if objective in ("nce", "cnce"):
        return "Noise is drawn for each row, and a row that comes twice has two draws."
    return None


ESTIMATORS = [
    BernoulliMixture(binarize=0.0),
    BernoulliRBM(4, binarize=0.0, max_iter=20),
    BoltzmannMachine(binarize=0.0),
    BoltzmannMachine(2, binarize=0.0, objective="pcd", max_iter=5),
    CategoricalMixture(),
    HopfieldNetwork(binarize=0.0),
    HopfieldNetwork("pseudo_inverse", binarize=0.0),
    GaussianMixture(),
    GaussianMixture(2, covariance_type="factor", tol=0.01),
    GaussianRBM(4, max_iter=20),
    ConstrainedGaussian(),
    ConstrainedGaussian(objective="nce"),
    ConstrainedGaussian(objective="cnce"),
    ZCAWhitener(),
    DeepBeliefNetwork((4, 3), BernoulliRBM(max_iter=4), binarize=0.0),
    DeepBoltzmannMachine((4, 3), binarize=0.0, pretrain=True, max_iter=4),
    DeepBoltzmannMachine((4, 2), visible="gaussian", max_iter=4),
    MeanCovarianceRBM(2, 3, max_iter=20),
    SemiRestrictedRBM(2, max_iter=20),
    GatedRBM(2, 3, max_iter=20),
    DeepEnergyModel(
        4,
        hidden_layer_sizes=(6,),
        max_iter=20,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    ),
    BinaryLatentVAE(4, max_iter=50, optimizer="adam"),
    SigmoidAutoencoder(4, max_iter=50, optimizer="adam"),
    SigmoidAutoencoder(4, objective="point_posterior", max_iter=50, optimizer="adam"),
    VAETransformer(2, hidden_layer_sizes=(8,), max_iter=20, optimizer="adam"),
    SparseCoder(alpha=0.1),
    ARDSparseCoder(),
    ConvolutionalSparseCoder(alpha=0.1),
    LayeredDictionaryLearner((4, 3), max_iter=3, tol=0),
    LayeredDictionaryLearner((4, 3), method="pursuit", max_iter=3, tol=0),
    DeconvolutionalNetwork((2, 2), max_iter=3, tol=0),
    AdaptiveDeconvolutionalNetwork((2, 2), max_iter=2, tol=0),
    LayeredSparseCoder(alpha=0.1),
    LayeredSparseCoder(alpha=0.1, method="holistic", output="all"),
    TikhonovDetail(),
    ConvolutionalDictionaryLearner(2, alpha=0.1, max_iter=20, tol=0.03),
    ConvolutionalDictionaryLearner(2, alpha=0.1, batch_size=20, max_iter=2, tol=0),
    DictionaryLearner(4, alpha=0.1, init="svd"),
    DictionaryLearner(4, alpha=0.1, batch_size=20, max_iter=10, tol=0),
    DensityOutlierDetector(ConstrainedGaussian()),
    LocalDensityEnsemble(),
    ChainConditionalRandomField(),
    ChainConditionalRandomField(alpha=0.1, l1_ratio=0.5),
    LatentDirichletAllocation(3, max_iter=10, tol=0),
    LatentDirichletAllocation(3, inference="map", max_iter=10, tol=0),
    LatentDirichletAllocation(3, inference="vb", max_iter=10, tol=0),
    ProbabilisticLatentSemanticAnalysis(3, max_iter=20, tol=0),
    GridConditionalRandomField(),
    MarkovRandomField(binarize=0.0),
    MarkovRandomField(binarize=0.0, objective="pcd", max_iter=5),
    GridConditionalRandomField(objective="pcd", max_iter=20),
]

# Those that check_estimator leaves out.
EXTRA_CHECKS = [
    checks.check_param_validation,
    checks.check_inplace_ensure_writeable,
    checks.check_dataframe_column_names_consistency,
    checks.check_readonly_memmap_input,
]
EXTRA_TRANSFORMER_CHECKS = [
    checks.check_set_output_transform,
    checks.check_set_output_transform_pandas,
    checks.check_set_output_transform_polars,
    checks.check_transformer_get_feature_names_out,
    checks.check_transformer_get_feature_names_out_pandas,
    checks.check_get_feature_names_out_error,
]
TRANSFORMERS = [e for e in ESTIMATORS if hasattr(e, "transform")]
SCORING_ROWS = [
    e
    for e in ESTIMATORS
    if not (is_classifier(e) or isinstance(e, HopfieldNetwork | TikhonovDetail))
]


# scikit-learn's checks give fractions to models of counts.
pytestmark = pytest.mark.filterwarnings("ignore:X has entries that are not whole numbers")


def name_of(value):
    return type(value).__name__ if hasattr(value, "get_params") else None


def test_every_public_estimator_is_checked():
    public = {name for name in sklvm.__all__ if isinstance(getattr(sklvm, name), type)}
    assert public == {type(estimator).__name__ for estimator in ESTIMATORS}


@checks.parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Skipping check:sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", EXTRA_CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_checks_that_the_suite_leaves_out(estimator, check):
    check(type(estimator).__name__, clone(estimator))


# The set_output checks mix data frames and bare arrays on purpose.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@pytest.mark.parametrize("check", EXTRA_TRANSFORMER_CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_transformer_checks_that_the_suite_leaves_out(estimator, check):
    check(type(estimator).__name__, clone(estimator))


def data_for(estimator):
    """Rows that it can be fitted to: real numbers, or counts."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 4)) + 1.0
    return np.abs(X).round() if get_tags(estimator).input_tags.positive_only else X


@pytest.fixture(scope="module", params=SCORING_ROWS, ids=name_of)
def fitted(request):
    estimator = request.param
    return clone(estimator).set_params(**seeded(estimator)).fit(data_for(estimator))


@pytest.fixture(scope="module")
def X(fitted):
    return data_for(fitted)


def seeded(estimator):
    return {"random_state": 0} if "random_state" in estimator.get_params() else {}


def test_the_score_is_a_row_by_row_function(fitted, X):
    scores = fitted.score_samples(X)
    assert scores.shape == (60,)
    np.testing.assert_array_equal(scores, fitted.score_samples(X))
    one_by_one = [fitted.score_samples(x[np.newaxis])[0] for x in X]
    np.testing.assert_allclose(scores, one_by_one, rtol=1e-9)
    if hasattr(fitted, "score"):
        assert fitted.score(X) == pytest.approx(scores.mean())


def test_the_density_integrates_to_one_over_a_plane(fitted):
    if hasattr(fitted, "binarize"):
        pytest.skip("a distribution of binary data")
    if not getattr(fitted, "score_normalized_", True):
        pytest.skip("no density")
    if get_tags(fitted).input_tags.positive_only:
        pytest.skip("a probability of counts")
    if isinstance(fitted, CategoricalMixture):
        pytest.skip("a probability of codes")
    if isinstance(fitted, VAETransformer):
        pytest.skip("a lower bound of a log-density")
    rng = np.random.default_rng(1)
    plane = rng.standard_normal((400, 2)) @ [[1.0, 0.4], [0.0, 0.7]]
    model = clone(fitted).fit(plane)
    axis = np.linspace(-12, 12, 481)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mass = np.exp(model.score_samples(grid)).sum() * (axis[1] - axis[0]) ** 2
    # Annealing's error is its own standard error; the others are exact.
    assert mass == pytest.approx(1, abs=1e-6 + 5 * getattr(model, "log_partition_std_err_", 0))


def test_pickling_preserves_the_model(fitted, X):
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.score_samples(X), fitted.score_samples(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_data_type_is_kept_end_to_end(fitted, X, dtype):
    model = clone(fitted).fit(X.astype(dtype))
    assert model.score_samples(X.astype(dtype)).dtype == dtype
    if hasattr(model, "transform"):
        assert model.transform(X.astype(dtype)).dtype == dtype
    if hasattr(model, "sample"):
        given = given_of(model)
        draws = model.sample(3) if given is None else model.sample(3, given=given)
        assert draws.dtype == dtype


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X[::-1][::-1],
    ],
    ids=["fortran", "strided", "reversed"],
)
def test_the_memory_layout_of_the_data_does_not_matter(fitted, X, layout):
    model = clone(fitted).fit(layout(X))
    np.testing.assert_allclose(model.score_samples(layout(X)), fitted.score_samples(X), rtol=1e-9)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda X: np.where(np.arange(X.size).reshape(X.shape) == 7, np.nan, X), "NaN"),
        (lambda X: np.where(np.arange(X.size).reshape(X.shape) == 7, np.inf, X), "infinity"),
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[:1], "1 sample|minimum of 2"),
        (lambda X: X[:, 0], "2D array"),
        (lambda X: X[:, :0], "0 feature"),
    ],
    ids=["nan", "inf", "empty", "single row", "1-D", "no feature"],
)
def test_bad_training_data_are_refused_before_any_work(fitted, X, bad, message):
    if message == "NaN" and get_tags(fitted).input_tags.allow_nan:
        pytest.skip("NaN stands for missing entries")
    model = clone(fitted)
    of_single_rows = (
        ARDSparseCoder
        | ConvolutionalDictionaryLearner
        | ConvolutionalSparseCoder
        | LayeredSparseCoder
        | SparseCoder
    )
    needs_one = isinstance(model, of_single_rows)
    needs_one |= get_tags(model).input_tags.positive_only
    if needs_one and message == "1 sample|minimum of 2":
        pytest.skip("one row is enough")
    before = set(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(bad(X))
    left = {name for name in set(vars(model)) - before if name.endswith("_")}
    assert left <= {"n_features_in_"}


def test_data_of_another_width_are_refused(fitted, X):
    with pytest.raises(ValueError, match="expecting 4 features"):
        fitted.score_samples(X[:, :3])
