"""Energies that are linear in their latent units: what follows from E₀(x) and u(x).

E(x, z; θ) = E₀(x; θ) − zᵀu(x; θ). An energy that inherits from one of the two classes writes
``terms``, and overrides what it can do with fewer products.
"""

import numpy as np
from scipy.special import logsumexp, softmax

from sklvm.energies._binary_states import sum_over_states
from sklvm.kernels import draw_bernoulli, sigmoid, softplus

__all__ = ["LinearLatents", "OneHotLatents"]


class _LatentTerms:
    """The joint energy of E₀(x) − zᵀu(x)."""

    def terms(self, theta, X):
        """E₀ of shape (n,), u of shape (n, K), and their pullback.

        ``pullback(w, U_bar)`` = Σᵢ wᵢ ∂E₀(xᵢ)/∂θ + Σᵢₖ Ūᵢₖ ∂u_k(xᵢ)/∂θ.
        """
        raise NotImplementedError

    def evaluate_joint(self, theta, X, Z):
        """E(x, z) = E₀(x) − zᵀu(x), and ``pullback(w)``; Z of shape (n, K) or (S, n, K)."""
        energy, U, terms_pullback = self.terms(theta, X)

        def pullback(w):
            w, weighted = sum_over_states(w, Z)
            return terms_pullback(w, -weighted)

        return energy - np.einsum("nk,...nk->...n", U, Z), pullback

    def posterior_logits(self, theta, X):
        """u(x), shape (n, K)."""
        return self.terms(theta, X)[1]

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ of the blocks (X, Z), for states zᵢ or for their means."""
        X, Z = blocks
        return self.evaluate_joint(theta, X, Z)[1](w)

    def infer(self, theta, X, state=None):
        """The blocks (X, E[z | x])."""
        return X, self.posterior(theta, X)


class LinearLatents(_LatentTerms):
    """Binary latent units, z ∈ {0, 1}^K: independent given x, with the logits u(x).

    ``terms`` gives the marginal energy E₀(x) − Σ_k S(u_k), the joint energy, the posterior, and
    draws of z given x.
    """

    def evaluate(self, theta, X):
        """E(x) = E₀(x) − Σ_k S(u_k(x)), and ``pullback(w)``."""
        energy, U, pullback = self.terms(theta, X)
        marginal = energy - softplus(U).sum(axis=1)
        return marginal, lambda w: pullback(w, -w[:, np.newaxis] * sigmoid(U))

    def posterior(self, theta, X):
        """p(z_k = 1 | x) = s(u_k(x)), shape (n, K)."""
        return sigmoid(self.posterior_logits(theta, X))

    def draw_hidden(self, means, seed, sweep=0):
        """z | x from its means, at the coordinates (row, unit, sweep) of layer 1."""
        return draw_bernoulli(means, seed, sweep=sweep, layer=1)


class OneHotLatents(_LatentTerms):
    """A latent variable of K states, z ∈ {e_1, …, e_K}: one unit is on, by the softmax of u(x).

    ``terms`` gives the marginal energy E₀(x) − log Σ_k exp u_k, the joint energy and the posterior.
    """

    def evaluate(self, theta, X):
        """E(x) = E₀(x) − log Σ_k exp u_k(x), and ``pullback(w)``."""
        energy, U, pullback = self.terms(theta, X)
        marginal = energy - logsumexp(U, axis=1)
        return marginal, lambda w: pullback(w, -w[:, np.newaxis] * softmax(U, axis=1))

    def posterior(self, theta, X):
        """p(z_k = 1 | x), the responsibilities of the states, shape (n, K)."""
        return softmax(self.posterior_logits(theta, X), axis=1)

    def latent_states(self):
        """The K states in which one unit is on."""
        return np.eye(self.n_components)
