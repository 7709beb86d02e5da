"""States of a layer of binary units, all of them in blocks that fit into memory; sums, draws."""

import math

import numpy as np
from scipy.special import logsumexp

__all__ = [
    "MAX_LISTED_UNITS",
    "binary_states",
    "draw_binary_states",
    "enumerate_gradient",
    "log_sum_of_free_units",
    "smoothed_logits",
    "sum_over_states",
]

MAX_ENTRIES = 2**22
# Of so many binary units the states are few enough to be listed for every row.
MAX_LISTED_UNITS = 12


def binary_states(n_units, n_entries_a_state=1):
    """All of {0, 1}^n_units, in blocks of at most 2¹⁴ rows.

    Parameters
    ----------
    n_units : int
    n_entries_a_state : int, default=1
        Numbers that the caller holds for each state; blocks are as small as these ask for.

    Yields
    ------
    states : ndarray of shape (n_states, n_units), float64
    """
    room = int(math.log2(max(MAX_ENTRIES // n_entries_a_state, 1)))
    low = min(n_units, 14, room)
    block = (np.arange(2**low)[:, np.newaxis] >> np.arange(low)) & 1
    for high in range(2 ** (n_units - low)):
        rest = (high >> np.arange(n_units - low)) & 1
        yield np.hstack([block, np.broadcast_to(rest, (len(block), len(rest)))]).astype(np.float64)


def enumerate_gradient(blocks):
    """log Z = log Σ e^−E over all states, and −E_model[∂E/∂θ].

    Parameters
    ----------
    blocks : iterable of (ndarray of shape (n_states,), callable)
        E of a block of states, and its pullback.
    """
    log_partition, gradient = -np.inf, 0.0
    for energy, pullback in blocks:
        total = np.logaddexp(log_partition, logsumexp(-energy))
        gradient = np.exp(log_partition - total) * gradient - pullback(np.exp(-energy - total))
        log_partition = total
    return float(log_partition), gradient


def draw_binary_states(n_units, energy_of, n_entries_a_state, n_samples, rng):
    """Independent draws from p(s) ∝ e^−E(s), by the table of all states; float64.

    `energy_of` maps a block of states to E, and holds `n_entries_a_state` numbers for each.
    """
    energies = [energy_of(states) for states in binary_states(n_units, n_entries_a_state)]
    log_weights = -np.concatenate(energies)
    weights = np.exp(log_weights - log_weights.max())
    index = rng.choice(len(weights), n_samples, p=weights / weights.sum())
    return ((index[:, np.newaxis] >> np.arange(n_units)) & 1).astype(np.float64)


def log_sum_of_free_units(J, b, X, free):
    """log Σ exp(½ xᵀJx + bᵀx) over the bits x_F in the mask `free`, the others held at rows of X.

    Given the others, the free bits have the couplings J_FF and the biases b_F + J_FV x_V. J and b
    are float64, J symmetric with diagonal 0; the sums are of shape (n,).
    """
    held = X[:, ~free].astype(np.float64)
    inputs, J_free = b[free] + held @ J[np.ix_(~free, free)], J[np.ix_(free, free)]
    own = held @ b[~free] + 0.5 * np.einsum("ij,ij->i", held @ J[np.ix_(~free, ~free)], held)
    log_sums = []
    for states in binary_states(len(J_free), max(inputs.shape)):
        pairs = 0.5 * np.einsum("si,si->s", states @ J_free, states)
        log_sums.append(logsumexp(inputs @ states.T + pairs, axis=1))
    return own + logsumexp(log_sums, axis=0)


def smoothed_logits(X, sample_weight=None):
    """Logits of (n x̄ + ½)/(n + 1): finite for units that are always on or always off.

    n is the number of rows, a row of weight 2 being two.
    """
    if sample_weight is None:
        n_rows, mean = len(X), X.mean(axis=0, dtype=np.float64)
    else:
        n_rows = sample_weight.sum(dtype=np.float64)
        mean = (sample_weight @ X) / n_rows
    on = (n_rows * mean + 0.5) / (n_rows + 1)
    return np.log(on) - np.log1p(-on)


def sum_over_states(w, Z):
    """Σ_s w_s and Σ_s w_s z_s for each row: what an energy linear in z pulls back.

    Shapes (n,) and (n, K), for Z of shape (n, K) and w (n,), or S states a row, Z of shape
    (S, n, K) and w (S, n).
    """
    if Z.ndim == 2:
        return w, w[:, np.newaxis] * Z
    return w.sum(axis=0), np.einsum("sn,snk->nk", w, Z)
