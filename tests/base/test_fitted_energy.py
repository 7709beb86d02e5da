"""The public way to the energy of a fitted model and its parameters."""

import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from sklvm import BernoulliRBM, DeepEnergyModel, GaussianRBM


def test_the_fitted_energy_gives_the_scores_of_the_model(rng):
    X = rng.standard_normal((30, 3))
    for model in (
        DeepEnergyModel(
            2,
            hidden_layer_sizes=(4,),
            max_iter=2,
            partition="none",
            objective="score_matching",
            sigma=1.0,
            optimizer="adam",
        ),
        GaussianRBM(2, max_iter=2, partition="none"),
        BernoulliRBM(2, binarize=0.0, max_iter=2, partition="none"),
    ):
        assert not hasattr(model, "fitted_energy_")
        with pytest.raises(NotFittedError):
            _ = model.fitted_energy_
        model.fit(X)
        energy, theta = model.fitted_energy_
        assert model.fitted_energy_.energy is energy
        rows = (X > 0).astype(float) if isinstance(model, BernoulliRBM) else X
        assert_allclose(-energy.evaluate(theta, rows)[0], model.score_samples(X))
        with pytest.raises(ValueError, match="read-only"):
            theta[0] = 1.0
        model.partial_fit(X)
        assert_allclose(-energy.evaluate(theta, rows)[0], model.score_samples(X))
