"""Dirichlet priors that are learned from expected counts.

A pass makes one step of the fixed-point iteration of Minka, "Estimating a Dirichlet distribution"
(2000), eq. 55.
"""

import numpy as np
from scipy.special import digamma

__all__ = ["next_beta", "next_prior", "prior_statistics"]

SMALLEST_PRIOR = 1e-6


def prior_statistics(counts, prior, weights):
    """The sums over documents of which α is learned, N being `counts`: see ``TopicStatistics``."""
    used = prior > 0
    counts = counts.astype(np.float64)
    lengths = counts.sum(axis=1)
    weights = np.where(lengths > 0, weights, 0).astype(np.float64)
    sums = np.zeros(len(prior) + 2)
    sums[:-2][used] = weights @ digamma(counts[:, used] + prior[used])
    sums[-2:] = weights @ digamma(lengths + prior.sum()), weights.sum()
    return sums


def next_prior(sums, prior):
    """α_k ← α_k (Σ_d ψ(N_dk + α_k) − D ψ(α_k))/(Σ_d ψ(N_d + α₀) − D ψ(α₀)), α₀ = Σ_k α_k."""
    used, weight = prior > 0, sums[-1]
    below = sums[-2] - weight * digamma(prior.sum())
    if not below > 0:
        return prior
    above = sums[:-2][used] - weight * digamma(prior[used])
    updated = np.zeros_like(prior)
    updated[used] = np.maximum(prior[used] * above / below, SMALLEST_PRIOR)
    return updated


def next_beta(word_counts, beta):
    """β ← β Σ_wk (ψ(M_wk + β) − ψ(β))/(V Σ_k (ψ(M_k + βV) − ψ(βV))), M_k = Σ_w M_wk."""
    n_words, n_topics = word_counts.shape
    totals = word_counts.sum(axis=0)
    below = digamma(totals + beta * n_words).sum() - n_topics * digamma(beta * n_words)
    if not below > 0:
        return beta
    above = digamma(word_counts + beta).sum() - word_counts.size * digamma(beta)
    return max(float(beta * above / (n_words * below)), SMALLEST_PRIOR)
