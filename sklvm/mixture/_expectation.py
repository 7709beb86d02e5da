"""Expectation and maximisation of a mixture, whatever its components are."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from sklvm.mixture._moments import column_sums
from sklvm.optimizers import EM

__all__ = [
    "Components",
    "MixtureExpectation",
    "MixtureParameters",
    "MixtureStatistics",
]

# Share of the mean weight of a component below which it has no rows.
UNUSED = 1e-6

# Logarithms of posterior probabilities that are as good as 0.
FLOORS = {np.dtype(np.float32): -60.0, np.dtype(np.float64): -600.0}


class Components(Protocol):
    """A family of K densities p(x | k), NaN in x being a missing entry that is summed out.

    Attributes
    ----------
    n_components : int
    """

    n_components: int

    def log_densities(self, theta, X):
        """log p(x | k) of the observed entries, shape (n, K), of X's dtype, to be overwritten."""

    def collect(self, theta, X, shares):
        """Statistics of rows of which component k has the share `shares[:, k]`, shape (n, K)."""

    def solve(self, statistics, theta):
        """The components of greatest likelihood, or posterior density."""

    def penalty(self, theta):
        """Minus the logarithm of the prior density, but for a constant."""

    def objective(self, statistics, theta):
        """−Σᵢₖ of share times log p(xᵢ | k; θ), from the statistics alone."""

    def restart(self, theta, statistics, components, rows):
        """θ in which these components lie about these rows, and statistics without them."""


class MixtureParameters(NamedTuple):
    """θ of a mixture: log π_k, and the parameters of its components."""

    log_weights: np.ndarray
    components: object


@dataclass(frozen=True)
class MixtureStatistics:
    """How many rows each component has, what it knows of them, and Σ w q log q where it is asked.

    Parameters
    ----------
    counts : ndarray of shape (K,)
        Σᵢ wᵢ q_ik.
    components : Statistics
    negative_entropy : float
    """

    counts: np.ndarray
    components: object
    negative_entropy: float = 0.0

    def merge(self, other):
        """Statistics of the rows of both."""
        return MixtureStatistics(
            self.counts + other.counts,
            self.components.merge(other.components),
            self.negative_entropy + other.negative_entropy,
        )

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        return MixtureStatistics(
            factor * self.counts, self.components.scale(factor), factor * self.negative_entropy
        )

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return MixtureStatistics(np.zeros_like(self.counts), self.components.neutral())


@dataclass(frozen=True)
class MixtureExpectation:
    """EM of a mixture: an ``Expectation`` that ``Restarts``.

    The criterion of a row is −F, in nats: −log p(x), or at another temperature T
    −T log Σ_k p(x, k)^(1/T), or −max_k log p(x, k) where rows go to one component.

    Attributes
    ----------
    components : Components
    em : EM
    n_features : int
    dtype : dtype
        Of the data.
    inverse_temperature : float
    """

    components: Components
    em: EM
    n_features: int
    dtype: np.dtype
    inverse_temperature: float = 1.0

    @property
    def n_components(self):
        return self.components.n_components

    def at_epoch(self, index):
        """The same at the temperature of an epoch."""
        return replace(self, inverse_temperature=self.em.inverse_temperature(index))

    @property
    def is_preliminary(self):
        """Whether the criterion is not yet that of the end."""
        return self.inverse_temperature < 1

    def log_joint(self, theta, X):
        """log p(x, k), shape (n, K), of X's dtype."""
        joint = self.components.log_densities(theta.components, X)
        joint += theta.log_weights.astype(joint.dtype)
        return joint

    def posterior(self, theta, X):
        """p(k | x), shape (n, K)."""
        joint = self.log_joint(theta, X)
        normalize(joint, theta.log_weights)
        return joint

    def log_density(self, theta, X):
        """log p(x), shape (n,)."""
        return normalize(self.log_joint(theta, X), theta.log_weights)

    def expect(self, theta, X, weights, local=None):
        """−F of each row, and statistics of the rows' shares."""
        joint = self.log_joint(theta, X)
        if self.em.hard:
            chosen = np.argmax(joint, axis=1)
            values = -joint[np.arange(len(joint)), chosen]
            shares = np.zeros_like(joint)
            shares[np.arange(len(joint)), chosen] = 1
        else:
            beta = joint.dtype.type(self.inverse_temperature)
            if beta != 1:
                joint *= beta
            values = normalize(joint, theta.log_weights) / -beta
            shares = joint
        negative_entropy = 0.0
        if self.em.incremental and not self.em.hard:
            logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
            by_row = np.einsum("nk,nk->n", shares, logarithms, dtype=np.float64)
            negative_entropy = float(weights @ by_row) / self.inverse_temperature
        if (weights != 1).any():
            shares *= weights[:, np.newaxis].astype(shares.dtype, copy=False)
        statistics = MixtureStatistics(
            column_sums(shares),
            self.components.collect(theta.components, X, shares),
            negative_entropy,
        )
        return values, statistics, None

    def maximize(self, statistics, theta):
        """The mixture of greatest F."""
        with np.errstate(divide="ignore"):
            log_weights = np.log(statistics.counts / statistics.counts.sum())
        return MixtureParameters(
            log_weights, self.components.solve(statistics.components, theta.components)
        )

    def penalty(self, theta):
        """Minus the logarithm of the prior density."""
        return self.components.penalty(theta.components)

    def objective(self, statistics, theta):
        """−F of shares that were found at other θ, at this θ."""
        counts = statistics.counts
        used = counts > 0
        return (
            statistics.negative_entropy
            - float(counts[used] @ theta.log_weights[used])
            + self.components.objective(statistics.components, theta.components)
        )

    def unused(self, statistics):
        """Components that have no rows."""
        return np.flatnonzero(statistics.counts <= UNUSED * statistics.counts.mean())

    def restart(self, theta, statistics, components, rows, rng):
        """Components about these rows, each of an average weight."""
        components = components[: len(rows)]
        weights = np.exp(theta.log_weights)
        weights[components] = 1 / len(weights)
        counts = statistics.counts.copy()
        counts[components] = 0
        parameters, collected = self.components.restart(
            theta.components, statistics.components, components, rows
        )
        with np.errstate(divide="ignore"):
            log_weights = np.log(weights / weights.sum())
        return (
            MixtureParameters(log_weights, parameters),
            replace(statistics, counts=counts, components=collected),
        )


def normalize(joint, log_weights):
    """Turn log p(x, k) into p(k | x), in place; log p(x).

    A row that no component can have, −∞ everywhere, has the prior as its posterior.
    """
    largest = joint.max(axis=1)
    shift = np.where(np.isfinite(largest), largest, 0)
    joint -= shift[:, np.newaxis]
    # Subnormal numbers would make products with them many times slower: below e^floor it is 0.
    floor = joint.dtype.type(FLOORS[joint.dtype])
    np.maximum(joint, floor, out=joint)
    np.exp(joint, out=joint)
    joint -= np.exp(floor)
    totals = joint.sum(axis=1)
    if not totals.all():
        joint[totals == 0] = np.exp(log_weights)
        with np.errstate(divide="ignore"):
            log_totals = np.log(totals)
        totals[totals == 0] = 1
    else:
        log_totals = np.log(totals)
    joint /= totals[:, np.newaxis]
    return shift + log_totals
