"""Dictionaries are learned: the objective goes down, planted atoms come back."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.decomposition import DictionaryLearning
from sklearn.exceptions import ConvergenceWarning

from sklvm import DictionaryLearner, SparseCoder
from sklvm.sparse_coding import AtMostNonzero, ElasticNet, Lq
from sklvm.statistics import DictionaryStatistics

pytestmark = pytest.mark.filterwarnings(
    "ignore:DictionaryLearner. The fit did not converge:sklearn.exceptions.ConvergenceWarning"
)


def planted(n, *, n_atoms=30, n_features=20, n_nonzero=3, noise=0.02, seed=0):
    """Rows made of a few atoms each, and the atoms."""
    rng = np.random.default_rng(seed)
    D = rng.standard_normal((n_atoms, n_features))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    Z = np.zeros((n, n_atoms))
    for z in Z:
        z[rng.choice(n_atoms, n_nonzero, replace=False)] = rng.standard_normal(n_nonzero)
    return Z @ D + noise * rng.standard_normal((n, n_features)), D


def recovered(D, atoms):
    """Share of the atoms that some row of D resembles by a cosine above .99."""
    D = D / np.maximum(np.linalg.norm(D, axis=1, keepdims=True), 1e-300)
    return np.mean(np.abs(D @ atoms.T).max(axis=0) > 0.99)


@pytest.fixture(scope="module")
def X():
    return planted(300)[0]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"init": "svd"},
        {"positive": True},
        {"positive": True, "positive_dict": True},
        {"penalty": ElasticNet(0.7)},
        {"penalty": "l0", "alpha": 0.02},
        {"penalty": Lq(0.5), "positive_dict": True},
        {"penalty": AtMostNonzero(3)},
    ],
    ids=str,
)
@pytest.mark.parametrize("holes", [0, 0.2])
def test_the_objective_never_increases(X, rng, params, holes):
    X = np.where(rng.random(X.shape) < holes, np.nan, X)
    weights = rng.random(len(X))
    learner = DictionaryLearner(25, **{"alpha": 0.1, **params}, max_iter=15, tol=0, random_state=0)
    history = learner.fit(X, sample_weight=weights).history_["objective"]
    assert (np.diff(history) <= 1e-6 * history[0]).all()
    assert history[-1] < 0.95 * history[0]
    assert (np.linalg.norm(learner.components_, axis=1) <= 1 + 1e-12).all()
    if learner.positive_dict:
        assert (learner.components_ >= 0).all()


@pytest.mark.parametrize("params", [{}, {"penalty": ElasticNet(0.7)}, {"positive": True}])
def test_the_history_is_that_of_the_true_objective(X, rng, params):
    X = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    weights = rng.random(len(X))
    learner = DictionaryLearner(
        25, alpha=0.1, max_iter=4, tol=0, random_state=0, code_tol=1e-10, **params
    ).fit(X, sample_weight=weights)
    positive = params.get("positive", False)
    coder = SparseCoder(
        learner.components_,
        alpha=0.1,
        penalty=learner.penalty,
        positive=positive,
        solver="coordinate_descent",
        tol=1e-10,
    ).fit(X)
    expected = -np.average(coder.score_samples(X), weights=weights)
    assert learner.history_["objective"][-1] == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(learner.score_samples(X), coder.score_samples(X), rtol=1e-8)
    np.testing.assert_allclose(learner.transform(X), coder.transform(X), atol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_ends_where_scikit_learn_does_from_the_same_start(X):
    X = X[:100]
    start = X[:10] / np.linalg.norm(X[:10], axis=1, keepdims=True)
    theirs = DictionaryLearning(
        10,
        alpha=0.3,
        max_iter=100,
        tol=0,
        fit_algorithm="cd",
        dict_init=start,
        code_init=np.zeros((len(X), 10)),
        random_state=0,
    ).fit(X)
    ours = DictionaryLearner(10, alpha=0.3, init=start, max_iter=100, tol=0).fit(X)
    assert ours.history_["objective"][-1] == pytest.approx(theirs.error_[-1] / len(X), rel=1e-5)
    cosines = np.abs(ours.components_ @ theirs.components_.T)
    assert np.median(cosines.max(axis=0)) > 0.999


def test_planted_atoms_come_back_with_enough_rows():
    shares = {}
    for n in (60, 250, 1000, 4000):
        learner = DictionaryLearner(30, alpha=0.2, batch_size=50, max_iter=20, random_state=0)
        rows = [planted(n, seed=seed) for seed in (0, 1)]
        shares[n] = np.mean([recovered(learner.fit(X).components_, atoms) for X, atoms in rows])
    print("share of 30 planted atoms by number of rows:", shares)
    assert shares[60] < 0.2 and shares[250] > 0.6 and shares[4000] >= 0.95
    assert shares[60] <= shares[250] <= shares[1000] <= shares[4000]


def test_planted_atoms_come_back_from_rows_with_missing_entries(rng):
    X, atoms = planted(4000)
    patterns = rng.random((10, X.shape[1])) < 0.25
    missing = patterns[rng.integers(10, size=len(X))]
    holed = np.where(missing, np.nan, X)
    learner = DictionaryLearner(30, alpha=0.2, batch_size=200, max_iter=20, random_state=0)
    assert recovered(learner.fit(holed).components_, atoms) >= 0.95
    coder = SparseCoder(learner.components_, alpha=0.05).fit(X)
    filled = coder.inverse_transform(coder.transform(holed))
    assert np.linalg.norm((filled - X)[missing]) < 0.5 * np.linalg.norm(X[missing])


def test_planted_atoms_come_back_by_matching_pursuit():
    X, atoms = planted(1000)
    learner = DictionaryLearner(30, penalty=AtMostNonzero(3), max_iter=40, random_state=0)
    assert recovered(learner.fit(X).components_, atoms) > 0.9


def test_online_learning_of_one_batch_with_no_memory_is_a_pass(X):
    start = X[:25]
    online = DictionaryLearner(25, alpha=0.1, init=start, batch_size=len(X), forgetting=1e9)
    batch = DictionaryLearner(25, alpha=0.1, init=start, max_iter=4)
    online.set_params(max_iter=4, shuffle=False).fit(X)
    np.testing.assert_allclose(online.components_, batch.fit(X).components_, atol=1e-4)


@pytest.mark.parametrize("penalty", ["l1", "l0"])
def test_a_stream_is_one_pass_of_fit(X, penalty):
    learner = DictionaryLearner(
        25, alpha=0.1, penalty=penalty, init=X[:25], batch_size=70, shuffle=False, max_iter=1
    ).fit(X)
    stream = clone(learner)
    assert stream.partial_fit(X[:140]) is stream
    stream = pickle.loads(pickle.dumps(stream)).partial_fit(X[140:])
    np.testing.assert_array_equal(stream.components_, learner.components_)
    assert len(stream.history_["objective"]) == stream.n_iter_ == 2


def test_warm_start_goes_on(X):
    learner = DictionaryLearner(25, alpha=0.1, init=X[:25], tol=0, warm_start=True, max_iter=3)
    twice = clone(learner).fit(X).fit(X)
    once = clone(learner).set_params(max_iter=6).fit(X)
    np.testing.assert_allclose(twice.components_, once.components_, atol=1e-4)


@pytest.mark.parametrize("change", [{"alpha": 0.3}, {"penalty": "l0"}, {"positive_dict": True}])
def test_a_warm_start_takes_what_was_set_since(X, change):
    learner = DictionaryLearner(25, alpha=0.1, init=X[:25], tol=0, warm_start=True, max_iter=3)
    same, changed = clone(learner).fit(X).fit(X), clone(learner).fit(X).set_params(**change).fit(X)
    assert np.abs(changed.components_ - same.components_).max() > 1e-3
    start = clone(learner).fit(X).components_
    if "positive_dict" in change:
        assert (changed.components_ >= 0).all()
        start = np.maximum(start, 0)
    expected = clone(learner).set_params(init=start, **change).fit(X)
    np.testing.assert_allclose(changed.components_, expected.components_, atol=1e-4)


def test_a_warm_start_with_other_atoms_is_refused(X):
    learner = DictionaryLearner(5, alpha=0.1, tol=0, warm_start=True, max_iter=1).fit(X)
    before = learner.components_
    with pytest.raises(ValueError, match="n_components=6 does not go with warm_start=True"):
        learner.set_params(n_components=6).fit(X)
    assert learner.components_ is before


@pytest.mark.parametrize("batch_size", [None, 50])
def test_what_was_learned_before_ctrl_c_can_be_used(X, batch_size):
    learner = DictionaryLearner(5, alpha=0.1, tol=0, batch_size=batch_size, random_state=0)
    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        epochs = iter(range(4))
        solve = DictionaryStatistics.solve

        def solve_a_few(*arguments, **options):
            if next(epochs, None) is None:
                raise KeyboardInterrupt
            return solve(*arguments, **options)

        patch.setattr(DictionaryStatistics, "solve", solve_a_few)
        learner.fit(X)
    assert learner.transform(X).shape == (300, 5)
    assert learner.n_iter_ == (0 if batch_size else 4)  # passes that were completed
    assert learner.partial_fit(X).components_.shape == (5, 20)
    assert len(pickle.dumps(learner)) < 20_000


def test_weights_are_repetitions(X):
    weights = np.arange(len(X)) % 3
    learner = DictionaryLearner(15, alpha=0.1, init="svd", max_iter=5, code_tol=1e-10)
    weighted = clone(learner).fit(X, sample_weight=weights)
    repeated = clone(learner).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.components_, repeated.components_, atol=1e-6)


def test_dead_atoms_restart_where_the_objective_is_greatest(X):
    start = np.zeros((25, 20))
    start[:20] = X[:20]
    learner = DictionaryLearner(25, alpha=0.1, init=start, max_iter=1).fit(X)
    assert learner.history_["restarts"].tolist() == [5]
    worst = X[np.argsort(SparseCoder(start, alpha=0.1).fit(X).score_samples(X))[:5]]
    cosines = learner.components_[20:] @ worst.T / np.linalg.norm(worst, axis=1)
    np.testing.assert_allclose(np.sort(cosines.max(axis=0)), 1)
    learner.set_params(max_iter=10).fit(X)
    assert (np.abs(learner.transform(X)).max(axis=0) > 0).all()


def test_small_batches_do_not_restart_atoms_that_had_no_chance(X):
    learner = DictionaryLearner(25, alpha=0.1, batch_size=2, max_iter=1, shuffle=False)
    learner.fit(X[:24])
    assert learner.history_["restarts"].tolist() == [0]


def test_workers_do_not_matter(X):
    learner = DictionaryLearner(25, alpha=0.1, init=X[:25], max_iter=5, tol=0, n_jobs=1)
    X = np.tile(X, (3, 1))  # several blocks
    alone = clone(learner).fit(X)
    threads = clone(learner).set_params(n_jobs=3).fit(X)
    np.testing.assert_array_equal(threads.components_, alone.components_)


@pytest.mark.filterwarnings("ignore")  # a cluster's own warnings are no concern of this test
@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_dask_cluster_does_what_one_process_does(X, processes):
    distributed = pytest.importorskip("distributed")
    settings = {"alpha": 0.1, "init": X[:25], "batch_size": 150, "max_iter": 3, "shuffle": False}
    alone = DictionaryLearner(25, n_jobs=1, **settings).fit(X)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        together = DictionaryLearner(25, n_jobs=2, **settings).fit(X)
    np.testing.assert_allclose(together.components_, alone.components_, atol=1e-10)


@pytest.mark.slow
def test_processes_do_what_threads_do(X):
    learner = DictionaryLearner(25, alpha=0.1, init=X[:25], max_iter=5, tol=0)
    threads = clone(learner).set_params(n_jobs=2).fit(X)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        processes = clone(learner).fit(X)
    np.testing.assert_allclose(processes.components_, threads.components_, atol=1e-10)


def test_the_data_type_is_kept(X):
    learner = DictionaryLearner(25, alpha=0.1, init=X[:25], max_iter=3)
    exact = clone(learner).fit(X)
    single = clone(learner).fit(X.astype(np.float32))
    assert single.components_.dtype == single.transform(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.components_, exact.components_, atol=1e-3)


def test_a_start_of_few_rows_has_as_many_atoms_as_asked_for(rng):
    X = np.vstack([rng.standard_normal((3, 5)), np.zeros((2, 5))])
    for init in ("data", "svd"):
        learner = DictionaryLearner(8, alpha=0.1, init=init, positive_dict=True, random_state=0)
        D = learner.fit(X).components_
        assert D.shape == (8, 5) and np.isfinite(D).all() and (D >= 0).all()


@pytest.mark.parametrize("batch_size", [None, 100])
def test_callbacks_and_lines(X, capsys, batch_size):
    learner = DictionaryLearner(5, alpha=0.1, batch_size=batch_size, max_iter=2, verbose=1)
    learner.set_callbacks(ProgressBar()).fit(X)
    lines = [line for line in capsys.readouterr().out.splitlines() if "epoch" in line]
    assert any("[DictionaryLearner] epoch 2/2: objective" in line for line in lines)


def test_what_is_not_converged_warns(X):
    with pytest.warns(ConvergenceWarning, match=r"did not converge in max_iter=1 iterations"):
        DictionaryLearner(5, alpha=0.1, max_iter=1).fit(X)
    learner = DictionaryLearner(5, alpha=0.001, solver="ista", code_max_iter=1, tol=0, max_iter=1)
    with pytest.warns(ConvergenceWarning, match="samples did not reach code_tol=1e-06"):
        learner.fit(X)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"init": np.eye(3)}, r"init must have shape \(n_components, n_features\) = \(25, 20\)"),
        ({"init": np.full((25, 20), np.nan)}, "init contains NaN"),
        ({"init": "kmeans"}, "'init' parameter of DictionaryLearner"),
        ({"forgetting": -1}, "'forgetting' parameter of DictionaryLearner"),
        ({"positive": True, "penalty": AtMostNonzero(2)}, "positive=True does not go"),
        ({"penalty": "l0", "solver": "active_set"}, "solver='active_set' does not fit"),
    ],
)
def test_bad_parameters_are_named(X, params, message):
    with pytest.raises(ValueError, match=message):
        DictionaryLearner(25, **params).fit(X)
