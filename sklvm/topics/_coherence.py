"""How often the top words of topics occur together."""

import numpy as np
from scipy.sparse import csr_array

__all__ = ["COHERENCES", "topic_coherence"]

COHERENCES = ("npmi", "umass")


def topic_coherence(X, top_words, measure):
    """The coherence of each topic's words, over which documents hold them.

    With D(v) the number of documents that hold word v, D(v, w) that of those that hold both, and
    words in the order of their probability,

    ::

        UMass: mean over pairs i > j of log [(D(v_i, v_j) + 1)/D(v_j)]           [1]_
        NPMI:  mean over pairs of log [D(v, w) n/(D(v) D(w))]/−log [D(v, w)/n]   [2]_

    Pairs that never occur together have the NPMI −1, and pairs that all documents hold 1. Words
    that no document holds are left out.

    Parameters
    ----------
    X : CSR array of shape (n, V)
        Word counts.
    top_words : ndarray of int, shape (K, m)
        The words of each topic, most probable first.
    measure : {"npmi", "umass"}

    Returns
    -------
    coherence : ndarray of shape (K,)
        NaN for a topic of which fewer than two words occur.

    References
    ----------
    .. [1] Mimno, Wallach, Talley, Leenders and McCallum, "Optimizing semantic coherence in topic
       models", EMNLP 2011, eq. 1, here with the mean in place of the sum.
    .. [2] Aletras and Stevenson, "Evaluating topic coherence using distributional semantics",
       IWCS 2013; Röder, Both and Hinneburg, WSDM 2015.
    """
    words, places = np.unique(top_words, return_inverse=True)
    holds = csr_array(X[:, words] > 0).astype(np.float64)
    together = (holds.T @ holds).toarray()
    score = {"npmi": _npmi, "umass": _umass}[measure]
    return np.array(
        [
            score(together[np.ix_(topic, topic)], X.shape[0])
            for topic in places.reshape(top_words.shape)
        ]
    )


def _npmi(together, n):
    together = _occurring(together)
    if len(together) < 2:
        return np.nan
    alone = np.diag(together)
    i, j = np.tril_indices(len(together), -1)
    joint = together[i, j] / n
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.log(joint * n * n / (alone[i] * alone[j])) / -np.log(joint)
    return float(np.mean(np.where(joint == 0, -1.0, np.where(joint == 1, 1.0, npmi))))


def _umass(together, n):
    together = _occurring(together)
    if len(together) < 2:
        return np.nan
    i, j = np.tril_indices(len(together), -1)
    return float(np.mean(np.log((together[i, j] + 1) / np.diag(together)[j])))


def _occurring(together):
    kept = np.diag(together) > 0
    return together[np.ix_(kept, kept)]
