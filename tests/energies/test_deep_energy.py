"""The deep energy, of every depth and form."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import DeepEnergy
from sklvm.testing import EnergyTestCase, random_parameters

FORMS = {
    "no hidden layer": {"hidden_layer_sizes": ()},
    "no hidden layer, sigma learned": {"hidden_layer_sizes": (), "sigma": "learn"},
    "one hidden layer": {"hidden_layer_sizes": (5,), "sigma": 0.7},
    "without hidden biases": {"hidden_layer_sizes": (5,), "hidden_bias": False},
    "tanh": {"hidden_layer_sizes": (5,), "activation": "tanh", "sigma": "learn"},
    "softplus": {"hidden_layer_sizes": (5,), "activation": "softplus", "sigma": 0.5},
    "two hidden layers": {"hidden_layer_sizes": (5, 3), "sigma": "learn"},
    "three hidden layers": {
        "hidden_layer_sizes": (4, 3, 5),
        "activation": "tanh",
        "hidden_bias": False,
        "sigma": "learn",
        "sigma_floor": 0.5,
    },
}


class TestDeepEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=FORMS.values(), ids=FORMS.keys())
    def _form(self, request):
        self.form = request.param

    def make(self):
        return self._make(n_features=6, n_components=4)

    def make_small(self):
        return self._make(n_features=2, n_components=3)

    def _make(self, n_features, n_components):
        rng = np.random.default_rng(2)
        energy = DeepEnergy(n_features, n_components, **self.form)
        return energy, random_parameters(energy, rng), rng.standard_normal((12, n_features))


def test_without_hidden_layers_it_is_a_mixture_of_gaussians(rng):
    # p(x) = Σ_z p(z) N(x; σ²(b + Wᵀz), σ²I), summed over the 2^K states of z.
    sigma = 0.6
    energy = DeepEnergy(3, 2, (), sigma=sigma)
    theta = random_parameters(energy, rng)
    views = energy.layout.views(theta)
    X = rng.standard_normal((7, 3))
    density = 0.0
    for z in ([0, 0], [0, 1], [1, 0], [1, 1]):
        mean = sigma**2 * (views["visible_bias"] + z @ views["coefs_0"])
        log_weight = z @ views["intercepts_0"] + mean @ mean / (2 * sigma**2)
        density += np.exp(log_weight - ((X - mean) ** 2).sum(axis=1) / (2 * sigma**2))
    assert_allclose(energy.evaluate(theta, X)[0], -np.log(density), rtol=1e-12)


def test_the_curvature_is_that_of_the_gaussian_part():
    energy = DeepEnergy(4, 2, (3,), sigma=0.5)
    theta = np.zeros(energy.layout.size)
    _, divergence, _ = energy.score_and_laplacian(theta, np.ones((1, 4)))
    assert energy.curvature(theta) == 4.0
    assert_allclose(divergence, -4 * 4.0)


def test_the_learned_sigma_never_falls_below_its_floor():
    energy = DeepEnergy(2, 1, (), sigma="learn", sigma_floor=0.1)
    theta = np.zeros(energy.layout.size)
    energy.layout.views(theta)["log_scale"][...] = -100
    assert_allclose(energy.curvature(theta), 1 / 0.1**2)


@pytest.mark.parametrize("sigma", [0.7, "learn"])
@pytest.mark.parametrize("hidden_layer_sizes", [(), (20,), (20, 10)])
def test_the_start_is_near_the_gaussian_of_the_data(hidden_layer_sizes, sigma, rng):
    X = 5 + 0.7 * rng.standard_normal((4000, 6))
    energy = DeepEnergy(6, 3, hidden_layer_sizes, sigma=sigma)
    theta = energy.init_parameters(X, rng)
    variance = 1 / energy.curvature(theta)
    assert_allclose(variance, 0.49, rtol=0.1)
    assert_allclose(energy.layout.views(theta)["visible_bias"] * variance, 5, rtol=0.02)
    first = X @ energy.layout.views(theta)["coefs_0"].T
    first += energy.layout.views(theta)["intercepts_0"]
    assert_allclose(first.mean(axis=0), 0, atol=0.1)


def test_a_start_on_constant_data_is_finite(rng):
    for sigma in (1.0, "learn"):
        energy = DeepEnergy(3, 2, (4,), sigma=sigma)
        theta = energy.init_parameters(np.full((5, 3), 2.0), rng)
        assert np.all(np.isfinite(theta))
        assert np.all(np.isfinite(energy.evaluate(theta, np.full((5, 3), 2.0))[0]))
