"""On six shapes of data the default fit gets nearly as far as a long fit does.

What is compared is the gain over independent features: held-out mean log-density minus that of
Gaussians (or bits) with the training rows' means and variances. Data are standardised, as the
guide advises. The default fit reaches 95% of the gain of one with five times its steps; where the
long fit overfits it gains more.
"""

import warnings

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    DeepEnergyModel,
    GaussianRBM,
    SigmoidAutoencoder,
    VAETransformer,
)

N_TRAIN, N_TEST = 150, 1000
SHARE = 0.95
# In nats a row: two fits of one budget differ by this much.
LUCK = 0.05


def plane(rng, n):
    """One direction of large variance."""
    return rng.standard_normal((n, 2)) @ np.array([[1.0, 0.9], [0.0, 0.3]])


def clumps(rng, n):
    """Three clumps."""
    return rng.choice([[0, 3], [2.6, -1.5], [-2.6, -1.5]], n) + 0.5 * rng.standard_normal((n, 2))


def ring(rng, n):
    """A thick ring."""
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = 2 + 0.3 * rng.standard_normal(n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def cross(rng, n):
    """Two sparse sources, mixed: heavy tails along two axes."""
    return rng.laplace(size=(n, 2)) @ np.array([[1.0, 0.4], [-0.4, 1.0]])


def bow(rng, n):
    """A parabola with noise."""
    x = rng.standard_normal(n)
    return np.column_stack([x, x**2 + 0.4 * rng.standard_normal(n)])


def switches(rng, n):
    """Four binary causes in eight features."""
    causes = np.random.default_rng(1).standard_normal((4, 8))
    return (rng.random((n, 4)) < 0.5) @ causes * 2 + 0.5 * rng.standard_normal((n, 8))


SHAPES = [plane, clumps, ring, cross, bow, switches]
ON_REAL_DATA = [
    GaussianRBM(8),
    DeepEnergyModel(16, hidden_layer_sizes=(16,)),
    VAETransformer(2, hidden_layer_sizes=(32,)),
    BinaryLatentVAE(8),
    SigmoidAutoencoder(8),
]
CASES = [(model, shape) for model in [*ON_REAL_DATA, BernoulliRBM(8)] for shape in SHAPES]
# Cheap ones, for every run of the tests.
BRIEF = {("DeepEnergyModel", "clumps"), ("BinaryLatentVAE", "switches")}
# Where the default fit does not get there, and the share that it reaches: persistent chains show no
# plateau and turn slowly, and the bound of an auto-encoder may have a plateau before it learns.
SHORTFALLS = {
    ("GaussianRBM", "plane"): 0.75,
    ("GaussianRBM", "clumps"): 0.8,
    ("GaussianRBM", "ring"): 0.0,
    ("DeepEnergyModel", "switches"): 0.85,
    ("VAETransformer", "clumps"): 0.85,
    ("VAETransformer", "ring"): 0.0,
    ("VAETransformer", "cross"): 0.0,
}


def data_of(shape, is_binary):
    """Training rows and others: standardised, or bits that tell how far right a row lies."""
    rng = np.random.default_rng(0)
    X = shape(rng, N_TRAIN + N_TEST)
    X = (X - X[:N_TRAIN].mean(axis=0)) / X[:N_TRAIN].std(axis=0)
    if is_binary:
        X = np.hstack([X > level for level in (-1.0, -0.3, 0.3, 1.0)]).astype(np.float64)
    return X[:N_TRAIN], X[N_TRAIN:]


def independent(A, B):
    """Mean log-density of B by independent features with the moments of A."""
    mean, variance = A.mean(axis=0), A.var(axis=0)
    return float(
        -0.5 * np.mean(np.sum((B - mean) ** 2 / variance + np.log(2 * np.pi * variance), axis=1))
    )


def independent_bits(A, B):
    p = np.clip(A.mean(axis=0), 0.5 / len(A), 1 - 0.5 / len(A))
    return float(np.mean(B @ np.log(p) + (1 - B) @ np.log1p(-p)))


def held_out_score(model, B):
    """Mean log-density of B; log Z of a plane's energy is a sum over a grid, without noise."""
    if isinstance(model, DeepEnergyModel) and B.shape[1] == 2:
        axis = np.linspace(-8, 8, 201)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        cell = np.log(axis[1] - axis[0])
        return float(-model.energy(B).mean() - logsumexp(-model.energy(grid)) - 2 * cell)
    return model.score(B)


def gains(model, shape):
    """Of the default fit and of the long one."""
    is_binary = isinstance(model, BernoulliRBM)
    A, B = data_of(shape, is_binary)
    base = independent_bits(A, B) if is_binary else independent(A, B)
    # Both are judged by exact log Z or many temperatures, and neither warns of it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        default = clone(model).set_params(random_state=0).fit(A)
        long = clone(model).set_params(random_state=0, max_iter=5 * 1000).fit(A)
        return [held_out_score(fitted, B) - base for fitted in (default, long)]


def marked(case):
    model, shape = case
    name = type(model).__name__, shape.__name__
    marks = () if name in BRIEF else (pytest.mark.slow,)
    return pytest.param(model, shape, id=" ".join(name), marks=marks)


@pytest.mark.parametrize(("model", "shape"), [marked(case) for case in CASES])
def test_the_default_fit_gains_what_a_long_fit_does(model, shape):
    default, long = gains(model, shape)
    share = SHORTFALLS.get((type(model).__name__, shape.__name__), SHARE)
    assert default >= share * long - LUCK
