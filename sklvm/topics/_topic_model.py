"""What topic models share, but for how they are fitted."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval
from sklvm.base import (
    LatentVariableModel,
    StatisticsModel,
    check_count,
    check_latent_rows,
    generator_from,
    map_row_blocks,
)
from sklvm.topics._coherence import COHERENCES, topic_coherence
from sklvm.topics._counts import as_counts, require_whole_counts, warn_of_fractions
from sklvm.topics._held_out import completion_log_probabilities, halves
from sklvm.topics._topic_training import TopicTraining

__all__ = ["TopicModel"]


class TopicModel(StatisticsModel, LatentVariableModel):
    """Base of the models of word counts by topics.

    The learner's model is a :class:`TopicExpectation` and its θ are :class:`Topics`.
    """

    _validation: dict = {"accept_sparse": "csr", "ensure_all_finite": True}
    _min_rows = {"fit": 1, "partial_fit": 1}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "forgetting": [Interval(Real, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    }

    # -- what is made of documents ----------------------------------------------------------------

    def transform(self, X):
        """Topic proportions of documents, by fold-in: the topics are held, and nothing is drawn.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Word counts.

        Returns
        -------
        proportions : ndarray of shape (n_samples, n_components)
            p(topic | document). A document without words has those of the prior.
        """
        X = self._fitted_counts(X)
        learner = self._training
        # The nonzeros of a row are taken to be as many as the mean.
        width = max(1, X.nnz // max(1, X.shape[0])) + self._n_features_out
        return map_row_blocks(
            lambda rows: learner.model.proportions(learner.theta, X[rows]), X.shape[0], width
        )

    def inverse_transform(self, Z):
        """Word probabilities of documents with given topic proportions.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Topic proportions, rows of sum 1.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_features)
            Rows of sum 1.
        """
        proportions = check_latent_rows(self, Z, self._n_features_out)
        return proportions @ self.components_

    def perplexity(self, X):
        """exp(−Σ score_samples/number of words): the size of a vocabulary that is as hard to guess.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Word counts.

        Returns
        -------
        perplexity : float
            Of the documents as wholes; smaller is better. See ``completion_perplexity``, too.
        """
        n_words = self._fitted_counts(X).sum()
        _require_words(n_words)
        return float(np.exp(-np.sum(self.score_samples(X)) / n_words))

    def completion_perplexity(self, X, *, random_state=0):
        """Perplexity of the second half of each document, given its first half.

        The words of each document are put in random order; its topic proportions are those of the
        first half, ⌊n/2⌋ words, by fold-in.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Whole word counts.
        random_state : int, RandomState instance or None, default=0
            Seed of the halves: the same for all models that are to be compared.

        Returns
        -------
        perplexity : float
            exp(−Σ log p(word | first half)/number of words), over the second halves.

        References
        ----------
        .. [1] Wallach, Murray, Salakhutdinov and Mimno, "Evaluation methods for topic models",
           ICML 2009, section 5.1.
        """
        X = self._fitted_counts(X)
        require_whole_counts(X, "completion_perplexity")
        observed, held_out = halves(X, generator_from(random_state))
        _require_words(held_out.sum())
        learner = self._training
        log_p = completion_log_probabilities(learner.model, learner.theta, observed, held_out)
        return float(np.exp(-log_p.sum() / held_out.sum()))

    def coherence(self, X, *, measure="npmi", n_words=10):
        """How often the most probable words of each topic occur in the same documents.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Word counts of a reference corpus, such as the training data.
        measure : {"npmi", "umass"}, default="npmi"
            Normalised pointwise mutual information over documents, in [−1, 1], or the log
            conditional probability of Mimno et al. (EMNLP 2011).
        n_words : int, default=10
            Number of words.

        Returns
        -------
        coherence : ndarray of shape (n_components,)
            Higher is more coherent.
        """
        X = self._fitted_counts(X)
        if measure not in COHERENCES:
            raise ValueError(f"measure must be one of {list(COHERENCES)}, got {measure!r}.")
        return topic_coherence(X, self._top_words(n_words), measure)

    def top_words(self, feature_names=None, n_words=10):
        """The most probable words of each topic, most probable first.

        Parameters
        ----------
        feature_names : array-like of shape (n_features,), default=None
            The vocabulary, such as ``CountVectorizer.get_feature_names_out()``. None: the names of
            the columns of the data frame that the model was fitted to, else column numbers.
        n_words : int, default=10
            Number of words.

        Returns
        -------
        words : ndarray of shape (n_components, n_words)
        """
        check_is_fitted(self)
        words = self._top_words(n_words)
        if feature_names is None:
            feature_names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
        feature_names = np.asarray(feature_names)
        if feature_names.shape != (self.n_features_in_,):
            raise ValueError(
                f"feature_names must have the {self.n_features_in_} words of the training data, "
                f"got shape {feature_names.shape}."
            )
        return feature_names[words]

    def _top_words(self, n_words):
        check_count("n_words", n_words)
        order = np.argsort(-self.components_, axis=1, kind="stable")
        return order[:, :n_words]

    # -- fitting ----------------------------------------------------------------------------------

    def _prepared(self, X, params):
        return as_counts(X, type(self).__name__)

    def _expectation(self, X, rng):
        """How topics are found, once it is checked that X suits."""
        raise NotImplementedError

    def _priors(self):
        """α, a number or one for each topic, and β, to start from."""
        raise NotImplementedError

    def _start(self, X, weights):
        warn_of_fractions(X, type(self).__name__)
        _require_words(X.sum())
        rng = generator_from(self.random_state)
        model = self._expectation(X, rng)
        return TopicTraining(
            model,
            model.start(X.shape[1], *self._priors()),
            rng,
            forgetting=self.forgetting,
            n_jobs=self.n_jobs,
            mean_length=float(X.sum() / X.shape[0]),
            dtype=X.dtype,
        )

    def _continue(self, learner, X, weights):
        if self.n_components != learner.model.n_topics:
            raise ValueError(
                f"n_components={self.n_components} does not go with warm_start=True after a fit of "
                f"{learner.model.n_topics} topics. Set warm_start=False to start anew."
            )
        model, theta = self._expectation(X, learner.rng), learner.theta
        prior, beta = self._priors()
        theta = theta._replace(
            prior=theta.prior if model.learns_prior else model.padded(prior),
            beta=theta.beta if model.learns_beta else beta,
        )
        return learner.continued(model, theta, forgetting=self.forgetting, n_jobs=self.n_jobs)

    def _stopping_rule(self, X, weights):
        return self.tol, self.n_iter_no_change

    def _held_out_fraction(self):
        return self.validation_fraction if self.early_stopping else 0

    def _validates(self):
        return self.early_stopping

    def _fitted_counts(self, X):
        check_is_fitted(self)
        return self._check_X(X)

    def _fitted_attributes(self, learner):
        theta = learner.theta
        return {
            **super()._fitted_attributes(learner),
            "n_features_in_": theta.word_counts.shape[0],
            "components_": theta.table(learner.dtype)[:, : theta.n_topics].T,
        }

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


def _require_words(n_words):
    if not n_words > 0:
        raise ValueError("X has no words: all counts are zero.")
