"""Topics by collapsed variational Bayes of order zero."""

import numpy as np

from sklvm.kernels import collapse_topics
from sklvm.topics._documents import per_document
from sklvm.topics._expectation import TopicExpectation

__all__ = ["CollapsedExpectation"]


class CollapsedExpectation(TopicExpectation):
    """Collapsed variational Bayes of order zero, CVB0 [1]_.

    Every word w of every document d has topic shares γ_dwk, and a pass brings them up to date, one
    after the other:

    ::

        γ_dwk ∝ (N_dk − γ_dwk + α_k) (M_wk − γ_dwk + β)/(Σ_w M_wk − γ_dwk + βV).

    γ takes as many numbers as X has nonzeros, times K. A block of documents sees the counts M of
    the pass's start, changed by itself alone. Documents that are met for the first time when there
    are topics already are folded in, with f(c) = c.

    References
    ----------
    .. [1] Asuncion, Welling, Smyth and Teh, "On smoothing and inference for topic models", UAI
       2009.
    """

    # In small blocks it would take more passes, as a block knows of the others' last pass only.
    min_block_rows = 8192

    def expect(self, theta, X, weights, local=None):
        if theta.n_passes == 0:
            values, statistics, counts, assignments = self._expect_at_random(theta, X, weights)
            return values, statistics, (assignments, counts)
        if local is None:
            return *super().expect(theta, X, weights)[:2], None
        # They are this block's own, and change where they lie: nobody else holds them.
        assignments, counts = local
        table = theta.word_counts.astype(X.dtype)
        totals = theta.word_counts.sum(axis=0).astype(X.dtype)
        totals[self.n_topics :] = 1
        word_counts = np.zeros_like(table)
        p = collapse_topics(
            X,
            theta.prior.astype(X.dtype),
            theta.beta,
            assignments,
            counts,
            table,
            totals,
            word_counts,
            weights,
        )
        log_p = np.log(np.maximum(p, np.finfo(p.dtype).tiny))
        values = -per_document(X.data * log_p, X)
        return values, self._statistics(theta, word_counts, counts, weights), local
