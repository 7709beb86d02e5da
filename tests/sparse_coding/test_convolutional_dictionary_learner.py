"""Filters are learned: planted ones come back, and no pass makes the objective worse."""

import pickle

import joblib
import numpy as np
import pytest
from scipy.signal import correlate
from sklearn.exceptions import ConvergenceWarning

from sklvm import ConvolutionalDictionaryLearner, ConvolutionalSparseCoder, DictionaryLearner
from sklvm.sparse_coding import ElasticNet
from sklvm.sparse_coding.dictionaries import ConvolutionalDictionary, ConvolutionGeometry

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def planted(rng, n=4, shape=(40, 40), filter_shape=(5, 5), channels=1, boundary="valid"):
    """Images of three filters at few places, a little noise, and those filters."""
    geometry = ConvolutionGeometry(shape, channels, filter_shape, boundary)
    filters = rng.standard_normal((3, np.prod(filter_shape) * channels))
    filters /= np.linalg.norm(filters, axis=1, keepdims=True)
    dictionary = ConvolutionalDictionary(filters, geometry)
    codes = rng.choice([-1, 1], (n, dictionary.n_components)) * rng.uniform(1, 2)
    codes *= rng.random(codes.shape) < 0.01
    X = dictionary.synthesize(codes)
    return X + 0.01 * rng.standard_normal(X.shape), filters


def recovered(learned, filters, filter_shape, channels=1):
    """For each filter the greatest correlation with a learned one, at any shift and sign."""
    shape = (*filter_shape, channels)
    best = []
    for d in filters:
        best.append(0)
        for e in learned / np.maximum(np.linalg.norm(learned, axis=1, keepdims=True), 1e-12):
            maps = sum(
                correlate(d.reshape(shape)[..., c], e.reshape(shape)[..., c])
                for c in range(channels)
            )
            best[-1] = max(best[-1], np.abs(maps).max())
    return np.array(best)


@pytest.mark.parametrize("boundary", ["valid", "full", "circular"])
def test_planted_filters_come_back(rng, boundary):
    X, filters = planted(rng, boundary=boundary)
    learner = ConvolutionalDictionaryLearner(
        5,
        filter_shape=(7, 7),
        image_shape=(40, 40),
        alpha=0.2,
        boundary=boundary,
        max_iter=40,
        random_state=0,
    ).fit(X)
    padded = np.zeros((3, 7, 7))
    padded[:, 1:6, 1:6] = filters.reshape(3, 5, 5)
    assert recovered(learner.components_, padded.reshape(3, -1), (7, 7)).min() > 0.95
    error = np.linalg.norm(learner.reconstruct(X) - X) / np.linalg.norm(X)
    assert error < 0.25


def test_planted_filters_come_back_online_from_images_with_holes_and_channels(rng):
    X, filters = planted(rng, channels=2, n=6)
    X[rng.random(X.shape) < 0.2] = np.nan
    learner = ConvolutionalDictionaryLearner(
        5,
        filter_shape=7,
        image_shape=(40, 40),
        n_channels=2,
        alpha=0.2,
        batch_size=2,
        max_iter=15,
        tol=0,
        random_state=0,
    ).fit(X)
    padded = np.zeros((3, 7, 7, 2))
    padded[:, 1:6, 1:6] = filters.reshape(3, 5, 5, 2)
    assert recovered(learner.components_, padded.reshape(3, -1), (7, 7), 2).min() > 0.95


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"boundary": "full"},
        {"boundary": "circular"},
        {"penalty": ElasticNet(0.8)},
        {"penalty": "l0", "alpha": 0.1},
        {"positive": True, "positive_dict": True},
        {"holes": True, "boundary": "full"},
        {"code_tol": 0.3},
    ],
    ids=str,
)
def test_passes_never_raise_the_objective(rng, params):
    X, _ = planted(rng, n=2, shape=(24, 20))
    params = dict(params)
    if params.pop("holes", False):
        X[rng.random(X.shape) < 0.3] = np.nan
    learner = ConvolutionalDictionaryLearner(
        **{"n_components": 3, "filter_shape": (4, 5), "image_shape": (24, 20), "alpha": 0.3},
        max_iter=8,
        tol=0,
        random_state=0,
    ).set_params(**params)
    objective = learner.fit(X).history_["objective"]
    assert np.diff(objective).max() <= 1e-10 * objective[0]
    assert objective[-1] < objective[0]
    norms = np.linalg.norm(learner.components_, axis=1)
    assert norms.max() <= 1 + 1e-12
    if params.get("positive_dict"):
        assert (learner.components_ >= 0).all()


