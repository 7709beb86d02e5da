"""What every objective keeps, on every energy that it fits."""

from sklvm.objectives import (
    ContrastiveDivergence,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
    PersistentContrastiveDivergence,
    ScoreMatching,
)
from sklvm.testing import ObjectiveTestCase, small_models


class TestScoreMatching(ObjectiveTestCase):
    def make(self):
        return ScoreMatching()


class TestDenoisingScoreMatching(ObjectiveTestCase):
    def make(self):
        return DenoisingScoreMatching(noise_level=0.3)


class TestNoiseContrastiveEstimation(ObjectiveTestCase):
    def make(self):
        return NoiseContrastiveEstimation(noise_ratio=3)


class TestContrastiveDivergence(ObjectiveTestCase):
    def make(self):
        return ContrastiveDivergence(n_steps=2)


class TestPersistentContrastiveDivergence(ObjectiveTestCase):
    def make(self):
        return PersistentContrastiveDivergence(n_chains=7, n_steps=2)


def test_every_energy_has_an_objective_and_every_objective_an_energy():
    fitting = {
        case.__name__: set(case().models())
        for case in (TestScoreMatching, TestNoiseContrastiveEstimation, TestContrastiveDivergence)
    }
    assert set().union(*fitting.values()) == set(small_models())
    assert fitting["TestContrastiveDivergence"] == {"bernoulli_rbm", "gaussian_rbm"}
    assert fitting["TestScoreMatching"] == set(small_models()) - {"bernoulli_rbm"}
