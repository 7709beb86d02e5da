"""The importance-weighted bound."""

from numbers import Integral

import numpy as np
from scipy.special import logsumexp

from sklvm._compat import Interval
from sklvm.energies import prior_energy
from sklvm.objectives._encoder_objective import EncoderObjective, evaluate_draws

__all__ = ["ImportanceWeightedBound"]


class ImportanceWeightedBound(EncoderObjective):
    """J(θ, φ) = −E_q[log (1/S) Σ_s w_s],  w_s = p(x, z_s; θ)/q(z_s|x; φ).

    −J ≤ log p(x; θ). It is the evidence lower bound for S = 1, and becomes tighter as S grows [1]_:
    the weights correct for a q that is not the posterior.

    In the plain estimator of the gradient in φ, the ratio of signal to noise falls as 1/√S. This is
    the doubly reparametrised estimator [2]_, which has the same mean, ::

        ∇_φ = −Σ_s w̃_s² ∂ log w_s/∂z_s · ∂z_s/∂φ,      w̃ = w/Σ w,    z = μ(x) + L(x)ε,

    and no noise where q is the posterior.

    Parameters
    ----------
    n_samples : int, default=5
        S.

    References
    ----------
    .. [1] Burda, Grosse, Salakhutdinov, "Importance weighted autoencoders", ICLR 2016.
    .. [2] Tucker, Lawson, Gu, Maddison, "Doubly reparameterized gradient estimators for Monte Carlo
       objectives", ICLR 2019.

    Examples
    --------
    >>> from sklvm.objectives import ImportanceWeightedBound
    >>> ImportanceWeightedBound(n_samples=50)
    ImportanceWeightedBound(n_samples=50)
    """

    _parameter_constraints = {"n_samples": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_samples=5):
        self.n_samples = n_samples

    def init(self, energy, theta, X, counts, rng):
        super().init(energy, theta, X, counts, rng)
        return np.nan

    def diagnostics(self, state):
        """``effective_sample_size``: 1/Σ w̃², the mean over the rows; from 1 to S."""
        return {"effective_sample_size": state}

    def step(self, energy, theta, X, weights, state, rng):
        gradient = theta.empty_like()
        posterior = self._posterior(energy, theta, X)
        noise = posterior.noise(self.n_samples, rng)
        Z = posterior.draw(noise)
        errors, pullback = evaluate_draws(energy, theta.energy, X, Z)
        log_weights = -errors - prior_energy(Z) - posterior.log_density(Z, noise)
        log_sums = logsumexp(log_weights, axis=0)
        shares = np.exp(log_weights - log_sums)
        # What rounding loses anyway: products with it would be subnormal, and slow.
        shares[shares < np.finfo(shares.dtype).eps ** 2] = 0

        # −∂ log w/∂z = z + ∂ log q/∂z of prior and q, and the decoder's, which is weighted already.
        Z_bar = pullback(weights * shares, gradient.energy)
        Z_bar += (weights * shares)[..., np.newaxis] * (Z + posterior.log_density_slope(noise))
        Z_bar *= shares[..., np.newaxis]
        posterior.pullback(posterior.pull_draw(noise, Z_bar), gradient.own_part("encoder_"))

        value = -float(weights @ log_sums) + float(weights.sum()) * np.log(self.n_samples)
        effective = float(weights @ (1 / np.sum(shares**2, axis=0)) / weights.sum())
        return value, gradient, effective
