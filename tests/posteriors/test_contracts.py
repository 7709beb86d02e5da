"""Every posterior of the package keeps what a posterior promises."""

import numpy as np
import pytest

import sklvm.posteriors
from sklvm.energies import BernoulliRBMEnergy, BinaryFactorEnergy, DeepEnergy, GaussianMixtureEnergy
from sklvm.posteriors import DiscreteEncoder, Encoder, ExactEncoder, GaussianEncoder, ModelEncoder
from sklvm.testing import PosteriorTestCase, binary_states

LISTED = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])


class GaussianCase(PosteriorTestCase):
    options = {}

    def make(self):
        encoder = GaussianEncoder(3, 2, (4,), "tanh", **self.options)
        phi = 0.5 * self.rng.standard_normal(encoder.layout.size)
        return encoder, phi, self.rng.standard_normal((5, 3))


class TestGaussianEncoder(GaussianCase):
    pass


class TestGaussianEncoderWithFullCovariances(GaussianCase):
    options = {"full": True}


class TestGaussianEncoderWithMissingEntries(GaussianCase):
    options = {"mask_channel": True}

    def make(self):
        encoder, phi, X = super().make()
        X[0, 1] = X[3, 2] = np.nan
        return encoder, phi, X


class TestDiscreteEncoder(PosteriorTestCase):
    def make(self):
        encoder = DiscreteEncoder(2, 3, (4,), "tanh")
        phi = self.rng.standard_normal(encoder.layout.size)
        return encoder, phi, self.rng.standard_normal((5, 2))

    def states(self):
        return binary_states(3)


class TestDiscreteEncoderOverListedStates(PosteriorTestCase):
    def make(self):
        encoder = DiscreteEncoder(2, 3, (), states=LISTED)
        phi = self.rng.standard_normal(encoder.layout.size)
        return encoder, phi, self.rng.standard_normal((5, 2))

    def states(self):
        return LISTED


class ExactCase(PosteriorTestCase):
    def make(self):
        energy = self.energy
        theta = 0.7 * self.rng.standard_normal(energy.layout.size)
        X = (self.rng.random((5, energy.n_features)) < 0.5).astype(float)
        return ExactEncoder(energy), theta, X

    def states(self):
        return binary_states(3)


class TestExactEncoder(ExactCase):
    energy = BernoulliRBMEnergy(4, 3)

    test_the_start_is_of_the_layouts_size_and_weights_are_repeated_rows = pytest.mark.skip(
        "the start is the energy's"
    )(ExactCase.test_the_start_is_of_the_layouts_size_and_weights_are_repeated_rows)


class TestExactEncoderOfADeepEnergy(TestExactEncoder):
    energy = DeepEnergy(2, 3, (4,))


class TestExactEncoderOfAMixture(TestExactEncoder):
    energy = GaussianMixtureEnergy(2, 3)

    def states(self):
        return np.eye(3)


class TestModelEncoder(TestExactEncoder):
    energy = BinaryFactorEnergy(2, 3, sigma_floor=0.3)

    def make(self):
        _, theta, X = super().make()
        return ModelEncoder(self.energy), theta, X


def test_every_encoder_has_a_case():
    tested = {name.removeprefix("Test") for name in globals() if name.startswith("Test")}
    public = {name for name in sklvm.posteriors.__all__ if name.endswith("Encoder")} - {"Encoder"}
    public -= {"PointEncoder"}  # which has no density
    assert public <= tested
    assert isinstance(GaussianEncoder(2, 1), Encoder)
