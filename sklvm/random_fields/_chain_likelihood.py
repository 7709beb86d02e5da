"""The conditional likelihood of label sequences, and its gradient."""

import numpy as np

from sklvm.kernels import chain_marginals

__all__ = ["ChainLikelihood", "path_potentials"]


class ChainLikelihood:
    """−Σ w log P(y|x) / Σ w over sequences, as a function of one parameter vector.

    ::

        log P(y|x) = Σ_t u_t(y_t) + Σ_t A(y_{t-1}, y_t) − log Z(x),    u_t = W x_t + b
        ∂/∂u_t(j) = [y_t = j] − P(y_t = j|x),
        ∂/∂A(i, j) = Σ_t [y_{t-1} = i, y_t = j] − P(y_{t-1} = i, y_t = j|x)

    Lafferty, McCallum and Pereira, "Conditional random fields", ICML 2001.

    Parameters
    ----------
    X : ndarray or CSR of float64, shape (n, d)
    labels : ndarray of int, shape (n,)
        0 to n_labels − 1.
    n_labels : int
    starts : ndarray of int64, shape (n_sequences + 1,)
    weights : ndarray of float64, shape (n_sequences,)
        Not all 0.
    fit_intercept : bool
        Whether b is part of θ; else it is 0.
    """

    def __init__(self, X, labels, n_labels, starts, weights, *, fit_intercept):
        self._X, self._X_transposed = X, X.T if isinstance(X, np.ndarray) else X.T.tocsr()
        self._labels, self._starts = labels, starts
        self._shapes = ((X.shape[1], n_labels), (n_labels, n_labels), (n_labels,))
        self._fit_intercept = fit_intercept
        self._weights = weights / weights.sum()
        lengths = np.diff(starts)
        self._row_weights = np.repeat(self._weights, lengths)
        self._rows = np.arange(len(labels))
        first = np.ones(len(labels), dtype=bool)
        first[starts[:-1]] = False
        self._followers = np.flatnonzero(first)
        self._observed_pairs = np.zeros((n_labels, n_labels))
        np.add.at(
            self._observed_pairs,
            (labels[self._followers - 1], labels[self._followers]),
            self._row_weights[self._followers],
        )

    @property
    def n_penalized(self):
        """Entries of W and A, which come first in θ."""
        return sum(int(np.prod(shape)) for shape in self._shapes[:2])

    def start(self):
        return np.zeros(self.n_penalized + self._fit_intercept * self._shapes[2][0])

    def parts(self, theta):
        """W transposed, A and b."""
        (d, n_labels), _, _ = self._shapes
        size = d * n_labels
        weights = theta[:size].reshape(d, n_labels)
        transitions = theta[size : self.n_penalized].reshape(n_labels, n_labels)
        intercept = theta[self.n_penalized :] if self._fit_intercept else np.zeros(n_labels)
        return weights, transitions, intercept

    def __call__(self, theta):
        """(value, gradient) at θ."""
        weights, transitions, intercept = self.parts(theta)
        unary = np.asarray(self._X @ weights)
        unary += intercept
        result = chain_marginals(unary, transitions, self._starts, self._weights)
        value = self._weights @ result.log_partition
        value -= self._row_weights @ unary[self._rows, self._labels]
        value -= np.vdot(self._observed_pairs, transitions)
        residual = result.marginals
        residual[self._rows, self._labels] -= 1
        residual *= self._row_weights[:, np.newaxis]
        parts = [
            np.asarray(self._X_transposed @ residual).ravel(),
            (result.pair_sums - self._observed_pairs).ravel(),
        ]
        if self._fit_intercept:
            parts.append(residual.sum(axis=0))
        return float(value), np.concatenate(parts)


def path_potentials(unary, transitions, labels, starts):
    """Σ_t u_t(y_t) + Σ_t A(y_{t-1}, y_t) of each sequence."""
    potentials = unary[np.arange(len(labels)), labels]
    steps = transitions[labels[:-1], labels[1:]]
    steps[starts[1:-1] - 1] = 0
    potentials[1:] += steps
    return np.add.reduceat(potentials, starts[:-1])
