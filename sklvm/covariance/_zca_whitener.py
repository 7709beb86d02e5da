"""Whitening with a density: the Gaussian as a change of variables."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklvm._compat import (
    HasMethods,
    Interval,
    StrOptions,
    _check_feature_names_in,
    _check_sample_weight,
    _fit_context,
)
from sklvm.base import (
    FLOATS,
    LatentVariableModel,
    check_count,
    check_data,
    check_latent_rows,
    fill_row_blocks,
)
from sklvm.covariance._principal_directions import of_covariance, of_rows
from sklvm.covariance._whitening_matrices import whitening_matrices
from sklvm.statistics import GaussianStatistics

__all__ = ["ZCAWhitener"]


class ZCAWhitener(LatentVariableModel):
    """Whitening: z = W(x − μ), of unit covariance, with the log-density that goes with it.

    With the covariance U diag(λ) Uᵀ, "zca" is W = U diag(λ)^(−½) Uᵀ, the whitening that changes the
    data least, and on images has localised filters; "pca" is W = diag(λ)^(−½) Uᵀ, whose coordinates
    are the principal components.

    Parameters
    ----------
    method : {"zca", "pca"}, default="zca"
        Which of the two.
    n_components : int, default=None
        Number of principal directions that are kept, those of greatest variance; None: all. "pca"
        has so many outputs; "zca" maps back to all the features, and its output varies in that many
        directions.
    regularization : float, default=0.0
        Added to the eigenvalues λ. On images it keeps the directions that are mostly noise from
        being blown up.
    covariance_estimator : estimator, default=None
        A covariance estimator with ``covariance_`` and, where it has one, ``location_``, such as
        ``sklearn.covariance.LedoitWolf()`` or ``ConstrainedGaussian("lattice", image_shape=…)``;
        None: the covariance of the data, divided by the number of rows.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        μ.
    components_ : ndarray of shape (n_outputs, n_features)
        W. Its rows are the whitening filters.
    mixing_ : ndarray of shape (n_features, n_outputs)
        The way back, the pseudo-inverse of W.
    explained_variance_ : ndarray of shape (n_components,)
        λ of the kept directions, in decreasing order, without `regularization`.
    noise_variance_ : float
        Variance of the model in each direction that was dropped: the mean of their λ, plus
        `regularization`; 0 if none was.
    rank_ : int
        Number of directions in which the data vary.
    log_abs_det_jacobian_ : float
        ``log |det ∂z/∂x| = −½ Σ log(λ + regularization)`` over the kept directions of positive
        variance, in nats. If no direction is dropped, ``log p(x) = log p(z) +
        log_abs_det_jacobian_`` for a density p(z) of whitened data, so that with it scores of
        models of differently whitened data compare.
    covariance_estimator_ : estimator
        The fitted clone, if one was given.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    ConstrainedGaussian : A covariance with given zeros in its inverse.
    sklearn.decomposition.PCA : Principal components.

    Notes
    -----
    Directions of no variance, of which data of fewer rows than features or with constant or
    dependent features have some, cannot be given unit variance: without `regularization` their
    coordinates are zero, as by the pseudo-inverse, and there is no density; ``rank_`` says how many
    are left. What counts as no variance does not depend on the units of the features: directions
    are counted in the correlation matrix, whose eigenvalues may be within rounding of zero, in
    proportion to the largest one, and a feature has none if its values differ by rounding only.
    Of fewer rows than features the principal directions are found from products of rows, at a cost
    that grows with the width and not with its cube.

    References
    ----------
    Bell and Sejnowski (1997), "The 'independent components' of natural scenes are edge filters",
    for ZCA. Kessy, Lewin and Strimmer (2018), "Optimal whitening and decorrelation". Tipping and
    Bishop (1999), "Probabilistic principal component analysis", equation 8, for the variance of
    dropped directions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.covariance import ZCAWhitener
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((1000, 3)) @ [[2.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.3]]
    >>> whitener = ZCAWhitener().fit(X)
    >>> bool(np.allclose(np.cov(whitener.transform(X).T, bias=True), np.eye(3)))
    True
    >>> Z = whitener.transform(X)
    >>> standard_normal = -0.5 * (Z**2).sum(axis=1) - 1.5 * np.log(2 * np.pi)
    >>> log_density = standard_normal + whitener.log_abs_det_jacobian_
    >>> bool(np.allclose(whitener.score_samples(X), log_density))
    True
    """

    _parameter_constraints: dict = {
        "method": [StrOptions({"zca", "pca"})],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "regularization": [Interval(Real, 0, None, closed="left")],
        "covariance_estimator": [HasMethods("fit"), None],
    }

    def __init__(
        self,
        method="zca",
        *,
        n_components=None,
        regularization=0.0,
        covariance_estimator=None,
    ):
        self.method = method
        self.n_components = n_components
        self.regularization = regularization
        self.covariance_estimator = covariance_estimator

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Find the whitening of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: every row counts once. A `covariance_estimator` must accept
            them.

        Returns
        -------
        self : ZCAWhitener

        Raises
        ------
        ValueError
            If `n_components` exceeds the number of features, or the covariance estimator takes no
            weights.
        """
        X, sample_weight = self._check_data(X, sample_weight, reset=True, ensure_min_samples=2)
        if self.covariance_estimator is None:
            self._statistics = GaussianStatistics.collect(X, sample_weight)
            return self._publish_statistics(X.dtype)
        location, covariance = self._fit_estimator(X, sample_weight)
        principal = of_covariance(covariance, location, np.finfo(X.dtype).eps)
        return self._publish(location, principal, X.dtype)

    @available_if(lambda self: self._check_streamable())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Update the whitening by further rows; what ``fit`` on all rows so far would give.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Further data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: every row counts once.

        Returns
        -------
        self : ZCAWhitener

        Raises
        ------
        AttributeError
            If a `covariance_estimator` is set: such estimators have no mergeable statistics.
        """
        is_first = not hasattr(self, "_statistics")
        X, sample_weight = self._check_data(X, sample_weight, reset=is_first, ensure_min_samples=1)
        statistics = GaussianStatistics.collect(X, sample_weight)
        self._statistics = statistics if is_first else self._statistics.merge(statistics)
        return self._publish_statistics(X.dtype)

    def _check_streamable(self):
        if self.covariance_estimator is not None:
            raise AttributeError(
                "partial_fit needs covariance_estimator=None, for a covariance estimator has no "
                f"mergeable statistics; got {self.covariance_estimator!r}."
            )
        return True

    def transform(self, X):
        """Whiten: z = W(x − μ).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_outputs)
        """
        check_is_fitted(self)
        X = check_data(self, X, dtype=FLOATS, reset=False)
        Z = np.empty((len(X), len(self.components_)), dtype=X.dtype)
        return fill_row_blocks(lambda rows: self._whiten(X[rows]), Z, X.shape[1])

    def get_feature_names_out(self, input_features=None):
        """Names of the outputs: those of the features for "zca", else "zcawhitener0" and so on.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features; None: those seen during ``fit``, or "x0", "x1", ….

        Returns
        -------
        names : ndarray of shape (n_outputs,)
        """
        check_is_fitted(self)
        if self._maps_features:
            return _check_feature_names_in(self, input_features)
        return super().get_feature_names_out(input_features)

    def inverse_transform(self, Z):
        """The way back: x = μ + W⁺z, exact if no direction was dropped.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_outputs)
            Whitened data.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return self._unwhiten(check_latent_rows(self, Z, len(self.components_)))

    def score_samples(self, X):
        """Log-density of each row under the regularised Gaussian, in the space of X.

        Kept directions have the variances λ + `regularization`, dropped ones `noise_variance_`, as
        in probabilistic principal component analysis.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            log p(x) in nats.

        Raises
        ------
        ValueError
            If some direction of the model has no variance, so that there is no density.
        """
        check_is_fitted(self)
        X = check_data(self, X, dtype=FLOATS, reset=False)
        if not self._has_density:
            raise ValueError(
                f"The data vary in {self.rank_} of {self.n_features_in_} directions, so that there "
                "is no density. Give every direction some variance by a greater regularization, "
                f"got {self.regularization}, or keep fewer directions by n_components."
            )
        n_dropped = self.n_features_in_ - len(self.explained_variance_)
        log_volume = self.log_abs_det_jacobian_ - 0.5 * self.n_features_in_ * np.log(2 * np.pi)
        log_volume -= 0.5 * n_dropped * np.log(self.noise_variance_ or 1.0)

        def log_density(rows):
            Z = self._whiten(X[rows])
            distances = np.einsum("ij,ij->i", Z, Z)
            if n_dropped:
                residuals = X[rows] - self._unwhiten(Z)
                # In units of its own, in which single precision holds its square.
                residuals /= residuals.dtype.type(np.sqrt(self.noise_variance_))
                distances += np.einsum("ij,ij->i", residuals, residuals)
            return log_volume - 0.5 * distances

        return fill_row_blocks(log_density, np.empty(len(X), dtype=X.dtype), X.shape[1])

    def sample(self, n_samples=1, random_state=None):
        """Independent draws from the regularised Gaussian.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed or generator.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        rng = check_random_state(random_state)
        Z = rng.standard_normal((n_samples, len(self.components_)))
        drawn = self._unwhiten(Z.astype(self.mean_.dtype))
        if self.noise_variance_ > 0:
            noise = rng.standard_normal(drawn.shape) * np.sqrt(self.noise_variance_)
            dropped = noise - (noise @ self.components_.T) @ self.mixing_.T
            drawn += dropped.astype(drawn.dtype)
        return drawn

    def _check_data(self, X, sample_weight, *, reset, ensure_min_samples):
        X = check_data(self, X, dtype=FLOATS, reset=reset, ensure_min_samples=ensure_min_samples)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        if self.n_components is not None and self.n_components > X.shape[1]:
            raise ValueError(
                f"n_components must be at most the number of features, {X.shape[1]}, "
                f"got {self.n_components}."
            )
        return X, sample_weight

    def _fit_estimator(self, X, sample_weight):
        """Location and covariance by the covariance estimator."""
        self.__dict__.pop("_statistics", None)
        estimator = clone(self.covariance_estimator)
        if sample_weight is None:
            estimator.fit(X, None)  # FrozenEstimator insists on y
        elif has_fit_parameter(estimator, "sample_weight"):
            estimator.fit(X, sample_weight=sample_weight)
        else:
            raise ValueError(
                f"covariance_estimator={estimator!r} takes no sample_weight, but some was given."
            )
        self.covariance_estimator_ = estimator
        location = getattr(estimator, "location_", None)
        if location is None:
            location = np.average(X, axis=0, weights=sample_weight)
        return location, estimator.covariance_

    def _publish_statistics(self, dtype):
        statistics = self._statistics
        if statistics.rows is not None:
            return self._publish(statistics.mean, of_rows(statistics), dtype)
        location, covariance = statistics.solve()
        principal = of_covariance(covariance, location, statistics.epsilon)
        return self._publish(location, principal, dtype)

    def _publish(self, location, principal, dtype):
        """Set the fitted attributes, in the type of the data."""
        n_features = len(location)
        n_kept = n_features if self.n_components is None else self.n_components
        self.rank_ = len(principal.variances)
        whitening, mixing, kept, scales = whitening_matrices(
            principal, n_kept, self.regularization, self.method
        )
        self.mean_ = location.astype(dtype)
        self._maps_features = self.method == "zca"
        n_outputs = n_features if self._maps_features else n_kept
        self.components_ = np.zeros((n_outputs, n_features), dtype=dtype)
        self.mixing_ = np.zeros((n_features, n_outputs), dtype=dtype)
        self.components_[: len(whitening)] = whitening
        self.mixing_[:, : mixing.shape[1]] = mixing
        self.explained_variance_ = kept.astype(dtype)
        n_dropped = n_features - n_kept
        dropped = float(principal.variances[n_kept:].sum())
        self.noise_variance_ = dropped / n_dropped + self.regularization if n_dropped else 0.0
        self.log_abs_det_jacobian_ = -float(np.log(scales[scales > 0]).sum())
        self._has_density = bool(
            (scales > 0).all() and (n_dropped == 0 or self.noise_variance_ > 0)
        )
        self._n_features_out = len(self.components_)
        return self

    def _whiten(self, X):
        return (X - self.mean_.astype(X.dtype)) @ self.components_.T.astype(X.dtype)

    def _unwhiten(self, Z):
        return Z @ self.mixing_.T.astype(Z.dtype) + self.mean_.astype(Z.dtype)
