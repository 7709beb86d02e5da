"""What every objective keeps, on every energy that it fits."""

import numpy as np

import sklvm.objectives
from sklvm.energies import ExactPosterior, Score
from sklvm.objectives import (
    OBJECTIVES,
    RECONSTRUCTION_OBJECTIVES,
    AutoencoderLoss,
    ConditionalNoiseContrastiveEstimation,
    ContrastiveDivergence,
    DenoisingReconstructionError,
    DenoisingScoreMatching,
    EvidenceLowerBound,
    ImportanceWeightedBound,
    MaximumLikelihood,
    MinimumProbabilityFlow,
    NoiseContrastiveEstimation,
    Objective,
    ParallelTempering,
    PersistentContrastiveDivergence,
    PointPosteriorBound,
    PseudoLikelihood,
    RatioMatching,
    ReconstructionError,
    ScoreMatching,
    SlicedScoreMatching,
    VariationalBound,
    VariationalNoiseContrastiveEstimation,
)
from sklvm.posteriors import GaussianEncoder, PointEncoder
from sklvm.testing import ObjectiveTestCase, numerical_gradient, small_models


def without(models, *names):
    return {name: model for name, model in models.items() if name not in names}


class TestScoreMatching(ObjectiveTestCase):
    def make(self):
        return ScoreMatching()


class TestRegularizedScoreMatching(ObjectiveTestCase):
    def make(self):
        return ScoreMatching(regularization=0.3)


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

    def models(self):
        # Those whose posterior is exact, so that no hidden units are drawn.
        models = without(super().models(), "binary_factors")
        return {
            name: model for name, model in models.items() if isinstance(model[0], ExactPosterior)
        }


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
        return without(super().models(), "bernoulli_rbm", "deep_boltzmann_machine", "decoder")


class TestVariationalNoiseContrastiveEstimationWithTheModelsOwnPosterior(ObjectiveTestCase):
    n_repetitions = 20

    def make(self):
        return VariationalNoiseContrastiveEstimation(noise_ratio=2, n_importance_samples="all")

    def models(self):
        return {"binary_factors": super().models()["binary_factors"]}


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
        return ReconstructionError()


class TestDenoisingReconstructionError(ObjectiveTestCase):
    def make(self):
        return DenoisingReconstructionError(noise_level=0.3)


class TestPointPosteriorBound(ObjectiveTestCase):
    def make(self):
        return PointPosteriorBound(tau=0.7)


class TestVariationalBound(ObjectiveTestCase):
    def make(self):
        return VariationalBound()


class TestEvidenceLowerBound(ObjectiveTestCase):
    def make(self):
        encoder = GaussianEncoder(3, 2, (4,), "tanh", full=True)
        return EvidenceLowerBound(beta=2.0, n_mc_samples=2).with_encoder(encoder)


class TestEvidenceLowerBoundByTheScoreFunction(ObjectiveTestCase):
    n_repetitions = 20

    def make(self):
        return EvidenceLowerBound(n_mc_samples=2, gradient="score_function")

    test_the_gradient_is_that_of_the_value = None


class TestImportanceWeightedBound(ObjectiveTestCase):
    def make(self):
        return ImportanceWeightedBound(n_samples=3)

    test_the_gradient_is_that_of_the_value = None


class TestAutoencoderLoss(ObjectiveTestCase):
    def make(self):
        encoder = PointEncoder(3, 2, (4,), "tanh", output_activation="sigmoid")
        return AutoencoderLoss(tau=0.8, contraction=0.3).with_encoder(encoder)


class TestDenoisingAutoencoderLoss(ObjectiveTestCase):
    def make(self):
        return AutoencoderLoss(noise_level=0.4).with_encoder(PointEncoder(3, 2, (4,), "tanh"))


class TestMaximumLikelihood(ObjectiveTestCase):
    def make(self):
        return MaximumLikelihood()


class TestPseudoLikelihood(ObjectiveTestCase):
    def make(self):
        return PseudoLikelihood()


class TestMinimumProbabilityFlow(ObjectiveTestCase):
    def make(self):
        return MinimumProbabilityFlow()


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
    marginal = set(small_models()) - {"decoder", "binary_factors", "deep_boltzmann_machine"}
    conditional = {"gated_rbm", "gated_gaussian_rbm"}
    binary = {n for n, (energy, _, _) in small_models().items() if not isinstance(energy, Score)}
    assert fitting["TestNoiseContrastiveEstimation"] == marginal - conditional
    assert fitting["TestContrastiveDivergence"] == marginal | {"deep_boltzmann_machine"}
    assert fitting["TestLangevinContrastiveDivergence"] == marginal - binary
    assert fitting["TestScoreMatching"] == marginal - binary
    bounded = {"binary_factors", "deep_boltzmann_machine"}
    assert set(TestVariationalBound().models()) == bounded
    assert set(TestEvidenceLowerBound().models()) == {"decoder"}


def test_every_objective_has_a_case():
    cases = [case for case in globals().values() if isinstance(case, type)]
    made = {
        type(case().make())
        for case in cases
        if issubclass(case, ObjectiveTestCase) and case is not ObjectiveTestCase
    }
    assert made == {*OBJECTIVES.values(), *RECONSTRUCTION_OBJECTIVES.values()}


def test_every_objective_has_a_base_case():
    public = {
        name
        for name in sklvm.objectives.__all__
        if isinstance(value := getattr(sklvm.objectives, name), type)
        and issubclass(value, Objective)
    }
    cases = [
        value
        for value in globals().values()
        if isinstance(value, type) and issubclass(value, ObjectiveTestCase)
    ]
    tested = {type(case().make()).__name__ for case in cases if case is not ObjectiveTestCase}
    # Bases without a criterion of their own.
    assert public - tested == {"EncoderObjective", "Objective"}
