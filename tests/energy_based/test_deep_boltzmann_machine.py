"""The deep Boltzmann machine as users use it."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklvm import BernoulliRBM, DeepBoltzmannMachine, GaussianRBM
from sklvm.energies import BernoulliRBMEnergy, GaussianRBMEnergy
from sklvm.energy_based._tied_copies import TiedCopies
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling
from sklvm.testing import binary_states, random_parameters

STATES = binary_states(6)

# Two groups of bits are hardly more than one layer can tell.
pytestmark = pytest.mark.filterwarnings("ignore:.*Layer 2 of 2 is dead")


@pytest.fixture(scope="module")
def X():
    """Six bits in two groups that are on or off together, but for noise."""
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.random((500, 2)) < [0.3, 0.6], 3, axis=1)
    return (groups != (rng.random((500, 6)) < 0.1)).astype(np.float64)


def machine(**parameters):
    defaults = {
        "hidden_layer_sizes": (4, 3),
        "optimizer": Adam(0.03, schedule="linear"),
        "batch_size": 50,
        "max_iter": 60,
        "random_state": 0,
    }
    return DeepBoltzmannMachine(**{**defaults, **parameters})


@pytest.fixture(scope="module", params=[True, False], ids=["pretrained", "jointly"])
def fitted(request, X):
    return machine(pretrain=request.param).fit(X)


def shares_of_what_can_be_learned(log_p, X):
    """Of the way from independent bits to the empirical distribution."""
    _, counts = np.unique(X, axis=0, return_counts=True)
    best = (counts / len(X)) @ np.log(counts / len(X))
    independent = np.log(np.where(X == 1, X.mean(axis=0), 1 - X.mean(axis=0))).sum(axis=1).mean()
    return (log_p - independent) / (best - independent)


# -- the density ----------------------------------------------------------------------------------


def test_it_learns_and_its_bound_is_below_the_exact_density(fitted, X):
    exact = fitted.log_density(STATES)
    assert np.exp(exact).sum() == pytest.approx(1, abs=1e-9)
    assert np.all(fitted.score_samples(STATES) <= exact + 1e-12)
    assert fitted.score_is_bound_ and fitted.score_normalized_
    assert shares_of_what_can_be_learned(fitted.score(X), X) > 0.8


def test_the_estimate_by_importance_sampling_lies_between_bound_and_density(fitted, monkeypatch):
    exact = fitted.log_density(STATES)
    monkeypatch.setattr("sklvm.energy_based._mean_field_model.MAX_EXACT_TERMS", 1)
    estimate = fitted.log_density(STATES, n_importance_samples=2000)
    assert_allclose(estimate, exact, atol=0.05)
    assert_array_equal(estimate, fitted.log_density(STATES, n_importance_samples=2000))
    assert_allclose(estimate[:5], fitted.log_density(STATES[:5], n_importance_samples=2000))


def test_one_layer_is_the_restricted_machine(X):
    options = {"max_iter": 5, "random_state": 0, "optimizer": Adam(0.01)}
    deep, shallow = (
        machine(hidden_layer_sizes=(4,), **options),
        BernoulliRBM(4, batch_size=50, **options),
    )
    deep, shallow = deep.fit(X), shallow.fit(X)
    assert not deep.score_is_bound_
    assert_allclose(deep.score_samples(STATES), shallow.score_samples(STATES), rtol=1e-9)
    assert_allclose(deep.transform(X), shallow.transform(X), rtol=1e-9)
    assert_allclose(deep.inverse_transform(deep.transform(X)),
                    shallow.inverse_transform(shallow.transform(X)), rtol=1e-9)  # fmt: skip


def test_one_layer_below_real_units_is_the_restricted_machine(X):
    real = X + 0.1 * np.random.default_rng(0).standard_normal(X.shape)
    options = {"max_iter": 5, "random_state": 0, "optimizer": "auto", "batch_size": 100}
    deep = machine(hidden_layer_sizes=(4,), visible="gaussian", **options).fit(real)
    shallow = GaussianRBM(4, **options).fit(real)
    assert_allclose(deep.score_samples(real), shallow.score_samples(real), rtol=1e-7)
    assert deep.sigma_ == pytest.approx(shallow.sigma_)


@pytest.mark.parametrize("objective", ["mle", "variational_bound", "cd", "vnce"])
def test_other_criteria_train_it(objective, X):
    model = machine(objective=objective).fit(X)
    least = {"cd": 0.6, "vnce": 0.4}.get(objective, 0.7)
    assert shares_of_what_can_be_learned(model.score(X), X) > least


def test_the_criterion_of_maximum_likelihood_is_the_mean_of_minus_log_p(X):
    model = machine(objective="mle", pretrain=False, max_iter=0).fit(X)
    expected = -model.log_density(X).mean()
    stepped = clone(model).set_params(max_iter=1, batch_size=500).fit(X)
    assert stepped.history_["objective"][0] == pytest.approx(expected)


# -- layers ---------------------------------------------------------------------------------------


def test_each_layer_can_be_had_and_maps_back(X):
    every = machine(output_layer="all").fit(X)
    Z = every.transform(X)
    assert Z.shape == (500, 7)
    for layer, columns in ((1, slice(0, 4)), (2, slice(4, 7))):
        model = machine(output_layer=layer).fit(X)
        assert_array_equal(model.transform(X), Z[:, columns])
        assert len(model.get_feature_names_out()) == Z[:, columns].shape[1]
    means = every.inverse_transform(Z)
    assert_array_equal(means, machine(output_layer=1).fit(X).inverse_transform(Z[:, :4]))
    assert np.mean((means > 0.5) == X) > 0.8


def test_fitted_attributes_are_the_parameters_by_layer(fitted):
    assert [W.shape for W in fitted.coefs_] == [(4, 6), (3, 4)]
    assert [b.shape for b in fitted.intercepts_] == [(4,), (3,)]
    z = fitted.transform(STATES)
    logits = machine_means(fitted)
    assert_allclose(z, logits, atol=1e-6)


def machine_means(model):
    """The fixed point of the formula, by many sweeps of numpy."""
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    first, second = np.full((64, 4), 0.5), np.full((64, 3), 0.5)
    for _ in range(500):
        first = 1 / (1 + np.exp(-(STATES @ W1.T + second @ W2 + b1)))
        second = 1 / (1 + np.exp(-(first @ W2.T + b2)))
    return second


def test_progress_tells_the_stages(X, capsys):
    model = machine(pretrain=True, max_iter=8, verbose=1).fit(X)
    assert_array_equal(model.history_["stage"], [1, 1, 2, 2, 3, 3, 3, 3])
    assert set(model.history_) >= {"gradient_norm", "spread_1", "spread_2"}
    assert "epoch 1/8" in (out := capsys.readouterr().out) and "stage 1" in out
    again = clone(model).set_params(verbose=0, warm_start=True).fit(X)
    assert_array_equal(again.fit(X).history_["stage"], np.full(8, 3))


def test_a_dead_layer_is_named(X):
    options = {"pretrain": False, "optimizer": Adam(1e-6)}
    with pytest.warns(ConvergenceWarning, match=r"Layer 2 of 2 is dead.*vary by"):
        machine(**options).fit(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must hold the size of at least one"),
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must hold integers.*\(3, 0\)"),
        ({"output_layer": 3}, "output_layer must be 'last', 'all' or at most 2"),
        ({"visible": "gaussian", "binarize": 0.5}, "binarize=0.5 makes bits"),
        ({"objective": "nce"}, "does not fit DeepBoltzmannMachine.*'pcd'"),
        ({"partition": "exact", "hidden_layer_sizes": (30, 2)}, "partition='exact' needs"),
        ({"objective": "mle", "hidden_layer_sizes": (30, 2)}, r"about 2\^30"),
    ],
)
def test_wrong_stacks_are_refused_in_words(parameters, message, X):
    with pytest.raises(ValueError, match=message):
        machine(**parameters).fit(X)


def test_copies_of_a_layer_share_their_weights(rng):
    """The whole machine's gradient, folded, is that in the shared weights."""
    for make, X in (
        (BernoulliRBMEnergy, binary_states(3)),
        (lambda d, K: GaussianRBMEnergy(d, K, "learn_diagonal"), rng.standard_normal((8, 3))),
    ):
        energy = TiedCopies(make, 3, 2, 2, 2)
        theta, w = random_parameters(energy, rng), rng.standard_normal(len(X))
        means = energy.infer(theta, X)[1]
        assert means.shape == (len(X), 4)
        assert_array_equal(means[:, :2], means[:, 2:])
        blocks = np.tile(X, 2), means

        def joint(t, energy=energy, blocks=blocks, w=w):
            return w @ energy._whole.evaluate_joint(energy._spread(t), *blocks)[0]

        numeric = np.array([(joint(theta + e) - joint(theta - e)) / 2e-6
                            for e in 1e-6 * np.eye(theta.size)])  # fmt: skip
        assert_allclose(energy.joint_gradient(theta, blocks, w), numeric, rtol=1e-5, atol=1e-7)
    rbm = BernoulliRBMEnergy(3, 2)
    single = TiedCopies(BernoulliRBMEnergy, 3, 2, 1, 1)
    theta = random_parameters(rbm, rng)
    assert_array_equal(
        single.infer(theta, binary_states(3))[1], rbm.posterior(theta, binary_states(3))
    )


