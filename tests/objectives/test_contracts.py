"""What every objective keeps, on every energy that it fits."""

from sklvm.objectives import (
    ConditionalNoiseContrastiveEstimation,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    MaximumLikelihood,
    NoiseContrastiveEstimation,
    ParallelTempering,
    PersistentContrastiveDivergence,
    PseudoLikelihood,
    RatioMatching,
    ScoreMatching,
    SlicedScoreMatching,
)
from sklvm.testing import ObjectiveTestCase, small_models


class TestScoreMatching(ObjectiveTestCase):
    def make(self):
        return ScoreMatching()


class TestSlicedScoreMatching(ObjectiveTestCase):
    def make(self):
        return SlicedScoreMatching(n_slices=2)


class TestSlicedScoreMatchingWithAllTermsSliced(ObjectiveTestCase):
    def make(self):
        return SlicedScoreMatching(slices="gaussian", variance_reduced=False)


class TestDenoisingScoreMatching(ObjectiveTestCase):
    def make(self):
        return DenoisingScoreMatching(noise_level=0.3)


class TestNoiseContrastiveEstimation(ObjectiveTestCase):
    def make(self):
        return NoiseContrastiveEstimation(noise_ratio=3)


class TestNoiseContrastiveEstimationWithFrozenNoise(ObjectiveTestCase):
    def make(self):
        return NoiseContrastiveEstimation(noise_ratio=3, frozen_noise=True)


class TestConditionalNoiseContrastiveEstimation(ObjectiveTestCase):
    def make(self):
        return ConditionalNoiseContrastiveEstimation(n_noise=4)


class TestConditionalNoiseOfAnOddNumberAndTheSameInAllDirections(ObjectiveTestCase):
    def make(self):
        return ConditionalNoiseContrastiveEstimation(3, 0.3, "isotropic")


class TestMaximumLikelihood(ObjectiveTestCase):
    def make(self):
        return MaximumLikelihood()


class TestPseudoLikelihood(ObjectiveTestCase):
    def make(self):
        return PseudoLikelihood()


class TestRatioMatching(ObjectiveTestCase):
    def make(self):
        return RatioMatching()


class TestContrastiveDivergence(ObjectiveTestCase):
    def make(self):
        return ContrastiveDivergence(n_steps=2)


class TestLangevinContrastiveDivergence(ObjectiveTestCase):
    def make(self):
        return ContrastiveDivergence(sampler="langevin")


class TestParallelTempering(ObjectiveTestCase):
    def make(self):
        return ParallelTempering(n_chains=7, n_steps=2)


class TestPersistentContrastiveDivergence(ObjectiveTestCase):
    def make(self):
        return PersistentContrastiveDivergence(n_chains=7, n_steps=2)


def test_every_energy_has_an_objective_and_every_objective_an_energy():
    fitting = {
        case.__name__: set(case().models())
        for case in (
            TestScoreMatching,
            TestNoiseContrastiveEstimation,
            TestContrastiveDivergence,
            TestLangevinContrastiveDivergence,
        )
    }
    assert fitting["TestNoiseContrastiveEstimation"] == set(small_models())
    assert fitting["TestContrastiveDivergence"] == set(small_models())
    assert fitting["TestLangevinContrastiveDivergence"] == set(small_models()) - {"bernoulli_rbm"}
    assert fitting["TestScoreMatching"] == set(small_models()) - {"bernoulli_rbm"}
