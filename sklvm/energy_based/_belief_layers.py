"""The sums and draws of a deep belief network."""

from itertools import pairwise

import numpy as np
from scipy.special import log_expit, logsumexp

from sklvm.energies._binary_states import MAX_ENTRIES, binary_states
from sklvm.kernels import sigmoid, uniform

__all__ = ["BeliefLayers"]

# An exact sum has at most so many units in a layer, and in two layers that follow one another.
MAX_UNITS, MAX_PAIR = 16, 20


class BeliefLayers:
    """Directed layers under a restricted Boltzmann machine.

    ::

        p(x) = Σ p(x | h¹) p(h¹ | h²) … p_top(h^(L−1)),      q(h | x) = q(h¹ | x) q(h² | h¹) …

    p(h^(l−1) | h^l) is that of a restricted machine's visible units given its hidden ones, and
    q(h^l | h^(l−1)) that of the hidden units given the visible ones of a machine which has the same
    parameters, or, after fine-tuning, its own.

    Parameters
    ----------
    energies : list of energies
        The restricted machines, from the bottom up.
    generative, recognition : list of ndarray
        The parameters of p in all of them, and those of q in all but the last.
    """

    def __init__(self, energies, generative, recognition):
        self.energies, self.generative, self.recognition = energies, generative, recognition
        self.sizes = [energy.n_components for energy in energies]

    @property
    def n_layers(self):
        """Layers of hidden units, L."""
        return len(self.energies)

    @property
    def is_exact(self):
        """Whether ``log_density`` is a short sum: over layers of at most 16 units."""
        below = self.sizes[:-1]
        pairs = pairwise(below)
        return all(n <= MAX_UNITS for n in below) and all(a + b <= MAX_PAIR for a, b in pairs)

    # -- means ------------------------------------------------------------------------------------

    def means(self, X):
        """Means of every layer given those of the one below it."""
        means = []
        for energy, theta in zip(self.energies, self._upwards, strict=True):
            X = energy.posterior(theta, X)
            means.append(X)
        return means

    def means_below(self, Z, layer):
        """Means of x, from those of h^layer downwards."""
        for number in range(layer - 1, -1, -1):
            Z = self.energies[number].visible_mean(self.generative[number], Z)
        return Z

    @property
    def _upwards(self):
        return [*self.recognition, self.generative[-1]]

    def draw_below(self, Z, layer, seed):
        """A draw of x for each row of states of h^layer."""
        for number in range(layer - 1, -1, -1):
            # Layers are told apart by their sweeps: a machine draws its visible units in layer 0.
            Z = self.energies[number].sample_visible(self.generative[number], Z, seed, number)
        return Z

    # -- log p̃(x), without log Z of the machine on top ---------------------------------------------

    def log_density(self, X, first=0):
        """log p̃ of states of the layer `first`, by sums over the layers above it but the last."""
        energy, theta = self.energies[first], self.generative[first]
        if first == self.n_layers - 1:
            return -energy.evaluate(theta, X)[0]
        states = np.vstack(list(binary_states(energy.n_components))).astype(X.dtype)
        above = self.log_density(states, first + 1) + energy.evaluate_hidden(theta, states)[0]
        logits, log_p = energy.posterior_logits(theta, X), -energy.visible_energy(theta, X)
        n_rows = max(1, MAX_ENTRIES // len(states))
        for start in range(0, len(X), n_rows):
            rows = slice(start, start + n_rows)
            log_p[rows] += logsumexp(logits[rows] @ states.T + above, axis=1)
        return log_p

    def log_importance_weights(self, X, n_draws):
        """log p̃(x, h)/q(h | x) at draws of h¹, …, h^(L−1) from q, shape (n, n_draws).

        The uniform numbers of a draw are the same for every row and every call. The mean of the
        weights is p̃(x) in expectation, and the mean of their logarithms a lower bound of log p̃(x).
        """
        if self.n_layers == 1:
            return self.log_density(X)[:, np.newaxis]
        noise = [
            uniform((n_draws, size), 0, layer=layer, dtype=X.dtype)
            for layer, size in enumerate(self.sizes[:-1], start=1)
        ]
        log_weights = np.empty((len(X), n_draws), dtype=X.dtype)
        widest = max(X.shape[1], *self.sizes)
        n_rows = max(1, MAX_ENTRIES // (4 * n_draws * widest))
        for start in range(0, len(X), n_rows):
            rows = slice(start, start + n_rows)
            log_weights[rows] = self._weigh(X[rows], noise)
        return log_weights

    def _weigh(self, X, noise):
        n_rows, n_draws = len(X), len(noise[0])
        total = np.zeros(n_rows * n_draws, dtype=X.dtype)
        units, n_copies = X, n_draws
        for number, each in enumerate(noise):
            energy, theta = self.energies[number], self.generative[number]
            upwards = energy.posterior_logits(self.recognition[number], units)
            logits = upwards
            if self.recognition[number] is not theta:
                logits = energy.posterior_logits(theta, units)
            visible = energy.visible_energy(theta, units)
            upwards, logits, visible = (
                np.repeat(array, n_copies, axis=0) for array in (upwards, logits, visible)
            )
            draws = (np.tile(each, (n_rows, 1)) < sigmoid(upwards)).astype(X.dtype)
            # log p(h^(l−1) | h^l) − log q(h^l | h^(l−1)).
            total += np.einsum("ij,ij->i", draws, logits) - visible
            total += energy.evaluate_hidden(theta, draws)[0]
            total -= log_expit(np.where(draws == 1, upwards, -upwards)).sum(axis=1)
            units, n_copies = draws, 1
        total -= self.energies[-1].evaluate(self.generative[-1], units)[0]
        return total.reshape(n_rows, n_draws)