# -- gaps, sparse rows, streams, copies, searches -------------------------------------------------


@pytest.mark.parametrize("visible", ["binary", "gaussian"])
@pytest.mark.parametrize("pretrain", [True, False])
def test_it_trains_on_gaps_and_fills_them(visible, pretrain, X):
    X = X.copy()
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    model = machine(visible=visible, pretrain=pretrain, max_iter=40).fit(X)
    assert np.isfinite(model.transform(X)).all() and np.isfinite(model.score_samples(X)).all()
    filled = model.impute(X, random_state=0)
    seen = ~np.isnan(X)
    assert_array_equal(filled[seen], X[seen])
    # A row without its last bit has less to be improbable.
    whole, part = np.ones((1, 6)), np.array([[1, 1, 1, 1, 1, np.nan]])
    if visible == "binary":
        assert model.score_samples(part)[0] >= model.score_samples(whole)[0] - 1e-6


def test_sparse_rows_are_the_dense_ones(X):
    dense, sparse = machine(max_iter=4).fit(X), machine(max_iter=4).fit(csr_array(X))
    assert_allclose(sparse.score_samples(csr_array(X)), dense.score_samples(X), rtol=1e-9)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        machine(visible="gaussian").fit(csr_array(X))


def test_a_stream_is_the_fit_over_the_same_batches(X):
    options = {"pretrain": False, "optimizer": "adam", "shuffle": False}
    whole = machine(max_iter=1, **options).fit(X)
    stream = machine(**options).partial_fit(X)
    assert_allclose(stream.score_samples(X), whole.score_samples(X), rtol=1e-9)
    assert not hasattr(machine(pretrain=True), "partial_fit")