def test_the_objective_is_that_of_the_codes_and_filters(rng):
    X, _ = planted(rng, n=3, shape=(20, 20))
    weights = np.array([1.0, 2.0, 0.5])
    learner = ConvolutionalDictionaryLearner(
        3, filter_shape=4, image_shape=(20, 20), alpha=0.3, max_iter=5, tol=0, code_tol=1e-9,
        random_state=0,
    ).fit(X, sample_weight=weights)  # fmt: skip
    expected = -np.average(learner.score_samples(X), weights=weights)
    assert learner.history_["objective"][-1] == pytest.approx(expected, rel=1e-6)


def test_weights_are_repeated_images(rng):
    X, _ = planted(rng, n=3, shape=(16, 16))
    filters = rng.standard_normal((2, 4, 4))
    learner = ConvolutionalDictionaryLearner(
        2, filter_shape=4, image_shape=(16, 16), alpha=0.3, init=filters, max_iter=3, tol=0
    )
    weighted = learner.fit(X, sample_weight=[1, 3, 0]).components_
    repeated = learner.fit(X[[0, 1, 1, 1]]).components_
    np.testing.assert_allclose(weighted, repeated, atol=1e-10)


def test_filters_as_large_as_the_data_are_a_dictionary(rng):
    X = rng.standard_normal((60, 6))
    init = rng.standard_normal((4, 6))
    params = {"alpha": 0.3, "init": init, "max_iter": 4, "tol": 0}
    convolutional = ConvolutionalDictionaryLearner(4, filter_shape=6, code_tol=1e-12, **params)
    dense = DictionaryLearner(4, code_tol=1e-12, **params)
    objective = dense.fit(X).history_["objective"]
    # Two passes over the filters a pass over the data, where the dictionary has one.
    assert convolutional.fit(X).history_["objective"][-1] == pytest.approx(objective[-1], rel=0.02)


def test_a_stream_of_batches_is_what_fit_does(rng):
    X, _ = planted(rng, n=6, shape=(20, 20))
    params = {"filter_shape": 4, "image_shape": (20, 20), "alpha": 0.3, "init": np.ones((3, 4, 4))}
    learner = ConvolutionalDictionaryLearner(
        3, batch_size=2, shuffle=False, max_iter=1, tol=0, random_state=0, **params
    )
    fitted = learner.fit(X).components_
    stream = ConvolutionalDictionaryLearner(3, batch_size=2, random_state=0, **params)
    stream.partial_fit(X[:2]).partial_fit(X[2:])
    np.testing.assert_array_equal(stream.components_, fitted)


def test_any_number_of_workers_learns_the_same_filters(rng):
    X, _ = planted(rng, n=5, shape=(20, 20))
    params = {"filter_shape": 4, "image_shape": (20, 20), "alpha": 0.3, "random_state": 0}
    learners = [
        ConvolutionalDictionaryLearner(3, max_iter=3, tol=0, n_jobs=n_jobs, **params).fit(X)
        for n_jobs in (None, 1, 3)
    ]
    with joblib.parallel_config("loky", n_jobs=2):
        learners.append(ConvolutionalDictionaryLearner(3, max_iter=3, tol=0, **params).fit(X))
    for learner in learners[1:]:
        np.testing.assert_array_equal(learner.components_, learners[0].components_)


