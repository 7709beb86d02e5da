"""The Gaussian whose precision matrix has given zeros."""

from contextlib import nullcontext
from numbers import Integral, Real

import numpy as np
from scipy.linalg import eigh
from sklearn.covariance import EmpiricalCovariance
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions, _check_sample_weight, _fit_context
from sklvm._warnings import warn
from sklvm.base import FLOATS, DensityModel, check_count, check_data, fill_row_blocks
from sklvm.covariance._closed_fits import fit_diagonal, fit_rows
from sklvm.covariance._gaussian_forms import DenseForm
from sklvm.covariance._ridge import regularization_of, resolve_ridge
from sklvm.covariance._solvers import (
    solve_by_contrast,
    solve_diagonal,
    solve_full,
    solve_maximum_likelihood,
    solve_score_matching,
)
from sklvm.covariance._structures import find_degeneracy
from sklvm.graphs import SymmetricPattern, resolve_mask
from sklvm.kernels import single_threaded_blas
from sklvm.objectives import ConditionalNoiseContrastiveEstimation, NoiseContrastiveEstimation
from sklvm.settings import resolve
from sklvm.statistics import GaussianStatistics

__all__ = ["ConstrainedGaussian"]

_CONTRASTIVE = {"nce": NoiseContrastiveEstimation, "cnce": ConditionalNoiseContrastiveEstimation}
_NEWTON_STEPS = 100
# Eigenvalues of smaller matrices gain little from threads, which on a busy machine wait a lot.
_FEATURES_WORTH_THREADS = 1024


