"""The detector that is used where no other is named: three looks at the density around a row."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, _fit_context
from sklvm.anomaly._compressed_features import CompressedFeatures
from sklvm.anomaly._tail_probabilities import TailProbabilities
from sklvm.base import FLOATS, DensityModel, check_data, generator_from
from sklvm.densities import GaussianKernelDensity, silverman_bandwidth

__all__ = ["LocalDensityEnsemble"]

# Widths of kernels, in units of √d or of Silverman's bandwidth.
TRIMMING_WIDTH = 0.5
NARROW_WIDTH = 0.7


class LocalDensityEnsemble(DensityModel):
    """Scores rows by how sparse training rows are around them, in three ways at once.

    Features are centred at their median and scaled, and far values are compressed to logarithms,
    so that neither units nor single values decide. Then three surprises are measured:

    - −log p of a kernel density with a round kernel, narrower than Silverman's, on all rows:
      fine structure;
    - −log p of a kernel density whose kernel has the covariance of the data, shrunk towards a round
      one, after the share `trim` of the rows that lie farthest out have been dropped: dependencies,
      untouched by anomalies in the training rows;
    - the distance, in the same metric and without the same rows, within which the share
      `neighbors` of the rows lie: clumps of anomalies are no neighbourhood.

    Each becomes a tail probability among those of the training rows, each of which was scored
    without itself; the score is the mean of the three logarithms, Fisher's combination of tests.

    Parameters
    ----------
    trim : float, default=0.2
        Share of the training rows that are dropped from two of the three, in [0, 0.5). It is to
        exceed the share of anomalies among them; 0.05 is better where there are none.
    neighbors : float, default=0.05
        Share of the rows whose farthest counts, in (0, 1).
    shrinkage : float, default=0.1
        Of the kernel's covariance towards a round one; positive.
    max_centers : int, default=5000
        Most rows that kernels are put on. Of more rows so many are drawn, which bounds the cost of
        scoring; memory does not grow with the number of rows.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.

    Attributes
    ----------
    density_ : GaussianKernelDensity
        The second density, of the compressed features.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    DensityOutlierDetector : Puts a threshold on it, calibrates and explains it.
    sklearn.neighbors.KernelDensity : One density, as it is.

    Notes
    -----
    The parts and their settings were chosen by ``benchmarks/anomaly.py`` on tables that its final
    comparison does not contain. Missing entries stand at the median of their feature. A feature
    that was constant counts as much, where it is not, as a bit that is set once in n rows.

    References
    ----------
    Silverman (1986), "Density Estimation for Statistics and Data Analysis". Fisher (1932),
    "Statistical Methods for Research Workers", on combining tail probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.anomaly import LocalDensityEnsemble
    >>> X = np.random.default_rng(0).standard_normal((500, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    >>> model = LocalDensityEnsemble().fit(X)
    >>> near, odd = model.score_samples([[1.0, 1.0], [1.0, -1.0]])
    >>> bool(near > odd)
    True
    """

    _parameter_constraints: dict = {
        "trim": [Interval(Real, 0, 0.5, closed="left")],
        "neighbors": [Interval(Real, 0, 1, closed="neither")],
        "shrinkage": [Interval(Real, 0, None, closed="neither")],
        "max_centers": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, *, trim=0.2, neighbors=0.05, shrinkage=0.1, max_centers=5000, random_state=None
    ):
        self.trim = trim
        self.neighbors = neighbors
        self.shrinkage = shrinkage
        self.max_centers = max_centers
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Put kernels on the rows of X, and score each of them without itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data, mostly normal; NaN: missing.
        y : None
            Ignored.

        Returns
        -------
        self : LocalDensityEnsemble
        """
        X = self._check_rows(X, reset=True, ensure_min_samples=2)
        if len(X) > self.max_centers:
            rng = generator_from(self.random_state)
            X = X[np.sort(rng.choice(len(X), self.max_centers, replace=False))]
        self._dtype = X.dtype
        self._features = CompressedFeatures(X)
        Z = self._features.transform(X)
        n = len(Z)
        if not Z.any():  # equal rows: every other row is as far out as a feature can be
            Z = Z + 1e-12 * np.arange(n)[:, np.newaxis] / n
        self._narrow = _round_kernels(Z)
        kept = self._kept(Z)
        self.density_ = GaussianKernelDensity.fit(Z[kept], shrinkage=self.shrinkage)
        self._rank = max(1, min(int(self.neighbors * n), len(kept) - 1)) - 1
        own = np.full(n, -1)
        own[kept] = np.arange(len(kept))
        surprises = self._surprises(Z, np.arange(n), own)
        self._tails = [TailProbabilities(values) for values in surprises]
        self._usual = self.density_.log_conditionals(Z[kept][:: max(1, len(kept) // 200)]).mean(
            axis=0
        )
        return self

    def score_samples(self, X):
        """Mean logarithm of the three tail probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            At most 0, in nats; lower is more surprising. No log-density.
        """
        check_is_fitted(self)
        Z = self._features.transform(self._check_rows(X, reset=False))
        surprises = self._surprises(Z)
        logs = [tail(values) for tail, values in zip(self._tails, surprises, strict=True)]
        return -np.mean(logs, axis=0).astype(self._dtype)

    def contributions(self, X):
        """How surprising each entry of a row is, given the row's other entries.

        E[log p(x_j | others)] − log p(x_j | others) under ``density_``, exactly, the mean being
        over training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            In nats; positive for entries that are less probable than usual.
        """
        check_is_fitted(self)
        Z = self._features.transform(self._check_rows(X, reset=False))
        return (self._usual - self.density_.log_conditionals(Z)).astype(self._dtype)

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-density."""
        check_is_fitted(self)
        return False

    def _check_rows(self, X, **options):
        return check_data(self, X, dtype=FLOATS, ensure_all_finite="allow-nan", **options)

    def _kept(self, Z):
        """Rows that stay when those of least density under wide kernels are dropped."""
        n, d = Z.shape
        values = np.empty(n)
        wide = TRIMMING_WIDTH * np.sqrt(d) * self._narrow.rest
        for rows, distances in self._narrow.distances(Z, np.arange(n)):
            values[rows] = self._narrow.log_density_at(distances, wide)
        return np.flatnonzero(values >= np.quantile(values, self.trim))

    def _surprises(self, Z, own_narrow=None, own_kept=None):
        surprises = np.empty((3, len(Z)))
        for rows, distances in self._narrow.distances(Z, own_narrow):
            surprises[0, rows] = -self._narrow.log_density_at(distances)
        for rows, distances in self.density_.distances(Z, own_kept):
            surprises[1, rows] = -self.density_.log_density_at(distances)
            nearest = np.partition(distances, self._rank, axis=1)[:, self._rank]
            surprises[2, rows] = np.sqrt(nearest)
        return surprises

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _round_kernels(Z):
    return GaussianKernelDensity(Z, 1 / (NARROW_WIDTH * silverman_bandwidth(*Z.shape)))
