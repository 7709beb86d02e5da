"""Latent Dirichlet allocation."""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import csr_array, vstack
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import check_count, generator_from
from sklvm.kernels import left_to_right_probabilities
from sklvm.topics._collapsed import CollapsedExpectation
from sklvm.topics._counts import require_whole_counts
from sklvm.topics._documents import per_document
from sklvm.topics._expectation import TopicExpectation
from sklvm.topics._gibbs import GibbsExpectation
from sklvm.topics._topic_model import TopicModel

__all__ = ["LatentDirichletAllocation"]

INFERENCES = ("cvb0", "gibbs", "map", "vb")


class LatentDirichletAllocation(TopicModel):
    """Latent Dirichlet allocation: documents as mixtures of topics, with Dirichlet priors [1]_.

    ::

        θ_d ~ Dir(α),    φ_k ~ Dir(β),    z_i ~ θ_d,    w_i ~ φ_{z_i}

    for each word i of document d, given as counts.

    Parameters
    ----------
    n_components : int, default=10
        Number K of topics.
    inference : {"cvb0", "gibbs", "map", "vb"}, default="cvb0"
        How topics are found. "cvb0" is collapsed variational Bayes of order zero [2]_, which is
        fast and good; it keeps K numbers for each nonzero of X. "gibbs" is collapsed Gibbs sampling
        [3]_, which keeps the topic of each word, and takes whole counts. "map" is
        expectation–maximisation for the mode under priors Dir(α + 1) and Dir(β + 1), and "vb"
        variational Bayes over the topic proportions and the topics [1]_; both keep K numbers a
        document.
    doc_topic_prior : float, array-like of shape (n_components,), "learn" or None, default=None
        α of the topic proportions: of all topics, of each, or learned, one number a topic. None:
        0.1, and for "vb", which acts as if half a word were missing from each topic, 0.6.
    topic_word_prior : float, "learn" or None, default=None
        β of the words of a topic. None: 0.01, and for "vb" 0.51.
    batch_size : int or None, default=None
        Documents between two updates of the topics; None: all of them. With batches, documents are
        folded in anew at each visit, in all methods [4]_.
    forgetting : float, default=1.0
        ρ ≥ 0 of learning in batches: after documents of total weight t, those at weight s count
        (s/t)^ρ. 0 forgets nothing.
    max_iter : int, default=100
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
    n_particles : int, default=20
        Particles by which ``score_samples`` estimates a document's probability.
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
    doc_topic_prior_ : ndarray of shape (n_components,)
        α.
    topic_word_prior_ : float
        β.
    mean_length_ : float
        Mean number of words of a training document.
    history_ : dict of str to ndarray
        One value a pass: ``"objective"``, the criterion in nats a word, to be minimised. For "map"
        it is the negative log-probability given the fitted proportions, for "vb" the negative
        bound, of documents alone; for "cvb0" and "gibbs" that of each word given all others.
        ``"validation_objective"`` with `early_stopping`: the log perplexity of the second halves of
        the held-out documents, given their first halves.
    n_iter_ : int
        Passes over the data.
    score_normalized_ : bool
        True: ``score_samples`` is a log-probability.
    n_features_in_ : int
        Size of the vocabulary.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    ProbabilisticLatentSemanticAnalysis : The same without priors.
    sklearn.decomposition.LatentDirichletAllocation : Variational Bayes.

    References
    ----------
    .. [1] Blei, Ng and Jordan, "Latent Dirichlet allocation", JMLR 3 (2003).
    .. [2] Asuncion, Welling, Smyth and Teh, "On smoothing and inference for topic models", UAI
       2009.
    .. [3] Griffiths and Steyvers, "Finding scientific topics", PNAS 101 (2004).
    .. [4] Foulds, Boyles, DuBois, Smyth and Welling, "Stochastic collapsed variational Bayesian
       inference for latent Dirichlet allocation", KDD 2013.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklvm import LatentDirichletAllocation
    >>> pets = ["cat dog cat", "dog cat cat dog", "cat dog dog"] * 10
    >>> stars = ["moon sun sun", "sun moon moon", "moon sun moon sun"] * 10
    >>> counter = CountVectorizer()
    >>> X = counter.fit_transform(pets + stars)
    >>> model = LatentDirichletAllocation(2, random_state=0).fit(X)
    >>> sorted(map(sorted, model.top_words(counter.get_feature_names_out(), n_words=2).tolist()))
    [['cat', 'dog'], ['moon', 'sun']]
    """

    _parameter_constraints: dict = {
        "inference": [StrOptions(set(INFERENCES))],
        "doc_topic_prior": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"learn"}),
            "array-like",
            None,
        ],
        "topic_word_prior": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"learn"}),
            None,
        ],
        "n_particles": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components=10,
        *,
        inference="cvb0",
        doc_topic_prior=None,
        topic_word_prior=None,
        batch_size=None,
        forgetting=1.0,
        max_iter=100,
        tol=1e-4,
        n_iter_no_change=5,
        early_stopping=False,
        validation_fraction=0.1,
        n_particles=20,
        shuffle=True,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.inference = inference
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.batch_size = batch_size
        self.forgetting = forgetting
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_particles = n_particles
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def score_normalized_(self):
        """True: ``score_samples`` is a log-probability."""
        check_is_fitted(self)
        return True

    def score_samples(self, X):
        """Log-probability of each document under the fitted topics, in nats.

        log p(w₁, …, w_n | φ, α) of the document as a sequence of words: no multinomial coefficient
        is in it. The sum over all topics is estimated from left to right by ``n_particles``
        particles, with random numbers that are the same for every document [1]_. It is
        deterministic, does not depend on the other rows, and its error falls as the particles grow.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Word counts. A fraction of a word counts by its part.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
            0 for a document without words.

        Raises
        ------
        ValueError
            Where counts are negative.

        References
        ----------
        .. [1] Wallach, Murray, Salakhutdinov and Mimno, "Evaluation methods for topic models",
           ICML 2009, algorithm 3.
        """
        X = self._fitted_counts(X)
        theta = self._training.theta
        p, fractions, starts = left_to_right_probabilities(
            X, theta.table(), theta.prior, n_particles=self._fitted_params["n_particles"]
        )
        tokens = csr_array((fractions, np.zeros(len(p), np.int32), starts), (X.shape[0], 1))
        return per_document(fractions * np.log(p), tokens).astype(X.dtype)

    def sample(self, n_samples=1, *, n_words=None, random_state=None):
        """Draw documents from the model.

        Parameters
        ----------
        n_samples : int, default=1
            Number of documents.
        n_words : int, default=None
            Words of each document; None: Poisson distributed, with the mean of the training data.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : CSR array of shape (n_samples, n_features)
            Word counts.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        if n_words is not None:
            check_count("n_words", n_words)
        rng = generator_from(random_state)
        lengths = np.full(n_samples, n_words)
        if n_words is None:
            lengths = rng.poisson(self.mean_length_, n_samples)
        table = self._training.theta.table()[:, : self._n_features_out].T
        ends = np.cumsum(table, axis=1)
        ends /= ends[:, -1:]
        all_proportions = rng.dirichlet(self.doc_topic_prior_, n_samples)
        documents = []
        for length, proportions in zip(lengths, all_proportions, strict=True):
            counts = np.zeros((1, self.n_features_in_), dtype=self.components_.dtype)
            for topic, n in enumerate(rng.multinomial(length, proportions)):
                words = np.searchsorted(ends[topic], rng.random(n), side="right")
                np.add.at(counts[0], words, 1)
            documents.append(csr_array(counts))
        return vstack(documents, format="csr")

    # -- fitting ----------------------------------------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        self._priors()

    def _priors(self):
        """α of each topic and β to start from."""
        is_variational = self.inference == "vb"
        prior, beta = self.doc_topic_prior, self.topic_word_prior
        if prior is None or isinstance(prior, str):
            prior = 0.6 if is_variational else 0.1
        if beta is None or isinstance(beta, str):
            beta = 0.51 if is_variational else 0.01
        prior = np.asarray(prior, dtype=np.float64)
        if prior.ndim and prior.shape != (self.n_components,):
            raise ValueError(
                f"doc_topic_prior must be a number, 'learn', or {self.n_components} numbers, one a "
                f"topic, got shape {prior.shape}."
            )
        if not np.all(np.isfinite(prior) & (prior > 0)):
            raise ValueError(f"doc_topic_prior must be positive, got {self.doc_topic_prior!r}.")
        return np.broadcast_to(prior, (self.n_components,)), float(beta)

    def _check_data(self, X, sample_weight, **options):
        X, weights = super()._check_data(X, sample_weight, **options)
        if self.inference == "gibbs" and np.any(weights != 1):
            raise ValueError(
                "inference='gibbs' draws the topic of each word, and takes no sample_weight other "
                "than 1. Use inference='cvb0', or repeat documents."
            )
        return X, weights

    def _expectation(self, X, rng):
        if self.inference == "gibbs":
            require_whole_counts(X, "inference='gibbs'")
        learns = {
            "learns_prior": isinstance(self.doc_topic_prior, str),
            "learns_beta": isinstance(self.topic_word_prior, str),
        }
        seed = int(rng.integers(2**63))
        if self.inference == "cvb0":
            return CollapsedExpectation(self.n_components, seed, **learns)
        if self.inference == "gibbs":
            return GibbsExpectation(self.n_components, seed, **learns)
        return TopicExpectation(
            self.n_components, seed, variational=self.inference == "vb", n_inner=5, **learns
        )

    def _fitted_attributes(self, learner):
        return {
            **super()._fitted_attributes(learner),
            "doc_topic_prior_": learner.theta.prior[: learner.theta.n_topics].copy(),
            "topic_word_prior_": learner.theta.beta,
            "mean_length_": learner.mean_length,
        }