class ConstrainedGaussian(DensityModel):
    """N(μ, Λ⁻¹) with given zeros in the precision matrix Λ, a Gaussian Markov random field.

    Λ_ij = 0 says that features i and j are independent given all the others. On images,
    ``structure="lattice"`` lets a pixel depend on its near neighbours only.

    Parameters
    ----------
    structure : {"full", "diagonal", "lattice"} or array-like of bool, default="full"
        Which entries of Λ may differ from zero: all; the diagonal; those of pixels i and j within
        Chebyshev distance `radius` of each other on the grid `image_shape`; or those where a
        symmetric mask of shape (n_features, n_features) with a true diagonal is true.
    image_shape : tuple of int, default=None
        Grid of the "lattice" structure, in C order of the features.
    radius : int, default=2
        Reach of the "lattice" structure: on a plane 1 means 9 neighbours, 2 means 25, the pixel
        itself counted.
    objective : {"mle", "score_matching", "nce", "cnce"} or NoiseContrastiveEstimation or \
ConditionalNoiseContrastiveEstimation, default="mle"
        Maximum likelihood minimises tr ΛC − log det Λ; at its minimum the model's covariance agrees
        with the data's covariance C wherever Λ is free. Score matching minimises ½ tr ΛCΛ − tr Λ,
        which is quadratic, over the cone Λ ⪰ εI; without the cone its minimum on photographs is far
        from positive definite. Without zeros both give C⁻¹. (Conditional) noise-contrastive
        estimation trains Λ on mini-batches against noise. All are consistent.
    min_precision : float or "auto", default="auto"
        ε of score matching: no direction has a variance above 1/ε. "auto" is the reciprocal of C's
        largest eigenvalue, so that no direction varies more than the most variable one of the data.
    regularization : float or "auto", default="auto"
        Added to the diagonal of C: a variance that every direction has besides that of the data.
        "auto" is 0 where the data determine the Gaussian. Where they do not, by too few rows or by
        features that depend on each other, it is a thousandth of each feature's own variance. A
        constant feature gets a thousandth of the square of its value (of 1 where that is 0), and
        changes nothing for the others.
    max_iter : int or "auto", default="auto"
        Greatest number of Newton steps; number of epochs of the contrastive objectives. "auto" is
        100 steps, or as many epochs as pass 200,000 rows, but at most 100.
    tol : float, default=1e-5
        Bound on `residual_`.
    batch_size : int, default=200
        Rows a step of the contrastive objectives.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        μ, the weighted mean of the data.
    precision_ : ndarray of shape (n_features, n_features)
        Λ: symmetric, positive definite, and exactly zero where the structure says so.
    covariance_ : ndarray of shape (n_features, n_features)
        Λ⁻¹.
    min_precision_ : float
        ε as used; 0 where the objective is not score matching.
    regularization_ : float
        `regularization` as used; with "auto" the thousandth, or 0 where nothing was added.
    ridge_ : ndarray of shape (n_features,)
        What was added to the diagonal of C.
    residual_ : float
        Proof of optimality, dimensionless. Maximum likelihood: the largest ``|(Λ⁻¹ − C)_ij| /
        √(C_ii C_jj)`` where Λ is free. Score matching: the largest of the violations of
        stationarity, of Λ ⪰ εI in proportion to ε, and of complementarity in proportion to the
        criterion. 0 for structures solved in closed form. NaN for the contrastive objectives, whose
        noise leaves no proof.
    n_iter_ : int
        Newton steps, or epochs, taken.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    Warns
    -----
    ConvergenceWarning
        If `residual_` ends above `tol`.

    See Also
    --------
    ZCAWhitener : Whitens by a covariance estimator such as this.
    sklearn.covariance.GraphicalLasso : Finds the zeros by an l1 penalty.

    Notes
    -----
    Fitted matrices and the solvers are in float64 whatever the data are; scores and samples have
    the data's type. The data determine the Gaussian if their covariance is positive definite on the
    cliques of the structure (on a plane with radius 2, all windows of 9 pixels; all features where
    there are no zeros).

    References
    ----------
    Dempster (1972), "Covariance selection". Hyvärinen (2005), "Estimation of non-normalized
    statistical models by score matching", section 3.1. Hyvärinen (2007), "Some extensions of score
    matching", for exponential families. Gutmann and Hyvärinen (2012) and Ceylan and Gutmann (2018)
    for the contrastive objectives.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.covariance import ConstrainedGaussian
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 16)).cumsum(axis=1)
    >>> gaussian = ConstrainedGaussian("lattice", image_shape=(16,), radius=1).fit(X)
    >>> int(np.count_nonzero(gaussian.precision_[7]))
    3
    >>> gaussian.score_samples(X).shape
    (500,)
    >>> gaussian.sample(3, random_state=0).shape
    (3, 16)
    """

    _parameter_constraints: dict = {
        "structure": [StrOptions({"full", "diagonal", "lattice"}), "array-like"],
        "image_shape": [tuple, list, None],
        "radius": [Interval(Integral, 0, None, closed="left")],
        "objective": [
            StrOptions({"mle", "score_matching", *_CONTRASTIVE}),
            *_CONTRASTIVE.values(),
        ],
        "min_precision": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "regularization": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    _shorthands = {"objective": _CONTRASTIVE}

    def __init__(
        self,
        structure="full",
        *,
        image_shape=None,
        radius=2,
        objective="mle",
        min_precision="auto",
        regularization="auto",
        max_iter="auto",
        tol=1e-5,
        batch_size=200,
        random_state=None,
    ):
        self.structure = structure
        self.image_shape = image_shape
        self.radius = radius
        self.objective = objective
        self.min_precision = min_precision
        self.regularization = regularization
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the Gaussian to the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: every row counts once.

        Returns
        -------
        self : ConstrainedGaussian

        Raises
        ------
        ValueError
            If the structure does not fit the data's width, or data and `regularization` determine
            no such Gaussian.
        DivergenceError
            If a contrastive objective arrives at a precision that is not positive definite.
        """
        is_contrastive = self.objective not in ("mle", "score_matching")
        X = check_data(
            self,
            X,
            dtype=FLOATS,
            # Noise is made from eigenvectors, whose signs turn on the last bits of sums over X.
            order="C" if is_contrastive else None,
            ensure_min_samples=2,
        )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        if isinstance(self.structure, str) and self.structure == "diagonal" and not is_contrastive:
            return self._publish(
                X, *fit_diagonal(X, sample_weight, self.regularization, self._least_precision())
            )
        mask = resolve_mask(self.structure, X.shape[1], self.image_shape, self.radius)
        statistics = GaussianStatistics.collect(X, sample_weight)
        if statistics.rows is not None and mask.all() and self.objective == "mle":
            return self._publish(X, *fit_rows(statistics, self.regularization))
        location, covariance = statistics.solve()
        ridge = resolve_ridge(
            self.regularization,
            location,
            np.diag(covariance),
            lambda ridge: find_degeneracy(covariance + np.diag(ridge), mask, X.dtype),
        )
        covariance[np.diag_indices_from(covariance)] += ridge
        min_precision = self._resolve_min_precision(covariance)
        # A fit that is interrupted, or diverges, leaves no model: neither half of it nor the last.
        vars(self).pop("_form", None)
        is_small = len(covariance) < _FEATURES_WORTH_THREADS
        with single_threaded_blas() if is_small else nullcontext():
            if is_contrastive:
                solution = self._solve_by_contrast(
                    X, sample_weight, location, covariance, mask, ridge
                )
            else:
                solution = self._solve(covariance, mask, min_precision)
        if solution.residual > self.tol:
            warn(
                f"ConstrainedGaussian stopped after {solution.n_iter} Newton steps with a residual "
                f"of {solution.residual:.1e}, above tol={self.tol:.1e}. More `max_iter`, or some "
                "`regularization`, may help.",
                ConvergenceWarning,
            )
        form = DenseForm(solution.precision)
        return self._publish(
            X, location, form, ridge, min_precision, solution.residual, solution.n_iter
        )

    def _publish(self, X, location, form, ridge, min_precision=0.0, residual=0.0, n_iter=0):
        self.location_, self._form, self._dtype = location, form, X.dtype
        self.ridge_, self.min_precision_ = ridge, min_precision
        self.regularization_ = regularization_of(self.regularization, ridge)
        self.residual_, self.n_iter_ = residual, n_iter
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_form")

    @property
    def precision_(self):
        """Λ, shape (n_features, n_features)."""
        return self._form.precision()

    @property
    def covariance_(self):
        """Λ⁻¹, shape (n_features, n_features)."""
        return self._form.covariance()

    def score_samples(self, X):
        """Log-density of each row, exactly normalised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            log p(x) in nats.
        """
        distances = self.mahalanobis(X)
        constant = self._form.log_det - self.n_features_in_ * np.log(2 * np.pi)
        return (float(constant) - distances) / 2

    def mahalanobis(self, X):
        """Squared Mahalanobis distances (x − μ)ᵀ Λ (x − μ) of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        distances : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = check_data(self, X, dtype=FLOATS, reset=False)
        location = self.location_.astype(X.dtype)

        def squared_distances(rows):
            return self._form.squared_distances(X[rows] - location)

        return fill_row_blocks(squared_distances, np.empty(len(X), dtype=X.dtype), X.shape[1])

    def sample(self, n_samples=1, random_state=None):
        """Independent draws.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed or generator.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Of the type of the data that the model was fitted to.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        drawn = self._form.draw(n_samples, check_random_state(random_state))
        return (self.location_ + drawn).astype(self._dtype, copy=False)

    def get_precision(self):
        """The precision matrix.

        Returns
        -------
        precision : ndarray of shape (n_features, n_features)
        """
        check_is_fitted(self)
        return self.precision_

    error_norm = EmpiricalCovariance.error_norm

    def _resolve_min_precision(self, covariance):
        least = self._least_precision()
        if least != "auto":
            return least
        last = len(covariance) - 1
        largest = eigh(covariance, eigvals_only=True, subset_by_index=[last, last])[0]
        return float(1 / largest)

    def _least_precision(self):
        """ε, or "auto"."""
        if self.objective != "score_matching":
            return 0.0
        return "auto" if self.min_precision == "auto" else float(self.min_precision)

    def _solve(self, covariance, mask, min_precision):
        if mask.all():
            return solve_full(covariance, min_precision)
        if not np.triu(mask, 1).any():
            return solve_diagonal(covariance, min_precision)
        pattern = SymmetricPattern(mask)
        max_iter = _NEWTON_STEPS if self.max_iter == "auto" else self.max_iter
        limits = {"tol": self.tol, "max_iter": max_iter}
        if self.objective == "mle":
            return solve_maximum_likelihood(covariance, pattern, **limits)
        return solve_score_matching(covariance, pattern, min_precision=min_precision, **limits)

    def _solve_by_contrast(self, X, sample_weight, location, covariance, mask, ridge):
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return solve_by_contrast(
            X,
            sample_weight,
            location,
            covariance,
            SymmetricPattern(mask),
            resolve(self.objective, _CONTRASTIVE, "objective", type(self).__name__),
            ridge=ridge,
            n_epochs=self.max_iter,
            batch_size=self.batch_size,
            rng=np.random.default_rng(seed),
        )
