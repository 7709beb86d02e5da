"""Probabilistic latent semantic analysis."""

from sklearn.utils.validation import check_is_fitted

from sklvm.topics._expectation import TopicExpectation
from sklvm.topics._topic_model import TopicModel

__all__ = ["ProbabilisticLatentSemanticAnalysis"]


class ProbabilisticLatentSemanticAnalysis(TopicModel):
    """Documents as mixtures of topics, by maximum likelihood [1]_.

    ::

        max over θ and φ of  Σ_d Σ_w n_dw log Σ_k θ_dk φ_kw,

    θ_d = p(topic | document) and φ_k = p(word | topic), by expectation–maximisation, which never
    lowers it. It is the same as the factorisation of the counts into non-negative factors with the
    least Kullback–Leibler divergence.

    Parameters
    ----------
    n_components : int, default=10
        Number K of topics.
    batch_size : int or None, default=None
        Documents between two updates of the topics; None: all of them. With batches, documents are
        folded in anew at each visit.
    forgetting : float, default=1.0
        ρ ≥ 0 of learning in batches: after documents of total weight t, those at weight s count
        (s/t)^ρ. 0 forgets nothing.
    max_iter : int, default=200
        Greatest number of passes over the data.
    tol : float, default=1e-4
        Passes end after ``n_iter_no_change`` of them that lower the mean criterion of a word by no
        more than this, in nats; 0: only `max_iter` ends them.
    n_iter_no_change : int, default=5
        Epochs that may pass without such an improvement before training stops.
    early_stopping : bool, default=False
        Hold out rows, stop by the criterion on them, and return to the epoch that was best on them.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    shuffle : bool, default=True
        Whether to draw a new order of the rows for each epoch.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int or None, default=None
        Blocks of rows at a time, as in :class:`DictionaryLearner`. The topics do not depend on it.
    verbose : int, default=0
        1 prints a line an epoch.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        p(word | topic); rows of sum 1.
    history_ : dict of str to ndarray
        One value a pass: ``"objective"``, −log p(word | document) in nats a word, and
        ``"validation_objective"`` with `early_stopping`: the log perplexity of the second halves of
        the held-out documents, given their first halves.
    n_iter_ : int
        Passes over the data.
    score_normalized_ : bool
        False: the topic proportions in ``score_samples`` are fitted to each document.
    n_features_in_ : int
        Size of the vocabulary.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    LatentDirichletAllocation : With priors, and scores that are log-probabilities.
    sklearn.decomposition.NMF : ``beta_loss="kullback-leibler"`` minimises the same divergence.

    References
    ----------
    .. [1] Hofmann, "Probabilistic latent semantic analysis", UAI 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import ProbabilisticLatentSemanticAnalysis
    >>> X = np.array([[4, 5, 0, 0], [3, 1, 0, 0], [0, 0, 2, 6], [0, 0, 5, 3]])
    >>> model = ProbabilisticLatentSemanticAnalysis(2, random_state=0).fit(X)
    >>> proportions = model.transform(X)
    >>> bool(np.all(proportions.max(axis=1) > 0.99))
    True
    """

    def __init__(
        self,
        n_components=10,
        *,
        batch_size=None,
        forgetting=1.0,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=5,
        early_stopping=False,
        validation_fraction=0.1,
        shuffle=True,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.batch_size = batch_size
        self.forgetting = forgetting
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-probability of documents."""
        check_is_fitted(self)
        return False

    def score_samples(self, X):
        """Σ_w n_w log p(w | document) of each row, in nats, at proportions that are fitted to it.

        It is **no log-probability of the document**, as its proportions are not known beforehand:
        more topics raise it, and a search that compares it over ``n_components`` picks the largest.
        Compare models by ``completion_perplexity``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Word counts.

        Returns
        -------
        score : ndarray of shape (n_samples,)
            −∞ for a document with a word that no training document has.
        """
        X = self._fitted_counts(X)
        learner = self._training
        return -learner.model.values(learner.theta, X).astype(X.dtype)

    # -- fitting ----------------------------------------------------------------------------------

    def _expectation(self, X, rng):
        return TopicExpectation(self.n_components, int(rng.integers(2**63)))

    def _priors(self):
        return 0.0, 0.0
