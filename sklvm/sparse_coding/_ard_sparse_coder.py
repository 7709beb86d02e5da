"""Sparse codes by automatic relevance determination."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning

from sklvm._compat import Interval, StrOptions, _fit_context
from sklvm._warnings import warn
from sklvm.base import FLOATS, check_data, has_finite_squares, row_blocks
from sklvm.kernels import automatic_relevance_codes
from sklvm.rows import rows_by_gaps
from sklvm.sparse_coding._dictionary_model import DictionaryModel, given_dictionary

__all__ = ["ARDInfo", "ARDSparseCoder"]

# Learned noise variance is at least this part of the data's mean square.
_LEAST_NOISE = 1e-6
# Parameters that a fit fixes for all coding after it.
_OPTIONS = ("noise_variance", "tol", "max_iter", "n_jobs")


@dataclass(frozen=True)
class ARDInfo:
    """What the evidence says of codes, one row or value a sample.

    Attributes
    ----------
    variance_ : ndarray of shape (n_samples, n_components)
        Of each coefficient's posterior; 0 for atoms that are ruled out.
    prior_variance_ : ndarray of shape (n_samples, n_components)
        1 / α_k; 0 for atoms that are ruled out.
    noise_variance_ : ndarray of shape (n_samples,)
        σ².
    log_evidence_ : ndarray of shape (n_samples,)
        log N(x; 0, σ²I + Σ_k d_k d_kᵀ / α_k), in nats.
    gain_ : ndarray of shape (n_samples,)
        What the best further step would add to that; `tol` bounds it.
    n_iter_ : ndarray of int, shape (n_samples,)
        Steps taken.
    """

    variance_: np.ndarray
    prior_variance_: np.ndarray
    noise_variance_: np.ndarray
    log_evidence_: np.ndarray
    gain_: np.ndarray
    n_iter_: np.ndarray


class ARDSparseCoder(DictionaryModel):
    """Sparse Bayesian codes: the strength of the prior of each coefficient is found by evidence.

    ::

        x = zD + ε,   z_k ~ N(0, 1/α_k),   ε ~ N(0, σ²I),
        L(α, σ²) = log N(x; 0, σ²I + Σ_k d_k d_kᵀ / α_k)

    For each sample L is maximised over α, and over σ² unless that is given [1]_. Most α_k become
    infinite: their atoms are ruled out. The code is the posterior mean. There is no penalty to
    choose. One 1/α_k at a time goes to its optimum, the one that gains most [2]_, and σ² to its
    own, so that the evidence never decreases; it ends at a local maximum.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features), default=None
        D, its rows the atoms, of any norm; None: the identity of the data's width.
    noise_variance : "learn" or float, default="learn"
        σ². "learn" finds one for each sample, at least 10⁻⁶ of the mean square of the data that
        ``fit`` sees. That takes fewer atoms than features: as many explain any sample without
        noise, so that σ² is too small; with overcomplete dictionaries give it.
    tol : float, default=1e-6
        A sample is done where no step gains more evidence, in nats.
    max_iter : int, default=10000
        Greatest number of steps a sample.
    n_jobs : int, default=None
        Number of threads, −1 for all CPUs; None: what OpenMP and joblib allow. Codes are the same.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        D.
    least_noise_variance_ : float
        What a learned σ² is at least.
    score_normalized_ : bool
        False: see ``score_samples``.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    SparseCoder : Codes by penalties.
    sklearn.linear_model.ARDRegression : The same model of one signal.

    Notes
    -----
    NaN is a missing entry: the sample is coded on the features that are known, and its evidence is
    that of those.

    References
    ----------
    .. [1] Tipping (2001), "Sparse Bayesian learning and the relevance vector machine".
    .. [2] Tipping and Faul (2003), "Fast marginal likelihood maximisation for sparse Bayesian
       models", equations 18 to 21. σ² is maximised at fixed α_k σ², where the optimum is
       xᵀ(I + Σ_k d_k d_kᵀ / (α_k σ²))⁻¹x / n_features; stationary points are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import ARDSparseCoder
    >>> rng = np.random.default_rng(0)
    >>> D = rng.standard_normal((30, 40))
    >>> X = 2 * D[[3]] - D[[17]] + 0.1 * rng.standard_normal((1, 40))
    >>> Z, info = ARDSparseCoder(D).fit(X).encode(X, return_info=True)
    >>> Z[0, [3, 17]].round(1)
    array([ 2., -1.])
    >>> bool(np.sqrt(info.variance_[0, 3]) < 0.05)
    True
    """

    _parameter_constraints: dict = {
        "dictionary": ["array-like", None],
        "noise_variance": [StrOptions({"learn"}), Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self, dictionary=None, *, noise_variance="learn", tol=1e-6, max_iter=10_000, n_jobs=None
    ):
        self.dictionary = dictionary
        self.noise_variance = noise_variance
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Check the dictionary against the data; nothing is learned but the scale of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.
        y : None
            Ignored.

        Returns
        -------
        self : ARDSparseCoder

        Raises
        ------
        ValueError
            If the dictionary has another number of features.
        """
        X = check_data(self, X, squares="float64", dtype=FLOATS, ensure_all_finite="allow-nan")
        self.components_ = given_dictionary(self.dictionary, X)
        self._options = {name: getattr(self, name) for name in _OPTIONS}
        self.least_noise_variance_ = _LEAST_NOISE * (_mean_square(X) or 1.0)
        return self

    def transform(self, X):
        """Posterior means of the codes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach `tol`.
        """
        return self.encode(X)

    def encode(self, X, *, return_info=False):
        """Posterior means of the codes of X, and what else the evidence says of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.
        return_info : bool, default=False
            Whether to return variances and evidence too.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
        info : ARDInfo
            If `return_info`.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach `tol`.
        """
        X = self._check_X(X)
        codes, per_row = self._encode(X, n_kept=3 if return_info else 1)
        Z = codes[0].astype(X.dtype, copy=False)
        return (Z, ARDInfo(*codes[1:], *per_row)) if return_info else Z

    def score_samples(self, X):
        """Log evidence of each row, L(α, σ²) at its maximum, in nats.

        It is a true log-density of x at the α and σ² that were found. But those were fitted to this
        very row: it is a type-II maximised evidence, which favours flexible dictionaries, and does
        not integrate to 1 over x (``score_normalized_`` is False).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing, for which the evidence is that of the known features.

        Returns
        -------
        log_evidence : ndarray of shape (n_samples,)
            −∞ for a row so far away that its squares overflow.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach `tol`.
        """
        X = self._check_X(X)
        scores = np.full(len(X), -np.inf, dtype=X.dtype)
        if (near := has_finite_squares(X)).any():
            _, per_row = self._encode(X if near.all() else X[near], n_kept=0)
            scores[near] = per_row[1]
        return scores

    def _encode(self, X, n_kept):
        """The `n_kept` first of what there is for each row and atom, and all that there is for each
        row; see ``RelevanceResults``."""
        D = self.components_.astype(np.float64)
        codes = [np.zeros((len(X), len(D))) for _ in range(n_kept)]
        per_row = (*np.zeros((3, len(X))), np.zeros(len(X), dtype=np.intc))
        for block in row_blocks(len(X), max(D.shape)):
            for rows, missing in rows_by_gaps(X[block]):
                if missing.all():
                    continue  # nothing is known: a code of zero, and an evidence of 1
                known = X[block][np.ix_(rows, ~missing)].astype(np.float64)
                part = self._fit_rows(known, D[:, ~missing])
                rows = rows + block.start
                for array, values in zip(
                    (*codes, *per_row), (*part[:n_kept], *part[3:]), strict=True
                ):
                    array[rows] = values
        gains = per_row[2]
        tol, max_iter = self._options["tol"], self._options["max_iter"]
        unfinished = np.sum(~(gains <= tol))
        if tol > 0 and unfinished:
            warn(
                f"{unfinished} of {len(X)} samples did not reach tol={tol} in "
                f"max_iter={max_iter} iterations; the worst could still gain "
                f"{gains.max():.3g} nats.",
                ConvergenceWarning,
            )
        return codes, per_row

    def _fit_rows(self, X, D):
        noise_variance, n_jobs = self._options["noise_variance"], self._options["n_jobs"]
        learns = isinstance(noise_variance, str)
        return automatic_relevance_codes(
            D,
            X,
            noise_variance=None if learns else float(noise_variance),
            least_noise_variance=self.least_noise_variance_,
            tol=self._options["tol"],
            max_iter=self._options["max_iter"],
            n_threads=None if n_jobs is None else effective_n_jobs(n_jobs),
        )


def _mean_square(X):
    """Of the known entries, in double precision."""
    total, count = 0.0, 0
    for rows in row_blocks(*X.shape):
        known = X[rows][~np.isnan(X[rows])].astype(np.float64)
        total, count = total + float(known @ known), count + len(known)
    if not np.isfinite(total):
        raise ValueError(
            f"Squares of the data, with entries of up to {np.nanmax(np.abs(X)):.3g}, overflow. "
            "Scale the data."
        )
    return total / max(count, 1)
