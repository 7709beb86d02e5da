"""Topics by expectation–maximisation and by variational Bayes."""

import numpy as np
from scipy.special import gammaln

from sklvm.kernels import expect_topics, padded_width
from sklvm.topics._documents import (
    document_sums,
    even_counts,
    per_document,
    random_shares,
    uniform_values,
    word_sums,
)
from sklvm.topics._priors import next_beta, next_prior, prior_statistics
from sklvm.topics._topics import Topics, TopicStatistics

__all__ = ["TopicExpectation"]

# Iterations for the topic proportions of documents under given topics, and the change of the
# expected counts, relative to a document's length, at which they end.
FOLD_IN_ITERATIONS = 200
# Priors are learned once there are topics: near the start their estimates run away.
FIRST_LEARNING_PASS = 20
FOLD_IN_TOLERANCE = {np.dtype(np.float64): 1e-7, np.dtype(np.float32): 1e-5}


class TopicExpectation:
    """Expectation–maximisation, or variational Bayes, of a topic model.

    With B_wk the table of word probabilities, t_dk = f(N_dk + α_k) and p_dw = Σ_k t_dk B_wk, a
    pass makes

    ::

        N_dk = t_dk Σ_w n_dw B_wk/p_dw,      M_wk = Σ_d n_dw t_dk B_wk/p_dw.

    - *Maximum a posteriori*: f(c) = c, B_wk ∝ M_wk + β, a step of expectation–maximisation for the
      mode under priors Dir(α + 1) and Dir(β + 1). With α = β = 0 it is maximum likelihood, the
      probabilistic latent semantic analysis of Hofmann (UAI 1999).
    - *Variational Bayes* [1]_: f(c) = exp ψ(c), B_wk = exp ψ(M_wk + β)/exp ψ(Σ_w M_wk + βV).

    Parameters
    ----------
    n_topics : int
        K.
    seed : int
        Of the topics that words start with.
    variational : bool, default=False
        Whether by variational Bayes.
    n_inner : int, default=1
        Iterations for a document's N in a pass.
    learns_prior, learns_beta : bool, default=False
        Whether α and β are learned, by a step of Minka's fixed-point iteration [2]_ in each pass.

    References
    ----------
    .. [1] Blei, Ng and Jordan, "Latent Dirichlet allocation", JMLR 3 (2003), section 5.
    .. [2] Minka, "Estimating a Dirichlet distribution" (2000), eq. 55.
    """

    def __init__(
        self,
        n_topics,
        seed,
        *,
        variational=False,
        n_inner=1,
        learns_prior=False,
        learns_beta=False,
    ):
        self.seed = seed
        self.n_topics, self.variational, self.n_inner = n_topics, variational, n_inner
        self.learns_prior, self.learns_beta = learns_prior, learns_beta

    def start(self, n_words, prior, beta):
        """Parameters of which nothing is known but the priors."""
        counts = np.zeros((n_words, padded_width(self.n_topics)))
        return Topics(counts, self.padded(prior), float(beta), self.n_topics)

    def padded(self, prior):
        """α of shape (width,)."""
        padded = np.zeros(padded_width(self.n_topics))
        padded[: self.n_topics] = prior
        return padded

    def expect(self, theta, X, weights, local=None):
        """Values, statistics and each document's N, of documents that are rows of word counts.

        A document's value is −log p(its words | N, topics), or the negative of its variational
        bound. See :class:`sklvm.training.Expectation`.
        """
        if theta.n_passes == 0:
            return self._expect_at_random(theta, X, weights)[:3]
        counts = even_counts(X, self.n_topics) if local is None else local.copy()
        statistics = np.zeros(theta.word_counts.shape, dtype=X.dtype)
        p, shares, _ = expect_topics(
            X,
            self.table(theta, X.dtype),
            theta.prior.astype(X.dtype),
            counts,
            digamma=self.variational,
            max_iter=FOLD_IN_ITERATIONS if local is None else self.n_inner,
            tol=FOLD_IN_TOLERANCE[X.dtype],
            weights=weights,
            statistics=statistics,
        )
        values = self._values(theta, X, p, shares, counts)
        return values, self._statistics(theta, statistics, counts, weights), counts

    def table(self, theta, dtype):
        """B, shape (V, width)."""
        return theta.variational_table(dtype) if self.variational else theta.table(dtype)

    def fold_in(self, theta, X):
        """N of documents under given topics, shape (n, width); p_dw at the nonzeros of X; t."""
        counts = even_counts(X, self.n_topics)
        p, shares, _ = expect_topics(
            X,
            self.table(theta, X.dtype),
            theta.prior.astype(X.dtype),
            counts,
            digamma=self.variational,
            max_iter=FOLD_IN_ITERATIONS,
            tol=FOLD_IN_TOLERANCE[X.dtype],
        )
        return counts, p, shares

    def proportions(self, theta, X):
        """θ_dk = (N_dk + α_k)/(Σ_k N_dk + Σ_k α_k), shape (n, K), N by ``fold_in``."""
        prior = theta.prior[: self.n_topics].astype(X.dtype)
        counts = self.fold_in(theta, X)[0][:, : self.n_topics] + prior
        sums = counts.sum(axis=1, keepdims=True)
        even = np.full_like(counts, 1 / self.n_topics)
        return np.divide(counts, sums, out=even, where=sums > 0)

    def values(self, theta, X):
        """−log p(words | N, topics), or the negative variational bound, at N by ``fold_in``."""
        counts, p, shares = self.fold_in(theta, X)
        return self._values(theta, X, p, shares, counts)

    def maximize(self, statistics, theta):
        """The topics that these statistics make, and a step of the priors that are learned."""
        prior, beta = theta.prior, theta.beta
        if theta.n_passes >= FIRST_LEARNING_PASS:
            if self.learns_prior:
                prior = next_prior(statistics.shares, prior)
            if self.learns_beta:
                beta = next_beta(statistics.word_counts[:, : self.n_topics], beta)
        return Topics(statistics.word_counts, prior, beta, self.n_topics, theta.n_passes + 1)

    # -- parts of it ------------------------------------------------------------------------------

    def _values(self, theta, X, p, shares, counts):
        with np.errstate(divide="ignore"):
            log_p = per_document(X.data * np.log(p, dtype=np.float64), X)
        lengths = per_document(X.data, X)
        if not self.variational:
            return -(
                log_p
                - lengths * np.log(np.maximum(shares.sum(axis=1), np.finfo(shares.dtype).tiny))
            )
        used = slice(None, self.n_topics)
        prior, gamma = theta.prior[used], counts[:, used].astype(np.float64) + theta.prior[used]
        prior_sum, gamma_sum = prior.sum(), gamma.sum(axis=1)
        # In p, t = exp ψ(γ of the iteration before) lacks its normaliser.
        log_shares = np.log(np.maximum(shares[:, used], np.finfo(shares.dtype).tiny))
        before = gammaln(prior_sum) - gammaln(gamma_sum)
        bound = (
            log_p
            + before
            + (gammaln(gamma) - gammaln(prior)).sum(axis=1)
            + ((prior - gamma) * log_shares).sum(axis=1)
        )
        return -bound

    def _statistics(self, theta, word_counts, counts, weights):
        shares = np.zeros(len(theta.prior) + 2)
        if self.learns_prior:
            shares = prior_statistics(counts, theta.prior, weights)
        return TopicStatistics(word_counts.astype(np.float64), shares)

    def _expect_at_random(self, theta, X, weights):
        """Every word of every document gets random topic shares; these are returned, too."""
        assignments = random_shares(X, self.n_topics, self.seed)
        counts = document_sums(X, assignments)
        statistics = self._statistics(theta, word_sums(X, assignments, weights), counts, weights)
        return uniform_values(X), statistics, counts, assignments
