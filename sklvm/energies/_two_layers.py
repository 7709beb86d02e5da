"""Chains and temperatures of energies with a visible and a binary hidden layer."""

import numpy as np

from sklvm.energies._chain_state import ChainState, block_masks
from sklvm.energies._linear_latents import LinearLatents
from sklvm.kernels import sample_bernoulli, sigmoid, softplus

__all__ = ["LinearTempering", "TwoLayers"]


class LinearTempering:
    """The path (1 − β) θ₀ + β θ: the geometric one, where the energy is linear in θ."""

    def temper(self, theta_0, theta, beta):
        """(1 − β) θ₀ + β θ."""
        return (1 - beta) * theta_0 + beta * theta

    def tempered_energies(self, theta_0, theta, betas, state):
        """E(x) at each inverse temperature, shape (len(betas), n)."""
        ends = theta_0, theta
        return np.stack([self.evaluate(self.temper(*ends, b), state.visible)[0] for b in betas])


class TwoLayers(LinearTempering, LinearLatents):
    """Block Gibbs sampling of z given x and of x given z, and the path from independent units.

    A subclass gives ``terms``, as in ``LinearLatents``, and the visible side:

    - ``visible_mean(theta, Z)``: E[x | z], shape (n, d);
    - ``sample_visible(theta, Z, seed, sweep=0, *, free=None, current=None)``: a draw from p(x | z)
      at the coordinates (row, unit, sweep); entries where `free` is False are those of `current`;
    - ``tempered_start`` and ``start_log_partition``, as in ``Tempered``: θ₀ of a machine in which
      visible and hidden units are independent.

    A state has the blocks (x, z), z being that from which x was drawn. Its cache is u(x) at θ, by
    which the next z is drawn and the gradient taken: a step of persistent chains costs five
    products with θ.
    """

    def start(self, theta, X, seed):
        """Chains at the rows of X; z is drawn by the first sweep, until then it is 0."""
        Z = np.zeros((len(X), self.n_components), dtype=X.dtype)
        return ChainState((X, Z), int(seed), cache=self.posterior_logits(theta, X))

    def sweep(self, theta, state, *, free=None, tempering=None):
        """z given x, and then x given z."""
        if tempering is None:
            X, Z = self._swept(theta, state, state.cache, free)
            return state.moved((X, Z), self.posterior_logits(theta, X)), {}
        theta_0, beta = tempering
        tempered = self.temper(theta_0, theta, theta.dtype.type(beta))
        return state.moved(self._swept(tempered, state, None, free)), {}

    def _swept(self, theta, state, logits, free):
        X, Z = state.blocks
        free_x, free_z = block_masks(free, 2)
        logits = self.posterior_logits(theta, X) if logits is None else logits
        Z = self.sample_hidden(logits, state.seed, state.sweep, free=free_z, current=Z)
        X = self.sample_visible(theta, Z, state.seed, state.sweep, free=free_x, current=X)
        return X, Z

    def sample_hidden(self, logits, seed, sweep=0, *, free=None, current=None):
        """z | x from its logits; units where `free` is False keep their entry of `current`."""
        no_bias = np.zeros(logits.shape[1], dtype=logits.dtype)
        return sample_bernoulli(
            logits, no_bias, seed, sweep=sweep, layer=1, free=free, state=current
        )

    def expected_blocks(self, theta, state):
        """(x, E[z | x])."""
        return self.infer(theta, state.visible, state)

    def expected_visible(self, theta, state):
        """E[x | z] at the z of which the last sweep drew x."""
        return self.visible_mean(theta, state.blocks[1])

    def infer(self, theta, X, state=None):
        """The blocks (X, E[z | x]); the cache of a state at X saves the product."""
        if state is None or state.cache is None:
            return X, self.posterior(theta, X)
        return X, sigmoid(state.cache)

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀), where x does not depend on z."""
        Z = np.zeros((n_samples, self.n_components), dtype=theta_0.dtype)
        return self.sample_visible(theta_0, Z, seed)

    @staticmethod
    def sum_hidden(bias):
        """Σ_k S(b_k), float64: log Σ_z of hidden units that x does not move."""
        return float(softplus(bias.astype(np.float64)).sum())
