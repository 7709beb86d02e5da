"""Mixtures of independent bits."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.base import binary_rows
from sklvm.mixture._base import MixtureModel
from sklvm.mixture._bernoulli_components import BernoulliComponents

__all__ = ["BernoulliMixture"]


class BernoulliMixture(MixtureModel):
    """Mixture of Bernoulli distributions: clusters of binary rows, and their density, by EM.

    ::

        p(x) = Σ_k π_k Π_j μ_kj^x_j (1 − μ_kj)^(1 − x_j)

    An iteration of EM costs two matrix products. Each μ_kj has the prior Beta(1 + a, 1 + a), which
    keeps a feature that was never on in a component from making rows impossible.

    Parameters
    ----------
    n_components : int, default=1
        Number K of components.
    optimizer : {"em"} or EM, default="em"
        How the bound on the likelihood is raised. :class:`~sklvm.optimizers.EM` says how batches
        are used, and offers hard assignments and annealing.
    prior_strength : float, default=0.1
        a ≥ 0: the components' means are estimated as if each had seen 2a more rows, half of them
        on. 0: maximum likelihood.
    binarize : float, default=None
        Entries above it are taken as 1, the others as 0. None: X is taken as it is, and lies in
        [0, 1].
    init : {"k-means++", "data"} or array-like of shape (n_components, n_features), \
            default="k-means++"
        Rows about which the components start, moved three quarters of the way to the mean of all
        data: spread over the data by k-means++, drawn at random, or these.
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
    components_ : ndarray of shape (n_components, n_features)
        μ_k.
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
    BernoulliRBM : Binary rows explained by many hidden units at a time.
    GaussianMixture : Real-valued rows.

    Notes
    -----
    NaN is a missing entry. Missing entries are summed out, exactly, in training and in scores; in
    sparse data an entry that is stored as NaN is missing, and one that is not stored is 0.

    Entries between 0 and 1 are probabilities of bits: their score is the expected log-probability
    of the bits, and no log-density.

    References
    ----------
    Bishop, "Pattern recognition and machine learning" (2006), section 9.3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import BernoulliMixture
    >>> rng = np.random.default_rng(0)
    >>> means = np.array([[0.9, 0.9, 0.1], [0.1, 0.2, 0.8]])
    >>> X = rng.random((2000, 3)) < means[rng.integers(2, size=2000)]
    >>> mixture = BernoulliMixture(2, random_state=0).fit(X)
    >>> order = np.argsort(mixture.components_[:, 2])
    >>> bool(np.abs(mixture.components_[order] - means).max() < 0.1)
    True
    >>> mixture.predict_proba([[1, np.nan, 0]])[:, order].round(2)
    array([[0.98, 0.02]])
    """

    _validation = {"ensure_all_finite": "allow-nan", "accept_sparse": "csr"}
    _parameter_constraints: dict = {
        "prior_strength": [Interval(Real, 0, None, closed="left")],
        "binarize": [Real, None],
    }

    def __init__(
        self,
        n_components=1,
        *,
        optimizer="em",
        prior_strength=0.1,
        binarize=None,
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
        self.optimizer = optimizer
        self.prior_strength = prior_strength
        self.binarize = binarize
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

    def _prepared(self, X, params):
        return binary_rows(X, params["binarize"], "or scale the data")

    def _components(self, X, weights):
        return BernoulliComponents(self.n_components, self.prior_strength)

    def _start_components(self, components, rows, complete, weights):
        everything = components.collect(None, complete, weights[:, np.newaxis])
        overall = (everything.sums[0] + 0.5) / (everything.counts[0] + 1)
        return components.around(rows, overall)

    def _component_attributes(self, components, means, dtype):
        return {"components_": means.astype(dtype)}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
