"""Errors of reconstruction by an energy that is read as an auto-encoder."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import IndependentBinaryLatents, Score
from sklvm.kernels import standard_normal
from sklvm.objectives._base import Objective

__all__ = ["DenoisingReconstructionError", "PointPosteriorBound", "ReconstructionError"]


class ReconstructionError(Objective):
    """J(θ) = E[½‖x − r(x)‖²],  r(x) = x + ∇ₓ log p̃(x).

    r is the reconstruction by an energy of unit variance. With binary hidden units under a
    quadratic energy, r(x) = a + W s(Wᵀx + b): the auto-encoder with tied weights.

    It aims at reconstructions, not at the density exp(−E)/Z.

    Examples
    --------
    >>> from sklvm.objectives import ReconstructionError
    >>> ReconstructionError().deterministic
    True
    """

    requires = (Score, IndependentBinaryLatents)
    deterministic = True
    fits_density = False

    def step(self, energy, theta, X, weights, state, rng):
        losses, pullback = self._losses(energy, theta.energy, X, self._inputs(X, rng))
        return float(weights @ losses), theta.like(pullback(weights)), state

    def row_losses(self, energy, theta, X):
        """The criterion of each row without noise, shape (n,)."""
        return self._losses(energy, theta.energy, X, X)[0]

    def _inputs(self, X, rng):
        """What is reconstructed from."""
        return X

    def _losses(self, energy, theta, X, inputs):
        """½‖x − r(inputs)‖² of shape (n,), and its pullback."""
        psi, score_pullback = energy.score(theta, inputs)
        residual = inputs + psi
        residual -= X
        losses = 0.5 * np.einsum("ij,ij->i", residual, residual)
        return losses, lambda w: score_pullback(w[:, np.newaxis] * residual)


class DenoisingReconstructionError(ReconstructionError):
    """J(θ) = E[½‖x − r(x̃)‖²],  x̃ = x + noise: a denoising auto-encoder [1]_.

    r(x) = x + ∇ₓ log p̃(x), as in ``ReconstructionError``. At a noise level of 1 it is denoising
    score matching, up to a constant; else it aims at reconstructions and not at a density.

    Parameters
    ----------
    noise_level : float, default=0.5
        Standard deviation of the noise, in the units of x.

    References
    ----------
    .. [1] Vincent et al., "Extracting and composing robust features with denoising autoencoders",
       ICML 2008.

    Examples
    --------
    >>> from sklvm.objectives import DenoisingReconstructionError
    >>> DenoisingReconstructionError(noise_level=0.3)
    DenoisingReconstructionError(noise_level=0.3)
    """

    deterministic = False
    _parameter_constraints = {"noise_level": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, noise_level=0.5):
        self.noise_level = noise_level

    def _inputs(self, X, rng):
        noise = standard_normal(X.shape, int(rng.integers(2**63)), dtype=X.dtype)
        return X + X.dtype.type(self.noise_level) * noise


class PointPosteriorBound(ReconstructionError):
    """J(θ) = E[½‖x − r(x)‖² + ‖s(x)‖²/(2τ²)],  s(x) = E[z|x] the hidden units.

    Up to a constant, a variational bound on −log p(x) of x|z ~ N(g(z), I) and z ~ N(0, τ²I), whose
    posterior is taken to be the point s(x), and r(x) = g(s(x)).

    Parameters
    ----------
    tau : float, default=10.0
        τ, the prior's standard deviation of the hidden units.

    Examples
    --------
    >>> from sklvm.objectives import PointPosteriorBound
    >>> PointPosteriorBound(tau=2.0)
    PointPosteriorBound(tau=2.0)
    """

    _parameter_constraints = {"tau": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, tau=10.0):
        self.tau = tau

    def _losses(self, energy, theta, X, inputs):
        errors, errors_pullback = super()._losses(energy, theta, X, inputs)
        precision = X.dtype.type(self.tau**-2)
        S = energy.posterior(theta, inputs)

        def pullback(w):
            # ½‖s(u)‖²/τ² moves with u by s²(1 − s)/τ². Since E(x, z) = E₀(x) − uᵀz, the pullback
            # along u is that of the joint energy at z = 0 minus that at z = U_bar.
            U_bar = precision * S * S * (1 - S)
            gradient = errors_pullback(w)
            gradient += energy.joint_gradient(theta, (inputs, np.zeros_like(S)), w)
            gradient -= energy.joint_gradient(theta, (inputs, U_bar), w)
            return gradient

        return errors + 0.5 * precision * np.einsum("ij,ij->i", S, S), pullback
