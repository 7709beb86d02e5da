"""Topics by collapsed Gibbs sampling."""

import numpy as np

from sklvm.kernels import sample_topics
from sklvm.topics._documents import content_key, per_document, uniform_values
from sklvm.topics._expectation import TopicExpectation

__all__ = ["GibbsExpectation"]


class GibbsExpectation(TopicExpectation):
    """Collapsed Gibbs sampling [1]_: each token of each document has one topic, drawn given all
    others.

    A block of documents sees the counts of the pass's start, changed by itself alone. Random
    numbers are those of the token in its block, and of the pass.

    References
    ----------
    .. [1] Griffiths and Steyvers, "Finding scientific topics", PNAS 101 (2004).
    """

    # In small blocks it would take more passes, as a block knows of the others' last pass only.
    min_block_rows = 8192

    def expect(self, theta, X, weights, local=None):
        if theta.n_passes > 0 and local is None:
            return *super().expect(theta, X, weights)[:2], None
        X = X.astype(np.int32)
        if local is None:
            rng = np.random.default_rng([self.seed, content_key(X)])
            topics = rng.integers(self.n_topics, size=X.data.sum(), dtype=np.int32)
            counts = self._document_counts(X, topics, len(theta.prior))
            values, sweep = uniform_values(X), 0
        else:
            topics, counts, sweep = local[0].copy(), local[1].copy(), local[2] + 1
            table = theta.word_counts.astype(np.float32)
            p = sample_topics(
                X,
                theta.prior.astype(np.float32),
                theta.beta,
                topics,
                counts,
                table,
                theta.word_counts.sum(axis=0),
                int(np.random.default_rng([self.seed, content_key(X)]).integers(2**63)),
                sweep=sweep,
            )
            sums = np.concatenate([[0.0], np.cumsum(np.log(p, dtype=np.float64))])
            ends = np.concatenate([[0], np.cumsum(per_document(X.data, X))]).astype(np.intp)
            values = -np.diff(sums[ends])
        word_counts = self._word_counts(X, topics, len(theta.prior))
        statistics = self._statistics(theta, word_counts, counts, weights)
        return values, statistics, (topics, counts, sweep)

    def _document_counts(self, X, topics, width):
        """N of documents whose tokens have these topics."""
        lengths = per_document(X.data, X).astype(np.intp)
        places = np.repeat(width * np.arange(X.shape[0]), lengths) + topics
        return np.bincount(places, minlength=X.shape[0] * width).reshape(-1, width).astype("f4")

    def _word_counts(self, X, topics, width):
        places = np.repeat(width * X.indices.astype(np.intp), X.data) + topics
        return np.bincount(places, minlength=X.shape[1] * width).reshape(-1, width)
