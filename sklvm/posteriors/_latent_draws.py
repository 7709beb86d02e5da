"""Latent variables for given rows, from a variational posterior q(z|x), and how q learns.

Each class has the ``layout`` and ``init_parameters`` of its parameters φ, and
``draw(energy, theta, phi, X, rng)`` → ``LatentDraws``.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sklvm.energies import LatentStates
from sklvm.kernels import standard_normal
from sklvm.layouts import ParameterLayout
from sklvm.posteriors import DiscretePosterior

__all__ = ["AllStates", "ExactPosteriorMean", "GaussianDraws", "LatentDraws", "StateDraws"]


class LatentDraws(NamedTuple):
    """Values of z for n rows that stand for q(z|x): E_q[f(z)] ≈ Σ_s exp(log_shares_s) f(z_s).

    Attributes
    ----------
    Z : ndarray of shape (S, n, K)
    log_density : ndarray of shape (S, n)
        log q(z|x).
    log_shares : ndarray of shape (S, n)
        −log S, or log q(z|x) where the z are all that there are.
    pullback : callable
        ``pullback(losses, contrast_bar, Z_bar, out)`` writes to the vector `out` the gradient in
        φ of Σ_i w_i E_q[ℓ(G(x_i, z))], where G = −E(x, z) − log q(z|x) + …: `losses` are the
        w_i exp(log_shares) ℓ, `contrast_bar` the w_i exp(log_shares) ℓ′(G), both of shape (S, n),
        and `Z_bar` is the cotangent of Z by way of E, None where z is discrete.
    """

    Z: np.ndarray
    log_density: np.ndarray
    log_shares: np.ndarray
    pullback: Callable


class ExactPosteriorMean:
    """q is the posterior exp(uᵀz − A(u)) of an energy E(x, 0) − uᵀz; there is no φ.

    Whatever z is, −E(x, z) − log q(z|x) = A(u) − E(x, 0) = log p̃(x). At z = E_q[z] the gradient in
    θ with q held fixed is that of log p̃(x) as well, so that this one z stands for all.
    """

    layout = ParameterLayout({})

    def init_parameters(self, X, rng):
        return np.empty(0, dtype=X.dtype)

    def draw(self, energy, theta, phi, X, rng):
        states = energy.latent_states() if isinstance(energy, LatentStates) else None
        law = DiscretePosterior(energy.posterior_logits(theta, X), states)
        Z = law.mean[np.newaxis]
        certain = np.zeros((1, len(X)), dtype=X.dtype)
        return LatentDraws(Z, law.log_density(Z), certain, lambda *cotangents: None)


class EncodedLatents:
    """z by an encoder, whose parameters are φ."""

    def __init__(self, encoder):
        self.encoder = encoder
        self.layout = encoder.layout

    def init_parameters(self, X, rng):
        return self.encoder.init_parameters(X, rng)


class AllStates(EncodedLatents):
    """All states of a discrete z by a ``DiscreteEncoder``, each with its probability.

    With h = ℓ − ℓ′, ∇_φ E_q[ℓ(G)] = E_q[h ∇_φ log q(z|x)], a sum without noise.
    """

    def __init__(self, encoder, states):
        super().__init__(encoder)
        self.states = states

    def draw(self, energy, theta, phi, X, rng):
        law, encoder_pullback = self.encoder.encode(phi, X)
        states = self.states.astype(X.dtype)[:, np.newaxis]
        Z = np.broadcast_to(states, (len(states), *law.mean.shape))
        log_density = law.log_density(states)

        def pullback(losses, contrast_bar, Z_bar, out):
            encoder_pullback(law.log_odds_cotangent(Z, losses - contrast_bar), out)

        return LatentDraws(Z, log_density, log_density, pullback)


class StateDraws(EncodedLatents):
    """Draws of a discrete z by a ``DiscreteEncoder``.

    No path leads from φ to z. The gradient is that of the score function with a control variate,
    ∇_φ E_q[ℓ(G)] = E_q[(h − b) ∇_φ log q(z|x)] with h = ℓ − ℓ′ and any b independent of z: for
    each draw the mean h of the row's other draws. A single draw has none, and noise to match.
    """

    def __init__(self, encoder, n_draws):
        super().__init__(encoder)
        self.n_draws = n_draws

    def draw(self, energy, theta, phi, X, rng):
        law, encoder_pullback = self.encoder.encode(phi, X)
        Z = law.draw(self.n_draws, rng)
        log_density = law.log_density(Z)

        def pullback(losses, contrast_bar, Z_bar, out):
            h = losses - contrast_bar
            if self.n_draws > 1:
                # h − (mean of the others) = S/(S − 1) times h − (mean of all).
                h = (h - h.mean(axis=0)) * h.dtype.type(self.n_draws / (self.n_draws - 1))
            encoder_pullback(law.log_odds_cotangent(Z, h), out)

        log_shares = np.full_like(log_density, -np.log(self.n_draws))
        return LatentDraws(Z, log_density, log_shares, pullback)


class GaussianDraws(EncodedLatents):
    """Draws z = μ(x) + L(x)ε by a ``GaussianEncoder``: the gradient in φ goes through them."""

    def __init__(self, encoder, n_draws):
        super().__init__(encoder)
        self.n_draws = n_draws

    def draw(self, energy, theta, phi, X, rng):
        encoding = self.encoder.encode(phi, X)
        shape = (self.n_draws, len(X), encoding.mean.shape[1])
        noise = standard_normal(
            (shape[0] * shape[1], shape[2]), int(rng.integers(2**63)), dtype=X.dtype
        ).reshape(shape)
        log_density = encoding.log_density(noise) - X.dtype.type(0.5 * shape[2] * np.log(2 * np.pi))

        def pullback(losses, contrast_bar, Z_bar, out):
            no_divergence = np.zeros_like(encoding.mean)
            encoding.pullback(Z_bar, noise, no_divergence, out, log_density_bar=-contrast_bar)

        log_shares = np.full_like(log_density, -np.log(self.n_draws))
        return LatentDraws(encoding.draw(noise), log_density, log_shares, pullback)
