"""The latent energy that the documentation adds: its checks, all criteria, clamped draws."""

import inspect

import numpy as np
import pytest
from scale_mixture_rbm import (
    ScaleMixtureRBM,
    ScaleMixtureRBMEnergy,
    ScoredScaleMixtureRBMEnergy,
)

from sklvm.energies import Gibbs, IndependentBinaryLatents, Marginal, PositivePhase, Tempered
from sklvm.objectives import OBJECTIVES, suitable_objectives
from sklvm.testing import EnergyTestCase, random_parameters

FITTING = [
    "cd",
    "cnce",
    "denoising_score_matching",
    "nce",
    "parallel_tempering",
    "pcd",
    "vnce",
]


class TestScaleMixtureRBMEnergy(EnergyTestCase):
    def make(self):
        rng = np.random.default_rng(1)
        energy = ScoredScaleMixtureRBMEnergy(n_features=2, n_components=3, sigma=1.5)
        return energy, random_parameters(energy, rng), rng.standard_normal((12, 2))


def test_terms_and_the_visible_side_take_no_more_than_sixty_lines():
    source = inspect.getsource(ScaleMixtureRBMEnergy).replace(ScaleMixtureRBMEnergy.__doc__, "")
    lines = [line for line in source.splitlines() if line.strip(' "') and "# --" not in line]
    assert len(lines) <= 60
    energy = ScaleMixtureRBMEnergy(2, 3, 1.0)
    for protocol in (Marginal, IndependentBinaryLatents, PositivePhase, Gibbs, Tempered):
        assert isinstance(energy, protocol)


def heavy_tails(n, rng):
    """Two features, each a Gaussian of width 0.3 or 2, both of the same width."""
    return rng.standard_normal((n, 2)) * np.where(rng.random((n, 1)) < 0.5, 0.3, 2.0)


def log_density(X):
    widths = np.array([0.3, 2.0])
    squares = (X**2).sum(axis=1)[:, np.newaxis]
    return np.log((0.5 * np.exp(-0.5 * squares / widths**2) / (2 * np.pi * widths**2)).sum(axis=1))


@pytest.mark.parametrize("objective", FITTING)
def test_every_criterion_that_fits_finds_the_heavy_tails(objective):
    rng = np.random.default_rng(0)
    X, test = heavy_tails(1500, rng), heavy_tails(3000, rng)
    model = ScaleMixtureRBM(3, sigma=2.0, objective=objective, max_iter=25, random_state=0)
    model.set_params(optimizer__learning_rate=0.03)
    shortfall = log_density(test).mean() - model.fit(X).score(test)
    of_a_gaussian = log_density(test).mean() + 0.5 * np.log(2 * np.pi * np.e * X.var(axis=0)).sum()
    assert of_a_gaussian > 0.5
    assert shortfall < 0.1 * of_a_gaussian + KNOWN_BIAS.get(objective, 0)


# Of noisy data, whose narrow peak is wider; and of few sweeps from the data, in nats.
KNOWN_BIAS = {"denoising_score_matching": 0.05, "cd": 0.05}


def test_no_other_criterion_fits():
    fitting = suitable_objectives(ScoredScaleMixtureRBMEnergy(2, 3, 1.0), OBJECTIVES)
    assert fitting == FITTING


def test_missing_entries_are_filled_in_from_the_others():
    # A first entry far out says that the width is 2, one near 0 that it is 0.3 more often.
    rng = np.random.default_rng(0)
    model = ScaleMixtureRBM(3, sigma=2.0, objective="pcd", max_iter=40, random_state=0)
    model.set_params(optimizer__learning_rate=0.03).fit(heavy_tails(2000, rng))
    X = np.repeat([[0.1, np.nan], [3.0, np.nan]], 500, axis=0)
    filled = model.impute(X, method="draw", random_state=0)
    near, far = filled[:500, 1], filled[500:, 1]
    np.testing.assert_array_equal(filled[:, 0], X[:, 0])
    assert np.std(far) > 2 * np.median(np.abs(near)) / 0.6745
    assert abs(np.std(far) - 2) < 0.3
    draws = model.sample(500, given=[3.0, np.nan], random_state=0)
    assert abs(np.std(draws[:, 1]) - 2) < 0.3