@pytest.mark.slow
def test_a_dask_cluster_learns_the_same_filters(rng):
    distributed = pytest.importorskip("distributed")
    X, _ = planted(rng, n=5, shape=(20, 20))
    learner = ConvolutionalDictionaryLearner(
        3, filter_shape=4, image_shape=(20, 20), alpha=0.3, max_iter=3, tol=0, random_state=0
    )
    alone = learner.fit(X).components_
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        with joblib.parallel_config("dask"):
            np.testing.assert_array_equal(learner.fit(X).components_, alone)


def test_dead_filters_restart_at_the_worst_patch(rng):
    X, filters = planted(rng, n=1)
    init = np.zeros((4, 5, 5))
    init[:2] = filters[:2].reshape(2, 5, 5)
    learner = ConvolutionalDictionaryLearner(
        4, filter_shape=5, image_shape=(40, 40), alpha=0.2, init=init, max_iter=12, random_state=0
    ).fit(X)
    assert learner.history_["restarts"][0] == 2
    assert recovered(learner.components_, filters, (5, 5)).min() > 0.95


def test_a_fit_goes_on_from_its_pickle(rng):
    X, _ = planted(rng, n=2, shape=(20, 20))
    learner = ConvolutionalDictionaryLearner(
        3, filter_shape=4, image_shape=(20, 20), alpha=0.3, max_iter=3, tol=0, random_state=0,
        warm_start=True,
    ).fit(X)  # fmt: skip
    first = learner.history_["objective"][-1]
    again = pickle.loads(pickle.dumps(learner)).fit(X)
    assert again.history_["objective"][-1] <= first * (1 + 1e-10)
    with pytest.raises(ValueError, match=r"do not go with n_components=4"):
        learner.set_params(n_components=4).fit(X)


def test_codes_of_more_precision_come_from_a_coder(rng):
    X, _ = planted(rng, n=2, shape=(20, 20))
    learner = ConvolutionalDictionaryLearner(
        3, filter_shape=4, image_shape=(20, 20), alpha=0.3, max_iter=3, random_state=0
    ).fit(X)
    filters = learner.components_.reshape(3, *learner.filter_shape_)
    coder = ConvolutionalSparseCoder(filters, image_shape=(20, 20), alpha=0.3).fit(X)
    assert learner.filter_shape_ == (4, 4) and learner.map_shape_ == coder.map_shape_ == (17, 17)
    objectives = coder.score_samples(X), learner.score_samples(X)
    np.testing.assert_allclose(*objectives, rtol=1e-2)
    assert (learner.alpha_max(X) > 0.3).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"filter_shape": (3, 30)}, r"Filters of \(3, 30\) are larger"),
        ({"filter_shape": (3, 3, 3)}, "must have 2 axes"),
        ({"image_shape": (10, 10)}, "takes 100 features"),
        ({"init": np.ones((2, 5))}, "init must have shape"),
        ({"penalty": "basis_pursuit"}, "is a constraint"),
        ({"solver": "working_set", "penalty": "lq"}, "choose 'fista'"),
    ],
)
def test_bad_parameters_are_named(params, message):
    learner = ConvolutionalDictionaryLearner(2, image_shape=(20, 20), filter_shape=3)
    with pytest.raises(ValueError, match=message):
        learner.set_params(**params).fit(np.ones((2, 400)))
    assert not hasattr(learner, "components_")


@pytest.mark.filterwarnings("default")
def test_a_fit_that_is_not_done_says_so(rng):
    X, _ = planted(rng, n=1, shape=(20, 20))
    learner = ConvolutionalDictionaryLearner(
        2, filter_shape=4, image_shape=(20, 20), alpha=0.3, max_iter=1, tol=1e-9
    )
    with pytest.warns(ConvergenceWarning, match="did not converge in max_iter=1"):
        learner.fit(X)
