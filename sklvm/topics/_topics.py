"""The parameters of a topic model, and the statistics from which they are made."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import digamma

__all__ = ["TopicStatistics", "Topics"]


class Topics(NamedTuple):
    """Expected counts of words by topic, and the Dirichlet priors.

    Rows over topics are padded by zeros, as the kernels want them.

    Attributes
    ----------
    word_counts : ndarray of float64, shape (V, width)
        M_wk, how many times word w is expected to have topic k.
    prior : ndarray of float64, shape (width,)
        α of the topic proportions of a document; zero where topics are padded.
    beta : float
        β of the words of a topic.
    n_topics : int
        K.
    n_passes : int
        Maximisations behind it. At 0 nothing is known of the topics, and words begin with random
        ones.
    """

    word_counts: np.ndarray
    prior: np.ndarray
    beta: float
    n_topics: int
    n_passes: int = 0

    def table(self, dtype=np.float64):
        """p(w | topic k) = (M_wk + β)/(Σ_w M_wk + βV), shape (V, width)."""
        counts = self.word_counts[:, : self.n_topics] + self.beta
        totals = counts.sum(axis=0)
        # A topic without words is uniform.
        counts[:, totals == 0] = 1.0
        table = np.zeros(self.word_counts.shape, dtype=dtype)
        table[:, : self.n_topics] = counts / counts.sum(axis=0)
        return table

    def variational_table(self, dtype=np.float64):
        """exp E[log p(w | topic k)] = exp ψ(M_wk + β)/exp ψ(Σ_w M_wk + βV), shape (V, width)."""
        counts = self.word_counts[:, : self.n_topics] + self.beta
        table = np.zeros(self.word_counts.shape, dtype=dtype)
        table[:, : self.n_topics] = np.exp(digamma(counts) - digamma(counts.sum(axis=0)))
        return table


@dataclass(frozen=True)
class TopicStatistics:
    """Sums over weighted documents.

    Attributes
    ----------
    word_counts : ndarray of float64, shape (V, width)
        Expected counts of words by topic.
    shares : ndarray of float64, shape (width + 2,)
        Of which α is learned: Σ_d v_d ψ(N_dk + α_k) for each topic, Σ_d v_d ψ(Σ_k N_dk + Σ_k α_k),
        and Σ_d v_d, documents without words left out. Zeros where α is given.
    """

    word_counts: np.ndarray
    shares: np.ndarray

    def merge(self, other):
        """Statistics of the documents of both."""
        return TopicStatistics(self.word_counts + other.word_counts, self.shares + other.shares)

    def scale(self, factor):
        """Statistics of the same documents at `factor` times their weight."""
        return TopicStatistics(self.word_counts * factor, self.shares * factor)

    def neutral(self):
        """Statistics of no documents."""
        return self.scale(0.0)