def test_a_fit_that_is_saved_goes_on_as_it_would_have(X):
    model = machine(pretrain=True, max_iter=4, warm_start=True).fit(X)
    reloaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(reloaded.score_samples(X), model.score_samples(X))
    assert_array_equal(reloaded.fit(X).score_samples(X), model.fit(X).score_samples(X))


def test_log_partition_is_bracketed_there_and_back(fitted):
    exact = clone(fitted)
    exact = fitted.estimate_log_partition(partition="exact").log_partition_
    budget = AnnealedImportanceSampling(200, 200, bracket=True)
    fitted.estimate_log_partition(partition=budget, random_state=0)
    assert_allclose(fitted.log_partition_bracket_, exact, atol=0.1)
    fitted.estimate_log_partition(partition="exact")


def test_clamped_draws_follow_the_conditional(fitted):
    given = np.array([1, np.nan, np.nan, 0, 0, np.nan])
    draws = fitted.sample(4000, given=given, random_state=0)
    held = ~np.isnan(given)
    assert np.all(draws[:, held] == given[held])
    p = np.exp(fitted.log_density(STATES)) * np.all(STATES[:, held] == given[held], axis=1)
    assert_allclose(draws.mean(axis=0), p @ STATES / p.sum(), atol=0.04)


def test_a_search_over_layers_and_a_classifier_on_top(X):
    y = (X[:, :3].sum(axis=1) > 1.5).astype(int)
    search = GridSearchCV(machine(max_iter=10), {"hidden_layer_sizes": [(3,), (3, 2)]}, cv=2).fit(X)
    assert set(search.best_params_) == {"hidden_layer_sizes"}
    pipeline = make_pipeline(machine(output_layer="all"), LogisticRegression())
    assert pipeline.fit(X, y).score(X, y) > 0.9
