"""Few binary latent units that are coupled with each other: sums over all of their states."""

import numpy as np
from scipy.special import logsumexp, softmax

from sklvm.energies._binary_states import binary_states
from sklvm.kernels import uniform

__all__ = ["CoupledLatents"]

# Numbers in a block of logits: rows times states.
_BLOCK_ENTRIES = 2**21


class CoupledLatents:
    """p(z | u) ∝ exp(uᵀz + ½ zᵀMz) over z ∈ {0, 1}^K, u a row of inputs, at given M.

    Parameters
    ----------
    couplings : PairCouplings
        Of the K units.
    values : ndarray of shape (n_pairs,)
        M.
    """

    def __init__(self, couplings, values):
        self._couplings = couplings
        (states,) = binary_states(couplings.n_units)
        self.states = states.astype(values.dtype)
        products = couplings.products(values, self.states)
        self._pairs = 0.5 * np.einsum("sk,sk->s", products, self.states)

    def log_sum(self, U):
        """A(u) = log Σ_z exp(uᵀz + ½ zᵀMz), shape (n,), and ``pullback(w)``.

        The pullback gives Σ-weighted slopes: wᵢ ∂A(uᵢ)/∂u of shape (n, K), and Σᵢ wᵢ ∂A(uᵢ)/∂M.
        """
        log_sums = np.empty(len(U), dtype=U.dtype)
        for rows in self._blocks(U):
            log_sums[rows] = logsumexp(self._logits(U[rows]), axis=1)

        def pullback(w):
            U_bar, state_weights = np.empty_like(U), np.zeros_like(self._pairs)
            for rows in self._blocks(U):
                weighted = w[rows, np.newaxis] * softmax(self._logits(U[rows]), axis=1)
                U_bar[rows] = weighted @ self.states
                state_weights += weighted.sum(axis=0)
            return U_bar, self._couplings.pull_square(state_weights, self.states)

        return log_sums, pullback

    def means(self, U):
        """E[z | u], shape (n, K)."""
        return self.log_sum(U)[1](np.ones(len(U), dtype=U.dtype))[0]

    def draw(self, U, seed, sweep=0, *, free=None, current=None):
        """Independent draws of z given u; units where `free` is False are given, by `current`."""
        draws = uniform((len(U), 1), seed, sweep=sweep, layer=1)
        Z = np.empty_like(U)
        for rows in self._blocks(U):
            logits = self._logits(U[rows])
            if free is not None:
                differs = self.states[np.newaxis] != current[rows, np.newaxis]
                held = ~np.broadcast_to(free, U.shape)[rows, np.newaxis]
                logits[np.any(differs & held, axis=2)] = -np.inf
            cumulated = np.cumsum(softmax(logits.astype(np.float64), axis=1), axis=1)
            chosen = (draws[rows] >= cumulated[:, :-1]).sum(axis=1)
            Z[rows] = self.states[chosen]
        return Z

    def _logits(self, U):
        return U @ self.states.T + self._pairs

    def _blocks(self, U):
        step = max(_BLOCK_ENTRIES // len(self.states), 1)
        return (slice(start, start + step) for start in range(0, len(U), step))
