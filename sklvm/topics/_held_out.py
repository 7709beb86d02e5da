"""How well a topic model foretells words that it has not seen."""

import numpy as np
from scipy.sparse import csr_array

from sklvm.topics._documents import log_probabilities

__all__ = ["completion_log_probabilities", "halves"]


def halves(X, rng):
    """The words of each document in two halves, at random.

    The tokens of a document, in the order of their columns, are permuted by `rng`, document after
    document; the first ⌊n/2⌋ are the first half.

    Parameters
    ----------
    X : CSR array of whole counts, shape (n, V)
    rng : Generator

    Returns
    -------
    observed, held_out : CSR arrays of X's shape and dtype
    """
    ends, words = ([0], [0]), ([], [])
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        tokens = np.repeat(X.indices[start:stop], X.data[start:stop].astype(np.intp))
        tokens = rng.permutation(tokens)
        middle = len(tokens) // 2
        for half, part in enumerate((tokens[:middle], tokens[middle:])):
            words[half].append(part)
            ends[half].append(ends[half][-1] + len(part))
    parts = []
    for half in range(2):
        columns = np.concatenate([*words[half], np.empty(0, dtype=np.intp)]).astype(np.intp)
        part = csr_array((np.ones(len(columns), X.dtype), columns, ends[half]), shape=X.shape)
        part.sum_duplicates()
        parts.append(part)
    return tuple(parts)


def completion_log_probabilities(expectation, theta, observed, held_out):
    """Σ_w n_w log Σ_k θ_k φ_kw of each held-out half, θ by fold-in of the observed half."""
    proportions = expectation.proportions(theta, observed).astype(np.float64)
    return log_probabilities(held_out, proportions, theta.table())
