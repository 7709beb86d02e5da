"""Mixtures of Gaussians."""

from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.mixture._base import MixtureModel
from sklvm.mixture._covariances import Shrinkage
from sklvm.mixture._diagonal_gaussians import DiagonalGaussians
from sklvm.mixture._factor_analysers import FactorAnalysers
from sklvm.mixture._full_gaussians import FullGaussians, TiedGaussians

__all__ = ["GaussianMixture"]


class GaussianMixture(MixtureModel):
    """Mixture of Gaussians: clusters and density of real-valued rows, by EM.

    ::

        p(x) = Σ_k π_k N(x; μ_k, Σ_k)

    Parameters
    ----------
    n_components : int, default=1
        Number K of components.
    covariance_type : {"full", "tied", "diag", "spherical", "factor"}, default="full"
        What Σ_k may be: any matrix; one for all components; diagonal; a multiple of the identity;
        or W_kW_kᵀ + Ψ_k with `n_factors` columns in W_k and Ψ_k diagonal, a mixture of factor
        analysers [1]_, which describes wide data by few numbers.
    n_factors : int, default=None
        Number of factors, less than n_features; with ``covariance_type="factor"``, where None is
        the square root of n_features, rounded down.
    optimizer : {"em"} or EM, default="em"
        How the bound on the likelihood is raised. :class:`~sklvm.optimizers.EM` says how batches
        are used, and offers hard assignments and annealing.
    prior_strength : float, default=0.0
        ν ≥ 0: covariances are estimated as if each component had seen ν more rows, of the features'
        variances over all data, smaller by K^(2/d) [2]_. 0: maximum likelihood.
    regularization : float, default=1e-6
        Least variance that a component has in any direction, as a part of what the features vary by
        over all data. Where it is not met it changes nothing.
    init : {"k-means++", "data"} or array-like of shape (n_components, n_features), \
            default="k-means++"
        Means that the components start at: rows spread over the data by k-means++, rows drawn at
        random, or these. Their covariance is that of all data.
    n_init : int, default=3
        Starts that are tried, by five iterations each on at most 10,000 rows; the best goes on. Of
        no effect where `init` is an array.
    batch_size : int, default=None
        Rows between two maximisations; None: all of them, the order of the rows then being of no
        effect.
    max_iter : int, default=200
        Greatest number of passes over the data.
    tol : float, default=1e-4
        Passes end with one that raises the bound by no more than this, in nats a row. 0: only
        `max_iter` ends them.
    shuffle : bool, default=True
        Whether to draw a new order of the rows for each epoch.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int, default=None
        Blocks of rows at a time, −1 for as many as there are CPUs: on threads, unless
        ``joblib.parallel_config`` says otherwise. The result is the same to the last bit.
    verbose : int, default=0
        1 prints a line an epoch.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        π_k.
    means_ : ndarray of shape (n_components, n_features)
        μ_k.
    covariances_ : ndarray
        Σ_k, of shape (n_components, n_features, n_features) for "full" and "factor", (n_features,
        n_features) for "tied", (n_components, n_features) for "diag", (n_components,) for
        "spherical".
    factors_ : ndarray of shape (n_components, n_factors, n_features)
        W_kᵀ, with ``covariance_type="factor"``.
    noise_variances_ : ndarray of shape (n_components, n_features)
        The diagonals of Ψ_k, with ``covariance_type="factor"``.
    history_ : dict of str to ndarray
        One value a pass: ``"bound"``, F / Σᵢ wᵢ in nats a row, which never falls without batches or
        with incremental ones; ``"objective"``, its negative; ``"restarts"``, how many empty
        components started again at the rows that the mixture explains worst.
    n_iter_ : int
        Passes over the data.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    BernoulliMixture : Binary rows.
    sklearn.mixture.GaussianMixture : The same iterations without weights, gaps and streams.

    Notes
    -----
    NaN is a missing entry. Missing entries are summed out, exactly, in training and in scores. Rows
    are grouped by what they miss: with full and tied covariances each pattern of gaps costs a
    factorisation a component.

    References
    ----------
    .. [1] Ghahramani, Hinton, "The EM algorithm for mixtures of factor analyzers" (1996).
    .. [2] Fraley, Raftery, "Bayesian regularization for normal mixture estimation and model-based
       clustering", Journal of Classification 24 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import GaussianMixture
    >>> rng = np.random.default_rng(0)
    >>> X = np.vstack([rng.normal(-3, 1, (300, 2)), rng.normal(3, [0.5, 2], (300, 2))])
    >>> mixture = GaussianMixture(2, random_state=0).fit(X)
    >>> np.sort(mixture.means_[:, 0]).round()
    array([-3.,  3.])
    >>> int((mixture.predict(X[:300]) != mixture.predict(X[300:])).sum())
    300
    """

    _parameter_constraints: dict = {
        "covariance_type": [StrOptions({"full", "tied", "diag", "spherical", "factor"})],
        "n_factors": [Interval(Integral, 1, None, closed="left"), None],
        "prior_strength": [Interval(Real, 0, None, closed="left")],
        "regularization": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        n_factors=None,
        optimizer="em",
        prior_strength=0.0,
        regularization=1e-6,
        init="k-means++",
        n_init=3,
        batch_size=None,
        max_iter=200,
        tol=1e-4,
        shuffle=True,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.n_factors = n_factors
        self.optimizer = optimizer
        self.prior_strength = prior_strength
        self.regularization = regularization
        self.init = init
        self.n_init = n_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _components(self, X, weights):
        K, width = self.n_components, X.shape[1]
        unit = Shrinkage(np.ones(width), K, self.prior_strength, self.regularization)
        everything = DiagonalGaussians(1, unit, False)
        middle = everything.start(np.nan_to_num(X[:1].astype(np.float64)), np.eye(width))
        moments = everything.collect(middle, X, weights[:, np.newaxis])
        variances = moments.scatters[0] / np.maximum(moments.counts[0], np.finfo(float).tiny)
        shrinkage = Shrinkage(
            np.where(variances > 0, variances, 1.0), K, self.prior_strength, self.regularization
        )
        if self.covariance_type == "full":
            return FullGaussians(K, shrinkage)
        if self.covariance_type == "tied":
            return TiedGaussians(K, shrinkage)
        if self.covariance_type == "factor":
            return FactorAnalysers(K, shrinkage, self._checked_n_factors(width), moments.means[0])
        return DiagonalGaussians(K, shrinkage, self.covariance_type == "spherical")

    def _checked_n_factors(self, width):
        if self.n_factors is None:
            return min(int(np.sqrt(width)), width - 1)
        n_factors = self.n_factors
        if n_factors >= width:
            raise ValueError(
                f"n_factors={n_factors} must be less than the number of features, {width}. "
                "covariance_type='full' has no fewer parameters."
            )
        return n_factors

    def _spread(self, rows):
        deviations = rows - rows.mean(axis=0)
        scale = np.sqrt(np.mean(deviations**2, axis=0))
        return deviations / np.where(scale > 0, scale, 1)

    def _start_components(self, components, rows, complete, weights):
        covariance = np.cov(
            complete.astype(np.float64), rowvar=False, aweights=weights, bias=True, ddof=0
        )
        return components.start(rows, np.atleast_2d(covariance))

    def _component_attributes(self, components, theta, dtype):
        covariance_type = components.covariance_type
        attributes = {"means_": theta.means.astype(dtype, copy=False)}
        if covariance_type == "factor":
            attributes["covariances_"] = theta.covariances().astype(dtype)
            attributes["factors_"] = theta.factors.transpose(0, 2, 1).astype(dtype)
            attributes["noise_variances_"] = theta.noise_variances.astype(dtype)
        elif covariance_type in ("full", "tied"):
            attributes["covariances_"] = theta.covariances.astype(dtype, copy=False)
        else:
            variances = theta.variances.astype(dtype, copy=False)
            is_spherical = covariance_type == "spherical"
            attributes["covariances_"] = variances[:, 0].copy() if is_spherical else variances
        return attributes
