"""log Z is estimated when it is first asked for, once, and is always that of the current θ."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklvm import BernoulliRBM, DeepEnergyModel, GaussianRBM, SigmoidAutoencoder
from sklvm.base import ConstantLogPartition, _constant_log_partition
from sklvm.energies import Marginal
from sklvm.exceptions import DivergenceError
from sklvm.layouts import ParameterLayout
from sklvm.optimizers import SGD
from sklvm.partition import AnnealedImportanceSampling

BUDGET = AnnealedImportanceSampling(60, 30)
COMPANIONS = ("", "std_err_", "effective_sample_size_", "bracket_")
MODELS = [
    BernoulliRBM(3, binarize=0.0, partition=BUDGET, max_iter=2, random_state=0),
    GaussianRBM(3, sigma=1.0, partition=BUDGET, max_iter=2, random_state=0),
    DeepEnergyModel(
        3,
        hidden_layer_sizes=(4,),
        partition=BUDGET,
        max_iter=2,
        random_state=0,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    ),
    SigmoidAutoencoder(3, partition=BUDGET, max_iter=2, random_state=0, optimizer="adam"),
]


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.standard_normal((80, 3)) @ [[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.3, 0.7]]


@pytest.fixture(params=MODELS, ids=lambda model: type(model).__name__)
def model(request):
    return clone(request.param)


@pytest.fixture
def estimates(monkeypatch):
    """The generators of all estimates made during the test, in their order."""
    made, estimate = [], _constant_log_partition.log_partition

    def counted(*args, **kwargs):
        made.append(kwargs["rng"])
        return estimate(*args, **kwargs)

    monkeypatch.setattr(_constant_log_partition, "log_partition", counted)
    return made


def has_log_z(model):
    known = {hasattr(model, f"log_partition_{suffix}") for suffix in COMPANIONS}
    assert len(known) == 1
    return known.pop()


# -- when it is estimated -------------------------------------------------------------------------


def test_nothing_but_a_score_starts_the_work(model, X, estimates):
    assert not hasattr(model, "score_normalized_")
    model.fit(X)
    repr(model), model._repr_html_(), clone(model), copy.deepcopy(model), pickle.dumps(model)
    model.transform(X)
    model.energy(X)
    model.sample(2, random_state=0)
    assert not has_log_z(model)
    assert model.score_normalized_
    with pytest.raises(AttributeError, match=r"no log_partition_std_err_ yet. score_samples"):
        assert model.log_partition_std_err_ == 0
    assert not estimates
    model.score_samples(X)
    model.score(X)
    model.estimate_log_partition()
    assert has_log_z(model)
    assert len(estimates) == 1


def test_a_model_before_a_classifier_never_pays(X, estimates):
    pipeline = make_pipeline(BernoulliRBM(3, binarize=0.0, max_iter=1), LogisticRegression())
    pipeline.fit(X, X[:, 0] > 0).predict(X)
    pipeline.score(X, X[:, 0] > 0)
    assert not estimates


def test_it_does_not_matter_when_it_is_asked_for(model, X):
    at_once = clone(model).fit(X).score_samples(X)
    model.fit(X)
    model.sample(3)
    model.transform(X)
    reloaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(model.score_samples(X[::-1])[::-1], at_once)
    assert_array_equal(reloaded.score_samples(X), at_once)
    assert pickle.loads(pickle.dumps(model)).log_partition_ == model.log_partition_


def test_two_threads_make_one_estimate(model, X, estimates):
    model.fit(X)
    barrier = threading.Barrier(4)

    def score(_):
        barrier.wait()
        return model.score_samples(X)

    with ThreadPoolExecutor(4) as threads:
        scores = list(threads.map(score, range(4)))
    assert len(estimates) == 1
    for other in scores[1:]:
        assert_array_equal(other, scores[0])


def test_an_estimate_by_other_means_is_made_anew_and_used(model, X, estimates):
    model.fit(X)
    before, first = model.score_samples(X), model.log_partition_
    model.estimate_log_partition(random_state=7)
    assert len(estimates) == 2
    second = model.log_partition_
    assert second != first
    assert_allclose(model.score_samples(X), before + first - second)
    model.estimate_log_partition(X + 0.1)
    third = model.log_partition_
    model.estimate_log_partition(partition=AnnealedImportanceSampling(200, 2))
    assert len({first, second, third, model.log_partition_}) == 4


def test_a_callback_sees_normalised_scores_after_each_epoch(X, estimates):
    scores = []

    def score(estimator, X, y):
        scores.append(estimator.score_samples(X).mean())
        return {"score": scores[-1]}

    model = GaussianRBM(3, max_iter=3, random_state=0)
    monitor = ScoringMonitor(scoring=score)
    model.set_callbacks(monitor).fit(X, np.zeros(len(X)))
    assert scores[-1] == model.score(X)
    assert len(set(scores)) == 3
    # One for each number of steps, and none again for the model itself.
    assert len(estimates) == 3


# -- which parameters it belongs to ---------------------------------------------------------------


def test_further_training_makes_it_unknown_and_the_next_score_estimates_it(model, X, estimates):
    scores = model.fit(X).score_samples(X)
    model.partial_fit(X[:50])
    assert not has_log_z(model)
    assert np.all(np.isfinite(model.score_samples(X)))
    assert np.any(model.score_samples(X) != scores)
    assert len(estimates) == 2


def test_a_stream_has_the_log_z_of_the_fit_that_makes_the_same_steps(model, X):
    model.set_params(partition="ais", optimizer="adam", shuffle=False, max_iter=1)
    model.set_params(batch_size=40)
    fitted = clone(model).fit(X)
    streamed = model.partial_fit(X)
    assert_array_equal(streamed.score_samples(X), fitted.score_samples(X))


def test_a_resumed_fit_has_the_log_z_of_the_one_that_was_never_stopped(model, X):
    # The optimiser has no schedule, which would end with each fit.
    model.set_params(warm_start=True, shuffle=False, optimizer="adam")
    whole = clone(model).set_params(max_iter=4).fit(X)
    halves = model.fit(X)
    halves.score_samples(X)
    assert_array_equal(halves.fit(X).score_samples(X), whole.score_samples(X))


def test_partition_set_after_the_fit_counts_from_the_next_fit_on(model, X):
    unset = clone(model).fit(X).score_samples(X)
    model.fit(X).set_params(partition="none")
    assert model.score_normalized_
    assert_array_equal(model.score_samples(X), unset)
    model.partial_fit(X)
    assert model.score_normalized_
    model.fit(X)
    assert not model.score_normalized_
    assert not has_log_z(model)
    assert_array_equal(model.score_samples(X), -model.energy(X))


def test_a_budget_changed_in_place_after_the_fit_changes_nothing(X):
    model = clone(MODELS[1]).fit(X)
    expected = clone(MODELS[1]).fit(X).score_samples(X)
    model.set_params(partition__n_temperatures=2, partition__n_chains=2)
    assert_array_equal(model.score_samples(X), expected)


def test_without_log_z_scores_are_not_normalised_until_it_is_asked_for(model, X):
    model.set_params(partition="none").fit(X)
    assert not model.score_normalized_
    assert_array_equal(model.score_samples(X), -model.energy(X))
    model.estimate_log_partition()
    assert model.score_normalized_
    shift = -model.energy(X) - model.score_samples(X)
    assert_allclose(shift, model.log_partition_)


# -- after a divergence ---------------------------------------------------------------------------


def diverge(model, X):
    exploding = {"optimizer": SGD(1e9), "max_iter": 20}
    with pytest.raises(DivergenceError):
        model.set_params(**exploding).fit(X)
    return model


def test_a_first_fit_that_diverges_leaves_a_model_that_does_all(model, X):
    diverge(model, X)
    assert np.all(np.isfinite(model.score_samples(X)))
    assert np.isfinite(model.estimate_log_partition(random_state=0).log_partition_)
    assert model.sample(2, random_state=0).shape == (2, 3)
    if hasattr(model, "impute"):
        assert not np.isnan(model.impute(np.where(X > 1, np.nan, X), random_state=0)).any()


def test_a_refit_that_diverges_keeps_nothing_of_the_fit_before(model, X):
    model.fit(X).score_samples(X)
    narrow = X[:, :2]
    diverge(model, narrow)
    assert not has_log_z(model)
    fresh = diverge(clone(model), narrow)
    assert_array_equal(model.score_samples(narrow), fresh.score_samples(narrow))
    assert model.sample(2, random_state=0).shape == (2, 2)


# -- what cannot be had is refused before any work ------------------------------------------------


class OnlyMarginal:
    """E(x) = ½‖x − μ‖², and not a thing more."""

    def __init__(self, n_features):
        self.n_features = n_features
        self.layout = ParameterLayout({"mean": (n_features,)})

    def init_parameters(self, X, rng, sample_weight=None):
        return np.zeros(self.n_features, dtype=X.dtype)

    def evaluate(self, theta, X):
        R = theta - X
        return 0.5 * (R**2).sum(axis=1), lambda w: w @ R


class OnlyMarginalModel(DeepEnergyModel):
    def _make_energy(self, n_features):
        return OnlyMarginal(n_features)

    def _model_attributes(self, energy, theta):
        return {"mean_": theta}


def test_an_energy_without_a_path_is_refused_before_it_trains(X):
    assert isinstance(OnlyMarginal(3), Marginal)
    model = OnlyMarginalModel(objective="nce")
    before = dict(vars(model))
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"log Z of OnlyMarginal cannot.*partition='none'"):
            train(X)
    assert set(vars(model)) - set(before) <= {"n_features_in_"}
    X = (X > 0).astype(np.float64)
    model.set_params(partition="none", max_iter=2).fit(X)
    assert_array_equal(model.score_samples(X), -model.energy(X))
    with pytest.raises(ValueError, match="OnlyMarginal cannot be had"):
        model.estimate_log_partition()
    with pytest.raises(ValueError, match="no path to anneal along"):
        model.sample(2)


@pytest.mark.parametrize("train", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("partition", "message"),
    [("exact", "partition='exact' needs"), (AnnealedImportanceSampling(n_chains=1), "n_chains")],
)
def test_what_partition_cannot_give_is_refused_before_any_work(X, train, partition, message):
    model = GaussianRBM(30, partition=partition, max_iter=20)
    with pytest.raises(ValueError, match=message):
        getattr(model, train)(X)
    assert not hasattr(model, "components_")


def test_a_later_estimate_of_a_wrong_kind_is_refused(X):
    model = GaussianRBM(30, max_iter=0).fit(X)
    with pytest.raises(ValueError, match="partition='exact' needs"):
        model.estimate_log_partition(partition="exact")
    with pytest.raises(ValueError, match=r"partition must be one of .*got 'guess'"):
        model.estimate_log_partition(partition="guess")


# -- progress -------------------------------------------------------------------------------------


def test_a_verbose_estimate_prints_ten_lines_and_the_value(X, capsys):
    model = GaussianRBM(3, max_iter=0, partition=BUDGET, random_state=0).fit(X)
    model.score_samples(X)
    assert capsys.readouterr().out == ""
    model.estimate_log_partition(verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[-2] == "[GaussianRBM] log Z: temperature 59 of 59"
    assert lines[-1].startswith(f"[GaussianRBM] log Z = {model.log_partition_:.6g} ± ")


def test_a_log_partition_says_who_it_is_for(X):
    with pytest.raises(ValueError, match="OnlyMarginal"):
        ConstantLogPartition(OnlyMarginal(3), "ais", seed=0)
