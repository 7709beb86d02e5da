"""A small model's distribution by brute force: what samplers and log Z are held against.

Nothing is shared with the code under test but the marginal energy itself, which has checks of its
own.
"""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import chi2

from sklvm.energies import Gibbs, Joint, Marginal, Score

__all__ = ["ExactDistribution", "binary_states", "can_be_summed", "marginal_energy"]

MAX_BINARY_FEATURES = 12
LEAST_P_VALUE = 1e-4


class ExactDistribution:
    """p(x; θ) as a table: of all binary states, or of the cells of a fine grid in one or two
    dimensions.

    A continuous density is taken as constant over a cell; the smooth ones that fall off at infinity
    are integrated by that midpoint rule to many digits.

    Parameters
    ----------
    energy : energy with the marginal capability
        Over real data if it has a score, else over {0, 1}^d.
    theta : ndarray
    X : ndarray of shape (n, d)
        Data around which the mass of the model lies; only its place and scale are used.
    clamped : dict of int to float, default=None
        Features held at a value: the distribution is that of the others, given those (binary data
        only).

    Attributes
    ----------
    points : ndarray of shape (n_cells, d)
    probabilities : ndarray of shape (n_cells,)
    log_partition : float
        log Z(θ) in nats; of the clamped features' slice, if any are.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import GaussianEnergy
    >>> from sklvm.testing import ExactDistribution
    >>> energy = GaussianEnergy(n_features=2)
    >>> distribution = ExactDistribution(energy, energy.pack(np.zeros(2), np.eye(2)), np.eye(2))
    >>> float(round(distribution.log_partition - np.log(2 * np.pi), 9))
    0.0
    """

    def __init__(self, energy, theta, X, clamped=None):
        self._is_continuous = isinstance(energy, Score)
        if self._is_continuous:
            self.points, self._cell = _grid(energy, theta, X)
        else:
            self.points, self._cell = binary_states(energy.n_features), np.zeros(1)
        for feature, value in (clamped or {}).items():
            self.points = self.points[self.points[:, feature] == value]
        log_volume = np.log(self._cell).sum() if self._is_continuous else 0.0
        log_mass = log_volume - marginal_energy(energy, theta, self.points.astype(theta.dtype))
        self.log_partition = float(logsumexp(log_mass))
        self.probabilities = np.exp(log_mass - self.log_partition)
        self.probabilities /= self.probabilities.sum()

    @staticmethod
    def exists(energy):
        """Whether the energy is small enough."""
        return can_be_summed(energy) and (
            energy.n_features <= (2 if isinstance(energy, Score) else MAX_BINARY_FEATURES)
        )

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        draws = self.points[rng.choice(len(self.points), n_samples, p=self.probabilities)]
        return draws + self._cell * rng.uniform(-0.5, 0.5, draws.shape)

    def mean(self, function):
        """E[f(x)], where f maps rows to rows."""
        return np.tensordot(self.probabilities, function(self.points), axes=1)

    def p_value(self, X):
        """How likely χ² is at least that of independent rows X, were this distribution theirs."""
        edges = self._bin_edges() if self._is_continuous else None
        expected = len(X) * self._histogram(self.points, edges, self.probabilities)
        observed = self._histogram(X, edges, np.ones(len(X)))
        rare = expected < 5
        expected = np.append(expected[~rare], expected[rare].sum())
        observed = np.append(observed[~rare], observed[rare].sum())
        if expected[-1] < 5:
            expected[-2] += expected[-1]
            observed[-2] += observed[-1]
            expected, observed = expected[:-1], observed[:-1]
        statistic = ((observed - expected) ** 2 / expected).sum()
        return float(chi2.sf(statistic, len(expected) - 1))

    def assert_drawn(self, X):
        """Raise ``AssertionError`` where χ² says that rows X do not come from this distribution.

        A right sampler fails for one seed in ten thousand.
        """
        p_value = self.p_value(X)
        assert p_value > LEAST_P_VALUE, (
            f"these draws come from another distribution: p = {p_value:.3g}"
        )

    def _histogram(self, X, edges, weights):
        if edges is None:
            # A binary row read as a number; rows with clamped features leave numbers out.
            n_states, index = 2 ** X.shape[1], X @ 2 ** np.arange(X.shape[1])
        else:
            digits = [np.searchsorted(e, column) for e, column in zip(edges, X.T, strict=True)]
            sizes = [len(e) + 1 for e in edges]
            n_states, index = np.prod(sizes), np.ravel_multi_index(digits, sizes)
        return np.bincount(index.astype(np.intp), weights, minlength=n_states)

    def _bin_edges(self, n_bins=10):
        """Borders between cells, about the quantiles of each marginal."""
        edges = []
        for column, width in zip(self.points.T, self._cell, strict=True):
            places = np.unique(column)
            mass = np.array([self.probabilities[column == place].sum() for place in places])
            quantiles = np.searchsorted(np.cumsum(mass), np.arange(1, n_bins) / n_bins)
            edges.append(np.unique(places[quantiles]) + 0.5 * width)
        return edges


def can_be_summed(energy):
    """Whether ``marginal_energy`` is known: directly, or by the states of few latent units."""
    if isinstance(energy, Marginal):
        return True
    is_joint = isinstance(energy, Joint) and isinstance(energy, Gibbs)
    return is_joint and energy.n_components <= MAX_BINARY_FEATURES


def marginal_energy(energy, theta, X):
    """E(x), by the energy's own word, or by a sum over all states of its latent units."""
    if isinstance(energy, Marginal):
        return energy.evaluate(theta, X)[0]
    log_joint = [
        -energy.evaluate_joint(theta, X, np.broadcast_to(z, (len(X), len(z))))[0]
        for z in binary_states(energy.n_components).astype(theta.dtype)
    ]
    return -logsumexp(log_joint, axis=0)


def binary_states(n_units):
    """All rows of {0, 1}^n_units, float64, of shape (2^n_units, n_units)."""
    return ((np.arange(2**n_units)[:, np.newaxis] >> np.arange(n_units)) & 1).astype(np.float64)


def _grid(energy, theta, X, n_places=241):
    """Midpoints of the cells of a box that holds the mass, and the cells' sides.

    A box much wider than the data finds where the mass is, a second one fits it closely.
    """
    centre = X.mean(axis=0, dtype=np.float64)
    half = np.full(energy.n_features, 10 * max(float(X.std(dtype=np.float64)), 0.1))
    for _ in range(20):
        points, cell = _box(centre, half, n_places)
        log_mass = -energy.evaluate(theta, points.astype(theta.dtype))[0]
        holds_mass = log_mass > log_mass.max() - 35
        on_border = np.any(np.abs(points - centre) > half - cell, axis=1)
        if np.any(holds_mass & on_border):
            half = 2 * half
            continue
        low, high = points[holds_mass].min(axis=0), points[holds_mass].max(axis=0)
        return _box(0.5 * (low + high), 0.5 * (high - low) + 2 * cell, n_places)
    raise AssertionError("The mass does not fall off: the density cannot be normalised.")


def _box(centre, half, n_places):
    cell = 2 * half / n_places
    places = (np.arange(n_places) + 0.5)[:, np.newaxis] * cell + (centre - half)
    return np.stack(np.meshgrid(*places.T, indexing="ij"), axis=-1).reshape(-1, len(centre)), cell
