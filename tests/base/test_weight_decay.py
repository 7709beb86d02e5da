"""Every model that learns by gradients can have weight decay."""

import numpy as np
import pytest
from sklearn.base import clone

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    DeepEnergyModel,
    GaussianRBM,
    SigmoidAutoencoder,
    VAETransformer,
)
from sklvm.optimizers import SGD

MODELS = [
    BernoulliRBM(2, binarize=0.0, objective="mle", max_iter=20),
    GaussianRBM(2, partition="none", max_iter=20),
    DeepEnergyModel(
        2,
        hidden_layer_sizes=(3,),
        partition="none",
        max_iter=20,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    ),
    BinaryLatentVAE(2, max_iter=50, optimizer="adam"),
    BinaryLatentVAE(2, tied=False, max_iter=50, optimizer="adam"),
    SigmoidAutoencoder(2, partition="none", max_iter=50, optimizer="adam"),
    VAETransformer(2, hidden_layer_sizes=(3,), max_iter=50, optimizer="adam"),
]


def weights_of(model):
    """All coefficients but biases and scales, however the estimator names them."""
    weights = []
    for name, value in vars(model).items():
        if name in ("components_", "encoder_components_"):
            weights.append(value)
        elif name.endswith("coefs_"):
            weights.extend(value)
    return weights


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_all_weights_shrink(model, rng):
    X = rng.standard_normal((100, 3)) @ rng.standard_normal((3, 3)) + 2.0
    # A step takes half of what the criterion gives the weights.
    brief = {"optimizer": SGD(0.005), "max_iter": 30}
    fits = [
        clone(model).set_params(random_state=0, weight_decay=decay, **brief).fit(X)
        for decay in (0.0, 100.0)
    ]
    free, decayed = (weights_of(fitted) for fitted in fits)
    assert free
    for W, small in zip(free, decayed, strict=True):
        assert np.abs(small).max() < 0.1 * np.abs(W).max()
