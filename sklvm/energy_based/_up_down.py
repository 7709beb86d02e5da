"""Fine-tuning of a deep belief network by the up–down algorithm."""

from numbers import Integral

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.energies import ChainState
from sklvm.kernels import draw_bernoulli, sigmoid
from sklvm.objectives._chain_likelihood import likelihood_gradient
from sklvm.optimizers import OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.rows import as_dense, slices
from sklvm.settings import Settings, StringShorthandMixin, resolve

__all__ = ["UpDown", "UpDownTraining"]


def _default_optimizer():
    return Adam(0.001, schedule="linear", max_gradient_norm=10.0)


class UpDown(StringShorthandMixin, Settings):
    """The up–down algorithm: wake–sleep with contrastive divergence on top.

    A pass from the bottom up draws the hidden layers of data, for which p(h^(l−1) | h^l) learns to
    say the layer below; chains of the machine on top move on from there; and a pass from the top
    down draws the layers below, for which q(h^l | h^(l−1)) learns to say the layer above (Hinton,
    Osindero and Teh, "A fast learning algorithm for deep belief nets", Neural Computation 18, 2006,
    appendix B). The two directions part from one another: the network then has weights for both.

    Parameters
    ----------
    max_iter : int, default=10
        Epochs.
    n_steps : int, default=5
        Transitions of the chains of the machine on top, from the data's states of its visible
        units.
    batch_size : int, default=100
        Rows a step; the last batch of an epoch may be smaller.
    optimizer : {"auto", "sgd", "adam"} or optimizer, default="auto"
        What takes the steps. "auto" is ``Adam(0.001, schedule="linear", max_gradient_norm=10)``.

    Examples
    --------
    >>> from sklvm.energy_based import UpDown
    >>> UpDown(n_steps=10)
    UpDown(n_steps=10)
    """

    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": _default_optimizer}}
    _parameter_constraints = {
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions({"auto", "sgd", "adam"}), StochasticOptimizer],
    }

    def __init__(self, max_iter=10, n_steps=5, batch_size=100, optimizer="auto"):
        self.max_iter = max_iter
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.optimizer = optimizer


class UpDownTraining:
    """Steps of the up–down algorithm on the parameters of ``BeliefLayers``, in place.

    Parameters
    ----------
    layers : BeliefLayers
        Its recognition parameters are not those of p any more, and are copied where they still are.
    settings : UpDown
    n_rows : int
    is_drawn : bool
        Whether bits are drawn with the rows as probabilities for each step.
    rng : Generator
    """

    def __init__(self, layers, settings, n_rows, is_drawn, rng):
        pairs = zip(layers.recognition, layers.generative, strict=False)
        layers.recognition = [q.copy() if q is p else q for q, p in pairs]
        self.layers, self._settings, self._is_drawn, self._rng = layers, settings, is_drawn, rng
        self._parts = [*layers.generative, *layers.recognition]
        self._optimizer = resolve(settings.optimizer, UpDown._shorthands["optimizer"],
                                  "optimizer", "UpDown")  # fmt: skip
        n_batches = len(slices(n_rows, settings.batch_size))
        self._moments = self._optimizer.init(
            np.concatenate(self._parts), settings.max_iter * n_batches
        )

    def epoch(self, X, weights, rows):
        """A step for each batch of rows, in a new order; the mean norm of their gradients."""
        order, norms = self._rng.permutation(rows), []
        mean_weight = weights[rows].mean()
        for part in slices(len(order), self._settings.batch_size):
            some = order[part]
            gradient = self.gradient(as_dense(X[some]), weights[some] / weights[some].sum())
            share = weights[some].sum() / (mean_weight * min(self._settings.batch_size, len(order)))
            gradient *= gradient.dtype.type(share)
            theta = np.concatenate(self._parts)
            self._optimizer.step(theta, gradient, self._moments)
            ends = np.cumsum([len(each) for each in self._parts])[:-1]
            for each, new in zip(self._parts, np.split(theta, ends), strict=True):
                each[...] = new
            norms.append(float(np.linalg.norm(gradient)))
        return float(np.mean(norms)), len(norms)

    def gradient(self, X, w):
        """That of all parameters of p, then of those of q."""
        layers, dtype = self.layers, self._parts[0].dtype
        X, w = X.astype(dtype, copy=False), w.astype(dtype, copy=False)
        if self._is_drawn:
            X = draw_bernoulli(X, self._seed())
        below, wake, sleep = X, [], []
        for number, recognition in enumerate(layers.recognition):
            energy, theta = layers.energies[number], layers.generative[number]
            above = draw_bernoulli(energy.posterior(recognition, below), self._seed())
            wake.append(_pull_visible(energy, theta, below, above, w))
            below = above
        top, theta, seed = layers.energies[-1], layers.generative[-1], self._seed()
        chains = top.start(theta, below, seed)
        for _ in range(self._settings.n_steps):
            chains, _ = top.sweep(theta, chains)
        data = ChainState((below,), self._seed())
        wake.append(likelihood_gradient(top, theta, data, w, chains, w))
        above = chains.visible
        for number in range(layers.n_layers - 2, -1, -1):
            energy, theta = layers.energies[number], layers.generative[number]
            below = energy.sample_visible(theta, above, self._seed())
            sleep.append(_pull_hidden(energy, layers.recognition[number], below, above, w))
            above = below
        return np.concatenate([*wake, *sleep[::-1]])

    def _seed(self):
        return int(self._rng.integers(2**63))


def _pull_visible(energy, theta, X, Z, w):
    """Σᵢ wᵢ ∂(−log p(xᵢ | zᵢ))/∂θ, which is that of E(x, z) less that of −log Σ_x p̃(x, z)."""
    return energy.joint_gradient(theta, (X, Z), w) - energy.evaluate_hidden(theta, Z)[1](w)


def _pull_hidden(energy, theta, X, Z, w):
    """Σᵢ wᵢ ∂(−log p(zᵢ | xᵢ))/∂θ."""
    _, logits, pullback = energy.terms(theta, X)
    return pullback(np.zeros_like(w), w[:, np.newaxis] * (sigmoid(logits) - Z))
