"""The energy of the binary restricted Boltzmann machine, wide and narrow."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import BernoulliRBMEnergy
from sklvm.testing import EnergyTestCase, random_parameters


class TestBernoulliRBMEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=[(6, 3), (4, 7)], ids=["K < d", "K > d"])
    def _shape(self, request):
        self.shape = request.param

    def make(self):
        rng = np.random.default_rng(4)
        energy = BernoulliRBMEnergy(*self.shape)
        X = (rng.random((12, self.shape[0])) < 0.5).astype(np.float64)
        return energy, random_parameters(energy, rng), X


def test_enumeration_is_the_same_with_the_layers_exchanged(rng):
    # A sum over more states than one block holds.
    d, K = 15, 17
    energy, mirrored = BernoulliRBMEnergy(d, K), BernoulliRBMEnergy(K, d)
    W, a, b = rng.standard_normal((K, d)), rng.standard_normal(d), rng.standard_normal(K)
    theta = energy.layout.pack(weights=W, visible_bias=a, hidden_bias=b)
    theta_mirrored = mirrored.layout.pack(weights=W.T, visible_bias=b, hidden_bias=a)
    assert energy.n_terms == mirrored.n_terms == 2**d
    assert_allclose(
        energy.log_partition(theta),
        mirrored.log_partition(theta_mirrored),
        rtol=1e-12,
    )


def test_without_weights_log_partition_is_that_of_independent_units(rng):
    energy = BernoulliRBMEnergy(30, 16)
    a, b = rng.standard_normal(30), rng.standard_normal(16)
    theta = energy.layout.pack(weights=0.0, visible_bias=a, hidden_bias=b)
    expected = np.log1p(np.exp(a)).sum() + np.log1p(np.exp(b)).sum()
    assert_allclose(energy.log_partition(theta), expected, rtol=1e-12)
    assert_allclose(energy.start_log_partition(theta), expected, rtol=1e-12)


def test_the_start_has_the_means_of_the_data_also_where_they_are_certain(rng):
    X = (rng.random((2000, 3)) < [0.2, 0.7, 0.0]).astype(np.float64)
    energy = BernoulliRBMEnergy(3, 2)
    for theta in (energy.init_parameters(X, rng), energy.tempered_start(X)):
        bias = energy.layout.views(theta)["visible_bias"]
        assert np.all(np.isfinite(theta))
        assert_allclose(1 / (1 + np.exp(-bias)), X.mean(axis=0), atol=1e-3)


def test_the_two_layers_draw_from_different_streams(rng):
    energy = BernoulliRBMEnergy(50, 50)
    theta = np.zeros(energy.layout.size)
    X = np.zeros((40, 50))
    logits = energy.posterior_logits(theta, X)
    hidden = energy.sample_hidden(logits, 0, 3)
    visible = energy.sample_visible(theta, X, 0, 3)
    assert abs(np.corrcoef(hidden.ravel(), visible.ravel())[0, 1]) < 0.1
    assert np.any(hidden != energy.sample_hidden(logits, 0, 4))
