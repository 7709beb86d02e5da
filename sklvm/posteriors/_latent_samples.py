"""Latent variables that stand for a posterior q(z|x), and how q learns from what they do.

An expectation E_q[ℓ(z, log q(z|x))] becomes a sum over samples, E ≈ Σ_s share_s ℓ_s. Its gradient
in q's parameters is had in one of two ways: along the path of the draws, z = μ + Lε
(``Reparametrized``), or by ∇ E_q[ℓ] = E_q[(ℓ + ∂ℓ/∂ log q) ∇ log q(z|x)], the score function, over
draws (``ScoreFunction``) or over all states (``AllStates``).
"""

from functools import cached_property

import numpy as np

__all__ = ["AllStates", "AtMean", "LatentSample", "Reparametrized", "ScoreFunction"]


class LatentSample:
    """Values of z for n rows that stand for q(z|x).

    Parameters
    ----------
    posterior : Posterior
        q.
    Z : ndarray of shape (S, n, K)
    noise : ndarray or None
        What draws were made of.
    pull : callable
        ``pull(losses, log_density_bar, Z_bar)`` → the cotangent of q's outputs, shape (n, m), for
        Σ_i w_i E_q[ℓ]: `losses` are the w_i share_s ℓ, `log_density_bar` the
        w_i share_s ∂ℓ/∂ log q, both of shape (S, n), and `Z_bar` of shape (S, n, K) is the
        cotangent of Z by way of all else, None where z is discrete. Without `log_density_bar` ℓ
        does not depend on log q itself. Ways that need the one do not look at the others.
    log_shares : ndarray that broadcasts to (S, n), default=None
        log q(z|x) where the z are all that there are; None: −log S.
    """

    def __init__(self, posterior, Z, noise, pull, log_shares=None):
        self.Z, self.pull = Z, pull
        self._posterior, self._noise, self._log_shares = posterior, noise, log_shares

    @cached_property
    def log_density(self):
        """log q(z|x), shape (S, n), in nats."""
        return self._posterior.log_density(self.Z, self._noise)

    @property
    def log_shares(self):
        """Logarithms of the shares, of a shape that broadcasts to (S, n)."""
        if self._log_shares is None:
            return np.full((len(self.Z), 1), -np.log(len(self.Z)), dtype=self.Z.dtype)
        return self._log_shares


class Reparametrized:
    """Draws whose path from the noise is differentiable: the gradient goes along with them.

    Parameters
    ----------
    n_draws : int
        S.
    """

    def __init__(self, n_draws):
        self.n_draws = n_draws

    def sample(self, posterior, rng):
        noise = posterior.noise(self.n_draws, rng)

        def pull(losses, log_density_bar, Z_bar):
            return posterior.pull_draw(noise, Z_bar, log_density_bar)

        return LatentSample(posterior, posterior.draw(noise), noise, pull)


class ScoreFunction:
    """Draws from any q: (h − b) ∇ log q(z|x), h = ℓ + ∂ℓ/∂ log q (Williams, 1992) [1]_.

    The mean is right for any b that does not depend on the draw. Without one the noise is that of
    h's size; the control variate is the mean h of the row's other draws [2]_, or of the other rows
    where each has but one.

    Parameters
    ----------
    n_draws : int
        S.
    control_variate : bool, default=True

    References
    ----------
    .. [1] Williams, "Simple statistical gradient-following algorithms for connectionist
       reinforcement learning", Machine Learning 8 (1992).
    .. [2] Mnih, Rezende, "Variational inference for Monte Carlo objectives", ICML 2016.
    """

    def __init__(self, n_draws, control_variate=True):
        self.n_draws, self.control_variate = n_draws, control_variate

    def sample(self, posterior, rng):
        noise = posterior.noise(self.n_draws, rng)
        Z = posterior.draw(noise)

        def pull(losses, log_density_bar, Z_bar):
            h = losses if log_density_bar is None else losses + log_density_bar
            return posterior.pull_log_density(Z, self._controlled(h), noise)

        return LatentSample(posterior, Z, noise, pull)

    def _controlled(self, h):
        """h less the mean of the others: N/(N − 1) times h less the mean of all N."""
        axis = 0 if self.n_draws > 1 else 1
        n = h.shape[axis]
        if not self.control_variate or n == 1:
            return h
        return (h - h.mean(axis=axis, keepdims=True)) * h.dtype.type(n / (n - 1))


class AllStates:
    """All states of a discrete z, each with its probability: a sum without noise.

    Parameters
    ----------
    states : ndarray of shape (n_states, K)
    """

    def __init__(self, states):
        self.states = states

    def sample(self, posterior, rng):
        states = self.states.astype(posterior.mean.dtype)[:, np.newaxis]
        Z = np.broadcast_to(states, (len(states), *posterior.mean.shape))
        log_density = posterior.log_density(states)

        def pull(losses, log_density_bar, Z_bar):
            return posterior.pull_log_density(states, losses + log_density_bar)

        return LatentSample(posterior, Z, None, pull, log_density)


class AtMean:
    """z = E_q[z], for the posterior exp(uᵀz − A(u)) of an energy E(x, 0) − uᵀz itself.

    Whatever z is, −E(x, z) − log q(z|x) = A(u) − E(x, 0) = log p̃(x). At z = E_q[z] the gradient in
    θ with q held fixed is that of log p̃(x) as well, so that this one z stands for all, and q has
    nothing to learn.
    """

    def sample(self, posterior, rng):
        Z = posterior.mean[np.newaxis]
        certain = np.zeros((1, 1), dtype=Z.dtype)
        return LatentSample(posterior, Z, None, lambda *cotangents: None, certain)
