"""Sums over the words of documents, which are the rows of a CSR array of word counts."""

import zlib

import numpy as np
from scipy.sparse import csr_array

from sklvm.kernels import padded_width

__all__ = [
    "content_key",
    "document_sums",
    "even_counts",
    "log_probabilities",
    "per_document",
    "random_shares",
    "uniform_values",
    "word_sums",
]

N_SHARES = 4096


def per_document(values, X):
    """Sums over the nonzeros of each row of X, in float64."""
    sums = np.zeros(X.shape[0])
    filled = np.flatnonzero(np.diff(X.indptr))
    if len(filled):
        sums[filled] = np.add.reduceat(values, X.indptr[filled], dtype=np.float64)
    return sums


def log_probabilities(X, proportions, table):
    """Σ_w n_dw log Σ_k θ_dk B_wk of each row, in blocks of entries; θ has shape (n, K)."""
    log_p = np.empty(X.nnz)
    documents = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    size = max(1, 2**20 // table.shape[1])
    for start in range(0, X.nnz, size):
        part = slice(start, start + size)
        p = np.einsum(
            "ek,ek->e", proportions[documents[part]], table[X.indices[part], : proportions.shape[1]]
        )
        with np.errstate(divide="ignore"):
            log_p[part] = np.log(p)
    return per_document(X.data * log_p, X)


def uniform_values(X):
    """−log of the documents' probability where all words are equally likely."""
    return per_document(X.data, X) * np.log(X.shape[1])


def even_counts(X, n_topics):
    """Each document's words divided evenly among all topics."""
    counts = np.zeros((X.shape[0], padded_width(n_topics)), dtype=X.dtype)
    counts[:, :n_topics] = (per_document(X.data, X) / n_topics)[:, np.newaxis]
    return counts


def random_shares(X, n_topics, seed):
    """γ of each nonzero of X, uniform on the simplex: a function of seed, word and document.

    Equal documents get equal shares, so that a document of weight 2 starts like two documents. The
    shares are drawn from a table of 4,096.
    """
    rng = np.random.default_rng(seed)
    table = np.zeros((N_SHARES, padded_width(n_topics)))
    table[:, :n_topics] = rng.standard_exponential((N_SHARES, n_topics))
    table /= table.sum(axis=1, keepdims=True)
    words = X.indices.astype(np.uint64)
    with np.errstate(over="ignore"):
        entries = _mixed(words + (X.data.astype(np.float64).view(np.uint64) << np.uint64(1)))
        documents = np.zeros(X.shape[0], dtype=np.uint64)
        filled = np.flatnonzero(np.diff(X.indptr))
        if len(filled):
            documents[filled] = np.add.reduceat(entries, X.indptr[filled])
        keys = _mixed(words + np.repeat(documents, np.diff(X.indptr)))
    return table.astype(X.dtype)[keys % np.uint64(N_SHARES)]


def _mixed(x):
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): bits that look random."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def content_key(X):
    """A number that tells blocks of documents apart by what is in them."""
    return zlib.crc32(X.indices.tobytes(), zlib.crc32(X.data.tobytes()))


def document_sums(X, shares):
    """Σ_w n_dw γ_dwk of each document, shape (n, width)."""
    starts = X.indptr[:-1]
    weighted = X.data[:, np.newaxis] * shares
    sums = np.zeros((X.shape[0], shares.shape[1]), dtype=X.dtype)
    filled = np.flatnonzero(np.diff(X.indptr))
    if len(filled):
        sums[filled] = np.add.reduceat(weighted, starts[filled])
    return sums


def word_sums(X, shares, weights):
    """Σ_d v_d n_dw γ_dwk of each word, shape (V, width)."""
    scale = X.data * np.repeat(weights, np.diff(X.indptr)).astype(X.dtype)
    entries = csr_array((scale, (X.indices, np.arange(X.nnz))), shape=(X.shape[1], X.nnz))
    return np.ascontiguousarray(entries @ shares)
