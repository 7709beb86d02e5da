"""Mixtures of independent categories: latent class analysis."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval
from sklvm.base import generator_from
from sklvm.mixture._base import MixtureModel
from sklvm.mixture._categorical_components import CategoricalComponents
from sklvm.mixture._questions import drawn_labels

__all__ = ["CategoricalMixture"]


class CategoricalMixture(MixtureModel):
    """Mixture of categorical distributions: latent class analysis of tables of codes, by EM.

    ::

        p(x) = Σ_k π_k Π_j p_kj(x_j)

    Parameters
    ----------
    n_components : int, default=1
        Number K of components.
    n_categories : int or array-like of int of shape (n_features,), default=None
        Numbers L_j of categories, which are then 0, …, L_j − 1. None: the categories of a feature
        are the values that it has in the training data, whatever numbers they are.
    optimizer : {"em"} or EM, default="em"
        How the bound on the likelihood is raised. :class:`~sklvm.optimizers.EM` says how batches
        are used, and offers hard assignments and annealing.
    prior_strength : float, default=0.1
        a ≥ 0: probabilities are estimated as if each component had seen a more rows of every
        category. 0: maximum likelihood.
    init : {"k-means++", "data"} or array-like of shape (n_components, n_features), \
            default="k-means++"
        Rows about which the components start, a quarter of their probability there and the rest as
        in all data: spread over the data by k-means++ on the categories' indicators, drawn at
        random, or these.
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
    categories_ : list of ndarray
        The categories of each feature, sorted.
    probabilities_ : list of ndarray of shape (n_components, L_j)
        p_kj, in the order of the categories.
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
    BernoulliMixture : Two categories a feature, and probabilities of them.
    sklearn.preprocessing.OrdinalEncoder : Turns strings into codes.

    Notes
    -----
    NaN is a missing entry. Missing entries are summed out, exactly, in training and in scores.

    References
    ----------
    Goodman, "Exploratory latent structure analysis using both identifiable and unidentifiable
    models", Biometrika 61 (1974).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import CategoricalMixture
    >>> rng = np.random.default_rng(0)
    >>> answers = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])  # of two kinds of people
    >>> kinds = rng.integers(2, size=1000)
    >>> X = np.array([[rng.choice(3, p=answers[kind]) for _ in range(5)] for kind in kinds])
    >>> mixture = CategoricalMixture(2, random_state=0).fit(X)
    >>> order = np.argsort(mixture.probabilities_[0][:, 2])
    >>> mixture.probabilities_[0][order].round(1)
    array([[0.8, 0.1, 0.1],
           [0.1, 0.1, 0.8]])
    """

    _parameter_constraints: dict = {
        "n_categories": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "prior_strength": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=1,
        *,
        n_categories=None,
        optimizer="em",
        prior_strength=0.1,
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
        self.n_categories = n_categories
        self.optimizer = optimizer
        self.prior_strength = prior_strength
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

    # -- codes ------------------------------------------------------------------------------------

    def _check_data(self, X, sample_weight, *, reset, min_rows, params):
        X, weights = super()._check_data(
            X, sample_weight, reset=reset, min_rows=min_rows, params=params
        )
        if reset:
            self._categories = self._categories_of(X)
        if params is not getattr(self, "_fitted_params", None):
            X = CategoricalComponents(self.n_components, 0.0, self._categories).codes(X)
        return X, weights

    def _prepared(self, X, params):
        """Codes of rows, once it is known what the categories are."""
        if params is not getattr(self, "_fitted_params", None):
            return X
        return self._mixture.components.codes(X)

    def _categories_of(self, X):
        if self.n_categories is None:
            return tuple(np.unique(column[~np.isnan(column)]) for column in X.T)
        counts = np.asarray(self.n_categories)
        if counts.shape not in ((), (X.shape[1],)) or np.any(counts != counts.astype(int)):
            raise ValueError(
                f"n_categories must be an integer or one for each of the {X.shape[1]} features, "
                f"got {self.n_categories!r}."
            )
        if np.any(counts < 1):
            raise ValueError(f"n_categories must be at least 1, got {counts.min()}.")
        counts = np.broadcast_to(counts.astype(int), (X.shape[1],))
        return tuple(np.arange(float(count)) for count in counts)

    # -- fitting ----------------------------------------------------------------------------------

    def _components(self, X, weights):
        return CategoricalComponents(self.n_components, self.prior_strength, self._categories)

    def _given_rows(self, components, rows):
        return components.codes(rows)

    def _spread(self, rows):
        return CategoricalComponents(1, 0.0, self._categories).one_hot(rows).toarray()

    def _start_components(self, components, rows, complete, weights):
        everything = components.collect(None, complete, weights[:, np.newaxis])
        codes = np.round(rows)  # a mean, where there is one component
        return components.around(codes, components.overall(everything.sums))

    def _component_attributes(self, components, theta, dtype):
        return {
            "categories_": list(components.categories),
            "probabilities_": [
                part.astype(dtype, copy=False) for part in components.by_feature(theta)
            ],
        }

    # -- using the model --------------------------------------------------------------------------

    def impute(self, X, *, method="mode", random_state=None):
        """Fill missing entries from the model's distribution given the observed ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, NaN where missing.
        method : {"mode", "draw"}, default="mode"
            "mode" fills in the most probable category of each entry, "draw" a draw from
            p(x_missing | x_observed).
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The data without NaN; observed entries are as they were.
        """
        check_is_fitted(self)
        if method not in ("mode", "draw"):
            raise ValueError(f"method must be 'mode' or 'draw', got {method!r}.")
        codes = self._check_X(X)
        components, theta = self._mixture.components, self._theta
        posterior = self._mixture.posterior(theta, codes)
        if method == "mode":
            filled = components.most_probable(theta.components, codes, posterior)
        else:
            rng = generator_from(random_state)
            filled = components.drawn(theta.components, codes, drawn_labels(posterior, rng), rng)
        return components.values(filled.astype(np.intp)).astype(codes.dtype)

    @property
    def _has_means(self):
        return False
