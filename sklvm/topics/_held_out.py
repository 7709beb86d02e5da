"""How well a topic model foretells words that it has not seen."""

import numpy as np
from scipy.sparse import csr_array

from sklvm.base import generator_from
from sklvm.kernels import padded_width
from sklvm.topics._documents import log_probabilities
from sklvm.topics._expectation import TopicExpectation

__all__ = ["completion_log_probabilities", "completion_perplexity", "halves"]


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


def completion_perplexity(X, topics, prior, *, random_state=0):
    """Perplexity of the second half of each document given its first half, under given topics.

    The words of each document are put in random order. Its topic proportions are those of the first
    ⌊n/2⌋ words, at the mode under the prior Dir(α + 1).

    Parameters
    ----------
    X : CSR array of whole counts, shape (n, V)
    topics : ndarray of shape (K, V)
        p(word | topic) of any model; rows of sum 1.
    prior : float or array-like of shape (K,)
        α.
    random_state : int, RandomState instance or None, default=0
        Seed of the halves: the same for all models that are to be compared.

    Returns
    -------
    perplexity : float
        exp(−Σ log p(word | first half)/number of words), over the second halves.

    References
    ----------
    .. [1] Wallach, Murray, Salakhutdinov and Mimno, "Evaluation methods for topic models", ICML
       2009, section 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from sklvm.topics import completion_perplexity
    >>> X = csr_array([[6, 6, 0, 0], [0, 0, 6, 6]])
    >>> topics = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]])
    >>> round(completion_perplexity(X, topics, 1e-6), 3)
    2.0
    """
    expectation = TopicExpectation(len(topics), 0)
    # Counts of which the topics are made, so many that no prior on words is seen.
    counts = np.zeros((X.shape[1], padded_width(len(topics))))
    counts[:, : len(topics)] = np.asarray(topics, dtype=np.float64).T
    theta = expectation.start(X.shape[1], prior, 0.0)._replace(word_counts=counts, n_passes=1)
    observed, held_out = halves(X.astype(np.float64), generator_from(random_state))
    log_p = completion_log_probabilities(expectation, theta, observed, held_out)
    return float(np.exp(-log_p.sum() / held_out.sum()))
