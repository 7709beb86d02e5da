"""The energy that the documentation adds, and the estimator made of it."""

import numpy as np
import pytest
from product_of_t import ProductOfT, ProductOfTEnergy
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklvm.energies import GaussianEnergy
from sklvm.objectives import OBJECTIVES, suitable_objectives
from sklvm.testing import EnergyTestCase


class TestProductOfTEnergy(EnergyTestCase):
    def make(self):
        rng = np.random.default_rng(0)
        energy = ProductOfTEnergy(n_features=2, n_components=3, sigma=1.5)
        theta = energy.layout.pack(
            filters=rng.standard_normal((3, 2)), log_alpha=0.5 * rng.standard_normal(3)
        )
        return energy, theta, rng.standard_normal((12, 2))


def test_every_objective_for_continuous_data_fits_it():
    like_the_gaussian = suitable_objectives(GaussianEnergy(2), OBJECTIVES)
    fitting = suitable_objectives(ProductOfTEnergy(2, 3, 1.5), OBJECTIVES)
    assert {"score_matching", "denoising_score_matching", "nce"} <= set(fitting)
    assert set(fitting) <= set(like_the_gaussian)


@pytest.mark.parametrize("objective", ["score_matching", "denoising_score_matching", "nce"])
def test_it_finds_the_directions_of_independent_heavy_tailed_sources(objective):
    rng = np.random.default_rng(0)
    mixing = np.array([[1.0, 0.8], [-0.3, 1.0]])
    sources = rng.standard_t(4, size=(4000, 2))
    X = sources @ mixing.T
    model = ProductOfT(
        2, sigma=30.0, objective=objective, max_iter=40, partition="none", random_state=0
    ).set_params(optimizer__learning_rate=0.02)
    filters = model.fit(X).components_
    gains = np.abs(filters @ mixing)
    assert np.all(gains.max(axis=1) > 4 * gains.min(axis=1))
    np.testing.assert_array_equal(np.sort(gains.argmax(axis=1)), [0, 1])


@parametrize_with_checks([ProductOfT(3, max_iter=5)])
@pytest.mark.filterwarnings("ignore:Skipping check:sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_estimator_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_a_scale_out_of_range_is_refused():
    with pytest.raises(
        ValueError, match=r"'sigma' parameter .* in the range \(0\.0, inf\)\. Got -1\.0"
    ):
        ProductOfT(sigma=-1.0).fit(np.eye(3))
