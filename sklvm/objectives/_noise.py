"""The noise of noise-contrastive criteria, and the log Z that they learn."""

import math
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from sklvm._compat import HasMethods, Interval, StrOptions
from sklvm.densities import sample_with_log_density
from sklvm.layouts import ParameterLayout
from sklvm.objectives._reference_densities import REFERENCES

__all__ = ["NOISE_CONSTRAINTS", "FreshNoise", "FrozenNoise", "LearnedLogPartition"]

# Rows of the data at most that tell where the learned log Z starts.
MAX_STARTING_ROWS = 1000

NOISE_CONSTRAINTS = {
    "noise_ratio": [Interval(Integral, 1, None, closed="left")],
    "reference": [
        StrOptions({"auto", *REFERENCES}),
        HasMethods(["log_density", "sample"]),
        HasMethods(["score_samples", "sample"]),
    ],
    "frozen_noise": ["boolean"],
}


@dataclass(frozen=True)
class FreshNoise:
    """Noise that is drawn anew for every batch."""

    density: object

    def beside(self, X, ratio, rng):
        """The rows of X, followed by `ratio` times as many rows of noise.

        Returns
        -------
        rows : ndarray of shape ((1 + ratio) * n, d)
        log_density : ndarray of shape ((1 + ratio) * n,)
            log p_n of the rows.
        noise : FreshNoise or FrozenNoise
            The source of the next batch's noise.
        """
        n = len(X)
        rows = np.empty(((1 + ratio) * n, X.shape[1]), X.dtype)
        log_density = np.empty(len(rows), X.dtype)
        rows[:n], log_density[:n] = X, self.density.log_density(X)
        rest = self._take(rows[n:], log_density[n:], rng)
        return rows, log_density, rest

    def frozen(self, n, rng, dtype):
        """`n` rows of noise, drawn once."""
        return FrozenNoise(self.density, *_draw(self.density, n, rng, dtype))

    def _take(self, rows, log_density, rng):
        """Write noise and its log-density to these arrays; what the next batch takes from."""
        log_density[...] = sample_with_log_density(self.density, len(rows), rng, out=rows)[1]
        return self


@dataclass(frozen=True)
class FrozenNoise(FreshNoise):
    """Noise that was drawn once, and the row that comes next; after the last comes the first."""

    rows: np.ndarray
    row_log_densities: np.ndarray
    start: int = 0

    def __deepcopy__(self, memo):
        # Nothing is ever written to it, and the rows are many.
        return self

    def _take(self, rows, log_density, rng):
        n = len(rows)
        chosen = np.arange(self.start, self.start + n) % len(self.rows)
        np.take(self.rows, chosen, axis=0, out=rows, mode="clip")
        log_density[...] = self.row_log_densities[chosen]
        return replace(self, start=(self.start + n) % len(self.rows))


def _draw(density, n, rng, dtype):
    drawn = sample_with_log_density(density, n, rng)
    return tuple(values.astype(dtype, copy=False) for values in drawn)


class LearnedLogPartition:
    """c, an estimate of log Z that is learned with θ, for data of width d.

    It is parametrised as √d·γ, so that an optimiser whose steps have a given length can follow
    log Z, which grows with d.
    """

    layout = ParameterLayout({"log_partition_per_root_feature": ()})

    def __init__(self, n_features):
        self._root = math.sqrt(n_features)

    def start(self, theta, log_model, density, X, counts, rng):
        """Start c between the mean of log p̃ − log p_n over the data and that over noise.

        Parameters
        ----------
        theta : Parameters
            Whose γ is set.
        log_model : callable
            Rows → log p̃, or an estimate of it.
        density : density
            p_n.
        X, counts : ndarrays of shape (n, d) and (n,)
        rng : Generator
        """
        rows, shares = X, counts / counts.sum(dtype=np.float64)
        if len(X) > MAX_STARTING_ROWS:
            # Rows drawn by weight stand for the weighted data.
            rows = X[rng.choice(len(X), MAX_STARTING_ROWS, p=shares)]
            shares = np.full(MAX_STARTING_ROWS, 1 / MAX_STARTING_ROWS)
        draws, log_noise = _draw(density, len(rows), rng, X.dtype)
        of_data = shares @ (log_model(rows) - density.log_density(rows))
        of_noise = np.mean(log_model(draws) - log_noise)
        start = 0.5 * float(of_data + of_noise) / self._root
        theta.own["log_partition_per_root_feature"][...] = start

    def value(self, theta):
        return float(theta.own["log_partition_per_root_feature"]) * self._root

    def pull(self, gradient, log_partition_bar):
        """Write γ's gradient, for the cotangent of c, to the `gradient` of θ's form."""
        gradient.own["log_partition_per_root_feature"][...] = log_partition_bar * self._root
