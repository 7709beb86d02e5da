"""Variational noise-contrastive estimation in estimators, and the densities that it recovers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm import BernoulliRBM, DeepEnergyModel, GaussianRBM
from sklvm.energies import (
    GaussianMixtureEnergy,
)
from sklvm.objectives import (
    NoiseContrastiveEstimation,
    VariationalNoiseContrastiveEstimation,
)
from sklvm.optimizers import LBFGS, Adam
from sklvm.testing import (
    FlatObjective,
)

NU = 3


def vnce(**parameters):
    return VariationalNoiseContrastiveEstimation(NU, frozen_noise=True, **parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [("posterior", "exakt"), ("posterior", None), ("n_importance_samples", 0), ("noise_ratio", 0)],
)
def test_a_parameter_out_of_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of VariationalNoise"):
        VariationalNoiseContrastiveEstimation(**{name: value}).validate()


def test_it_is_deterministic_where_neither_noise_nor_states_are_drawn():
    assert vnce(posterior="exact").deterministic
    assert vnce(posterior="encoder", n_importance_samples="all").deterministic
    assert not vnce().deterministic
    assert not VariationalNoiseContrastiveEstimation(posterior="exact").deterministic


@pytest.mark.parametrize(
    "model",
    [
        BernoulliRBM(3, binarize=0.0, max_iter=20),
        GaussianRBM(3, max_iter=20),
        DeepEnergyModel(
            3,
            hidden_layer_sizes=(4,),
            max_iter=20,
            objective="score_matching",
            sigma=1.0,
            optimizer="adam",
        ),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("posterior", ["auto", "encoder"])
def test_estimators_take_it_by_name_and_publish_what_they_always_do(model, posterior, rng):
    X = rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4))
    model.set_params(objective="vnce", optimizer=Adam(0.01), max_iter=3, random_state=0)
    model.set_params(objective__posterior=posterior, objective__noise_ratio=2)
    scores = model.fit(X.astype(np.float32)).score_samples(X.astype(np.float32))
    assert scores.dtype == np.float32
    assert model.transform(X).shape == (200, 3)
    assert len(model.history_["objective"]) == 3
    model.partial_fit(X.astype(np.float32))


def test_by_the_exact_posterior_an_estimator_is_that_of_noise_contrastive_estimation(rng):
    X = rng.standard_normal((100, 3)).astype(np.float64)
    parameters = {"max_iter": 5, "random_state": 0, "partition": "none"}
    models = [
        GaussianRBM(3, objective=name, **parameters).fit(X).components_ for name in ("nce", "vnce")
    ]
    assert_allclose(*models, rtol=1e-7)


# -- recovery of a density -------------------------------------------------------------------------


def toy():
    """Two widths at one place, as in Rhodes & Gutmann; equal masses."""
    energy = GaussianMixtureEnergy(1, 2)
    return energy, energy.layout.pack(
        means=0.0, log_scale=np.log([1.0, 4.0]), log_heights=-np.log([4.0])
    )


def fit_toy(objective, n, seed):
    """θ and c, with the noise held fixed, from the truth and an encoder that has learned that."""
    energy, true = toy()
    X = energy.sample(true, n, np.random.default_rng([n, seed]))
    weights, rng = np.full(n, 1 / n), np.random.default_rng(seed)
    extra, state = FlatObjective(objective).init(energy, true, X, weights, rng)
    theta = np.concatenate([true, extra])
    for free in (slice(true.size + 1, None), slice(None)):

        def criterion(some, free=free):
            full = theta.copy()
            full[free] = some
            with np.errstate(over="ignore", invalid="ignore"):
                value, gradient, _ = FlatObjective(objective).step(
                    energy, full, X, weights, state, rng
                )
            return value, gradient[free]

        if theta[free].size:
            theta[free], _, _ = LBFGS(gradient_tol=1e-5, value_tol=1e-10).minimize(
                criterion, theta[free].copy(), 1000, lambda theta, value: None
            )
    return theta[: true.size], theta[true.size]


TOY_CRITERIA = {
    "nce": NoiseContrastiveEstimation(5, frozen_noise=True),
    "exact": VariationalNoiseContrastiveEstimation(5, frozen_noise=True),
    "encoder": VariationalNoiseContrastiveEstimation(
        5,
        posterior="encoder",
        hidden_layer_sizes=(10,),
        activation="tanh",
        n_importance_samples="all",
        frozen_noise=True,
    ),
}


@pytest.mark.parametrize("name", sorted(TOY_CRITERIA))
def test_the_learned_log_partition_is_near_the_true_one(name):
    energy, _ = toy()
    theta, log_partition = fit_toy(TOY_CRITERIA[name], 1500, 0)
    assert abs(log_partition - energy.log_partition(theta)) < 0.1


@pytest.mark.slow
def test_the_error_falls_with_n_as_that_of_noise_contrastive_estimation():
    _, true = toy()

    def squared_error(objective, n, seed):
        return np.sum((fit_toy(objective, n, seed)[0] - true) ** 2)

    # The median, for single fits of few rows run away to a component without mass.
    sizes = np.array([250, 1000, 4000])
    errors = {
        name: np.median([[squared_error(c, n, seed) for seed in range(8)] for n in sizes], axis=1)
        for name, c in TOY_CRITERIA.items()
    }
    assert_allclose(errors["exact"], errors["nce"], rtol=1e-2)
    for error in errors.values():
        assert -1.7 < np.polyfit(np.log(sizes), np.log(error), 1)[0] < -0.5
    assert errors["encoder"][-1] < 2 * errors["nce"][-1]
