"""The reconstruction error of an energy read as an auto-encoder."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import IndependentBinaryLatents, Score
from sklvm.kernels import standard_normal
from sklvm.objectives._base import Objective

__all__ = ["ReconstructionError"]


class ReconstructionError(Objective):
    """J(θ) = E[½‖x − r(x̃)‖² + ‖s(x̃)‖²/(2τ²)],  x̃ = x + noise.

    r(x) = x + ∇ₓ log p̃(x) is the reconstruction by an energy of unit variance, and s(x) = E[z|x]
    its hidden units: with binary ones under a quadratic energy, r(x) = a + W s(Wᵀx + b), the
    auto-encoder with tied weights. Noise makes it a denoising auto-encoder [1]_. The second term
    is that of a variational bound with the point posterior s(x) and the prior N(0, τ²I).

    It aims at reconstructions, not at the density exp(−E)/Z.

    Parameters
    ----------
    noise_level : float, default=0.0
        Standard deviation of the noise, in the units of x.
    tau : float, default=None
        τ. None: no second term.

    References
    ----------
    .. [1] Vincent et al., "Extracting and composing robust features with denoising autoencoders",
       ICML 2008.

    Examples
    --------
    >>> from sklvm.objectives import ReconstructionError
    >>> ReconstructionError(noise_level=0.5)
    ReconstructionError(noise_level=0.5)
    """

    requires = (Score, IndependentBinaryLatents)
    _parameter_constraints = {
        "noise_level": [Interval(Real, 0, None, closed="left")],
        "tau": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, noise_level=0.0, tau=None):
        self.noise_level = noise_level
        self.tau = tau

    @property
    def deterministic(self):
        return self.noise_level == 0

    def step(self, energy, theta, X, weights, state, rng):
        noisy = X
        if not self.deterministic:
            noise = standard_normal(X.shape, int(rng.integers(2**63)), dtype=X.dtype)
            noisy = X + X.dtype.type(self.noise_level) * noise
        errors, pullback = self.errors(energy, theta.energy, X, noisy)
        return float(weights @ errors), theta.like(pullback(weights)), state

    def errors(self, energy, theta, X, noisy):
        """½‖x − r(x̃)‖² + ‖s(x̃)‖²/(2τ²) of shape (n,), and its pullback."""
        psi, score_pullback = energy.score(theta, noisy)
        residual = noisy + psi
        residual -= X
        errors = 0.5 * np.einsum("ij,ij->i", residual, residual)
        if self.tau is not None:
            precision = X.dtype.type(self.tau**-2)
            S = energy.posterior(theta, noisy)
            errors += 0.5 * precision * np.einsum("ij,ij->i", S, S)

        def pullback(w):
            gradient = score_pullback(w[:, np.newaxis] * residual)
            if self.tau is not None:
                # Of Σ wᵢ ‖s(u)‖²/(2τ²) in u. Since E(x, z) = E₀(x) − uᵀz, the pullback along u is
                # that of the joint energy at z = 0 minus that at z = U_bar.
                U_bar = precision * S * S * (1 - S)
                gradient += energy.joint_gradient(theta, (noisy, np.zeros_like(S)), w)
                gradient -= energy.joint_gradient(theta, (noisy, U_bar), w)
            return gradient

        return errors, pullback
