"""What every objective keeps, on every energy that it fits."""

import numpy as np

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
    ReconstructionError,
    ScoreMatching,
    SlicedScoreMatching,
    VariationalNoiseContrastiveEstimation,
)
from sklvm.testing import ObjectiveTestCase, numerical_gradient, small_models


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


class TestVariationalNoiseContrastiveEstimation(ObjectiveTestCase):
    def make(self):
        return VariationalNoiseContrastiveEstimation(noise_ratio=3)


class TestVariationalNoiseContrastiveEstimationOverAllStates(ObjectiveTestCase):
    n_repetitions = 20

    def make(self):
        return VariationalNoiseContrastiveEstimation(
            noise_ratio=2,
            posterior="encoder",
            hidden_layer_sizes=(3,),
            activation="tanh",
            n_importance_samples="all",
        )

    def models(self):
        # The noise of binary data is smoothed by half a row, which a repeated row counts as well.
        return {name: m for name, m in super().models().items() if name != "bernoulli_rbm"}


class TestVariationalNoiseContrastiveEstimationByDraws(ObjectiveTestCase):
    n_repetitions = 20

    def make(self):
        return VariationalNoiseContrastiveEstimation(
            noise_ratio=2, posterior="encoder", hidden_layer_sizes=(3,), n_importance_samples=3
        )

    def test_the_gradient_is_that_of_the_value(self):
        """Of θ and log Z; that of the encoder is an estimate, which draws do not move."""
        for _, run in self.runs():
            size = run.energy.layout.size + 1
            gradient = run.step(run.theta)[1][:size]

            def value(theta, run=run, size=size):
                return run.step(np.concatenate([theta, run.theta[size:]]))[0]

            expected = numerical_gradient(value, run.theta[:size])
            assert np.linalg.norm(gradient - expected) <= 1e-6 * np.linalg.norm(expected)


class TestConditionalNoiseContrastiveEstimation(ObjectiveTestCase):
    def make(self):
        return ConditionalNoiseContrastiveEstimation(n_noise=4)


class TestConditionalNoiseOfAnOddNumberAndTheSameInAllDirections(ObjectiveTestCase):
    def make(self):
        return ConditionalNoiseContrastiveEstimation(3, 0.3, "isotropic")


class TestReconstructionError(ObjectiveTestCase):
    def make(self):
        return ReconstructionError(noise_level=0.3, tau=1.0)


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
