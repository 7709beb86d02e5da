"""Sums over the states of layers of binary units, exact and by importance sampling."""

import numpy as np
from scipy.special import logsumexp, xlog1py, xlogy

from sklvm.energies._binary_states import (
    MAX_ENTRIES,
    binary_states,
    draw_binary_states,
    enumerate_gradient,
)
from sklvm.kernels import sigmoid, softplus, uniform

__all__ = ["LayerSums"]


class LayerSums:
    """For ``DeepBoltzmannMachineEnergy``: half of its layers are summed out by a formula.

    Given the odd layers, the units of x and of the even layers are independent. A sum over the
    states of the odd layers, 2^(K₁ + K₃ + …) terms, thus gives log Z, and log p̃(x) for each row.
    Where that is too long, draws of the even layers h², h⁴, … from the mean field q estimate
    log p̃(x), the odd layers summed out:

        log p̃(x) ≈ log (1/S) Σ_s p̃(x, h²_s, h⁴_s, …)/q(h²_s, h⁴_s, …).
    """

    # -- exact ------------------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Z, in nats."""
        wide = theta.astype(np.float64)
        energies = [self._evaluate_odd(wide, states)[0] for states in self._odd_states()]
        return float(logsumexp(-np.concatenate(energies)))

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ]."""
        wide = theta.astype(np.float64)
        log_z, gradient = enumerate_gradient(
            self._evaluate_odd(wide, states) for states in self._odd_states()
        )
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws: a state of the odd layers, and x given that."""
        wide = theta.astype(np.float64)
        states = draw_binary_states(
            sum(self.sizes[::2]),
            lambda states: self._evaluate_odd(wide, states)[0],
            self.n_features,
            n_samples,
            rng,
        )
        first = states[:, : self.sizes[0]].astype(theta.dtype)
        seed = int(rng.integers(2**63))
        return self.bottom.sample_visible(self._of_bottom(theta), first, seed)

    def evaluate_by_states(self, theta, X):
        """E(x) = −log p̃(x), the hidden layers summed out exactly, and ``pullback(w)``."""
        bottom, drive = self._of_bottom(theta), self._drive(theta, X)
        log_sum = np.full(len(X), -np.inf, dtype=X.dtype)
        for states in self._odd_states(len(X)):
            exponents = self._exponents(theta, drive, states.astype(X.dtype))[0]
            np.logaddexp(log_sum, logsumexp(exponents, axis=1), out=log_sum)

        def pullback(w):
            first, upper = np.zeros_like(drive), np.zeros_like(theta)
            for states in self._odd_states(len(X)):
                exponents, hidden = self._exponents(theta, drive, states.astype(X.dtype))
                shares = np.exp(exponents - log_sum[:, np.newaxis])
                first += shares @ hidden[0]
                some = np.zeros_like(theta)
                self._pull_upper(self.layout.views(some), hidden, w @ shares)
                upper += some
            self._of_bottom(upper)[...] = self.bottom.joint_gradient(bottom, (X, first), w)
            return upper

        return self.bottom.visible_energy(bottom, X) - log_sum, pullback

    def _odd_states(self, n_rows=1):
        widest = max(self.n_features, n_rows, *self.sizes)
        return binary_states(sum(self.sizes[::2]), widest)

    def _exponents(self, theta, drive, states):
        """−E of each row with each state, but for E₀(x), and the hidden layers of each state."""
        hidden, rest = self._sum_even_layers(theta, states)
        return drive @ hidden[0].T + rest, hidden

    def _evaluate_odd(self, theta, states):
        """−log of p̃ summed over x and the even layers, and its pullback."""
        hidden, rest = self._sum_even_layers(theta, states)
        energy, bottom_pullback = self.bottom.evaluate_hidden(self._of_bottom(theta), hidden[0])

        def pullback(w):
            gradient = np.empty_like(theta)
            self._of_bottom(gradient)[...] = bottom_pullback(w)
            self._pull_upper(self.layout.views(gradient), hidden, w)
            return gradient

        return energy - rest, pullback

    def _sum_even_layers(self, theta, states):
        """The layers at states of the odd ones, the even ones by their means; and what they add.

        That is Σ_{l odd, l ≥ 3} b_lᵀ h^l + Σ_{l even} Σ_k S(u_lk), u the inputs of even layers.
        """
        blocks = [None] * (self.n_layers + 1)
        widths = np.cumsum(self.sizes[::2])[:-1]
        for layer, part in zip(self._odd_layers, np.split(states, widths, axis=1), strict=True):
            blocks[layer] = part
        biases, rest = self._hidden_biases(theta), np.zeros(len(states), dtype=states.dtype)
        for layer in self._odd_layers[1:]:
            rest += blocks[layer] @ biases[layer - 1]
        for layer in self._even_layers:
            inputs = self._inputs(theta, blocks, layer)
            rest += softplus(inputs).sum(axis=1)
            blocks[layer] = sigmoid(inputs)
        return blocks[1:], rest

    # -- by importance sampling -------------------------------------------------------------------

    def log_importance_weights(self, theta, X, n_draws):
        """log p̃(x, h², h⁴, …)/q(h², h⁴, …) at draws from q, shape (n, n_draws).

        The uniform numbers of a draw are the same for every row and every call. The mean of the
        weights is p̃(x) in expectation, so that its logarithm is log p̃(x) or less; the mean of
        their logarithms is at least −F of ``bound``, in expectation.
        """
        means = [self.fixed_points(theta, X)[layer] for layer in self._even_layers]
        if not means:
            return -self.bottom.evaluate(self._of_bottom(theta), X)[0][:, np.newaxis]
        noise = [
            uniform((n_draws, mean.shape[1]), 0, layer=layer, dtype=X.dtype)
            for layer, mean in zip(self._even_layers, means, strict=True)
        ]
        drive = self._drive(theta, X)
        log_weights = np.empty((len(X), n_draws), dtype=X.dtype)
        n_rows = max(1, MAX_ENTRIES // (n_draws * max(self.sizes)))
        for first in range(0, len(X), n_rows):
            rows = slice(first, first + n_rows)
            some = [mean[rows] for mean in means]
            log_weights[rows] = self._weigh(theta, drive[rows], some, noise)
        return log_weights - self.bottom.visible_energy(self._of_bottom(theta), X)[:, np.newaxis]

    def _weigh(self, theta, drive, means, noise):
        """The logarithms for some rows, but for −E₀(x)."""
        blocks, biases = [None] * (self.n_layers + 1), self._hidden_biases(theta)
        n_rows, n_draws = len(drive), len(noise[0])
        total = np.zeros(n_rows * n_draws, dtype=drive.dtype)
        for layer, mean, each in zip(self._even_layers, means, noise, strict=True):
            mean = np.repeat(mean, n_draws, axis=0)
            draws = (np.tile(each, (n_rows, 1)) < mean).astype(drive.dtype)
            total += draws @ biases[layer - 1]
            total -= (xlogy(draws, mean) + xlog1py(1 - draws, -mean)).sum(axis=1)
            blocks[layer] = draws
        for layer in self._odd_layers:
            of_x = np.repeat(drive, n_draws, axis=0) if layer == 1 else None
            total += softplus(self._inputs(theta, blocks, layer, of_x)).sum(axis=1)
        return total.reshape(n_rows, n_draws)
