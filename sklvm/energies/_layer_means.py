"""Mean field over layers of binary units: the positive phase, the bound, means from the top down.

A layer's means depend on those of the two layers beside it alone. A sweep sets the odd layers to
their best values given the others, then the even ones: each half of it raises the bound.
"""

import numpy as np
from scipy.special import entr

from sklvm.kernels import sigmoid

__all__ = ["LayerMeans"]

MAX_SWEEPS = 500


class LayerMeans:
    """For ``DeepBoltzmannMachineEnergy``: q(h | x) = Π_l Π_k μ_lk^h_lk (1 − μ_lk)^(1 − h_lk).

    ::

        μ_l = s(W_l μ_(l−1) + W_(l+1)ᵀ μ_(l+1) + b_l),
        F(x) = E(x, μ) − H(μ) ≥ E(x),

    H the entropy of q. E is linear in each unit, so that E_q[E(x, h)] = E(x, μ) (Salakhutdinov and
    Hinton, AISTATS 2009). At the fixed point ∂F/∂μ = 0, and ∂F/∂θ is that of E at fixed μ.
    """

    def infer(self, theta, X, state=None):
        """The blocks (X, μ₁, …, μ_L) after ``n_mean_field`` sweeps from the bottom up."""
        drive = self._drive(theta, X)
        blocks = (X, *self.bottom_up(theta, X, drive))
        for _ in range(self.n_mean_field if self.n_layers > 1 else 0):
            blocks = self._mean_field_sweep(theta, blocks, drive)
        return blocks

    def bottom_up(self, theta, X, drive=None):
        """Means of all layers by one pass, the weights from below doubled except at the top.

        Twice the input from below stands for the input from above that is not known yet.
        """
        inputs = self._drive(theta, X) if drive is None else drive
        views, biases, means = self.layout.views(theta), self._hidden_biases(theta), []
        for layer, bias in enumerate(biases, start=1):
            if layer > 1:
                inputs = means[-1] @ views[f"weights_{layer}"].T
                inputs += bias
            if layer < self.n_layers:
                inputs = 2 * inputs - bias
            means.append(sigmoid(inputs))
        return means

    def fixed_points(self, theta, X, free=None):
        """The blocks at which no mean of a row moves any more.

        A row is swept until no mean moves by more than √ε, ε the precision of its numbers, and at
        most 500 times, whatever rows come with it.

        Parameters
        ----------
        theta : ndarray
        X : ndarray of shape (n, d)
        free : ndarray of bool of shape (n, d), default=None
            Visible units that have means as well; their entries of X are where they start.
        """
        free = None if free is None or not free.any() else free
        blocks = [X if free is None else X.copy(), *self.infer(theta, X)[1:]]
        drive, tolerance = self._drive(theta, X), np.sqrt(np.finfo(X.dtype).eps)
        if self.n_layers == 1 and free is None:
            return tuple(blocks)
        rows = np.arange(len(X))
        for _ in range(MAX_SWEEPS):
            before = [block[rows] for block in blocks]
            masks = None if free is None else free[rows]
            after = self._mean_field_sweep(theta, before, drive[rows], masks)
            moved = np.zeros(len(rows), dtype=X.dtype)
            for block, old, new in zip(blocks, before, after, strict=True):
                if new is not old:
                    block[rows] = new
                    np.maximum(moved, np.abs(new - old).max(axis=1), out=moved)
            if free is not None:
                drive[rows] = self._drive(theta, after[0])
            rows = rows[moved > tolerance]
            if not len(rows):
                break
        return tuple(blocks)

    def bound(self, theta, X):
        """F of shape (n,), and ``pullback(w)``, at the fixed point of mean field."""
        blocks = self.fixed_points(theta, X)
        return self._bound_at(theta, blocks), lambda w: self.joint_gradient(theta, blocks, w)

    def clamped_bound(self, theta, X, free):
        """A bound F ≥ −log Σ p̃ of each row over the entries in the mask `free` as well.

        They are in q, too: with means, or for real ones as normal noise of the model's own
        variance about them. Those entries of X are where they start.
        """
        blocks = self.fixed_points(theta, X, free)
        entropy = self.bottom.visible_entropy(self._of_bottom(theta), blocks[0])
        return self._bound_at(theta, blocks) - np.where(free, entropy, 0).sum(axis=1)

    def _bound_at(self, theta, blocks):
        means = np.hstack(blocks[1:])
        energy, _ = self.evaluate_joint(theta, blocks[0], means)
        return energy - (entr(means) + entr(1 - means)).sum(axis=1)

    def means_below(self, theta, Z, layer):
        """E[x | h^l] by mean field in x and the layers between; l = 1 needs none, and is exact.

        Starts with a pass from the top down, the weights doubled as in ``bottom_up``.
        """
        views, biases = self.layout.views(theta), self._hidden_biases(theta)
        bottom, blocks = self._of_bottom(theta), [None] * (layer + 1)
        blocks[layer] = Z
        for below in range(layer - 1, 0, -1):
            inputs = 2 * (blocks[below + 1] @ views[f"weights_{below + 1}"])
            blocks[below] = sigmoid(inputs + biases[below - 1])
        blocks[0] = self.bottom.visible_mean(bottom, blocks[1])
        for _ in range(self.n_mean_field if layer > 1 else 0):
            for below in range(layer - 1, 0, -1):
                blocks[below] = sigmoid(self._inputs(theta, blocks, below))
            blocks[0] = self.bottom.visible_mean(bottom, blocks[1])
        return blocks[0]

    def _drive(self, theta, X):
        """What x and the biases give to the first layer."""
        return self.bottom.posterior_logits(self._of_bottom(theta), X)

    def _mean_field_sweep(self, theta, blocks, drive, free=None):
        blocks = list(blocks)
        for layer in self._odd_layers:
            blocks[layer] = sigmoid(self._inputs(theta, blocks, layer, drive))
        if free is not None:
            means = self.bottom.visible_mean(self._of_bottom(theta), blocks[1])
            blocks[0] = np.where(free, means, blocks[0])
        for layer in self._even_layers:
            blocks[layer] = sigmoid(self._inputs(theta, blocks, layer))
        return tuple(blocks)
