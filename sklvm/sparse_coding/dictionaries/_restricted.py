"""Any dictionary, known at some features only."""

import numpy as np

__all__ = ["RestrictedDictionary"]


class RestrictedDictionary:
    """The columns of D at which `observed` is True, by the operator of all of them.

    Parameters
    ----------
    dictionary : object
        A dictionary, see :mod:`sklvm.sparse_coding.dictionaries`.
    observed : ndarray of bool, shape (n_features,)
    """

    def __init__(self, dictionary, observed):
        self.dictionary, self.observed = dictionary, observed
        self.n_components, self.n_features = dictionary.n_components, int(observed.sum())
        self.n_weights = getattr(dictionary, "n_weights", self.n_components)

    @property
    def lipschitz(self):
        """That of all features, a bound of that of some."""
        return self.dictionary.lipschitz

    def synthesize(self, Z):
        return self.dictionary.synthesize(Z)[:, self.observed]

    def correlate(self, X, mask=None):
        return self.dictionary.correlate(self._embed(X), self._all_features(mask))

    def norms(self, mask=None):
        return self.dictionary.norms(self._all_features(mask))

    def atom(self, k):
        return self.dictionary.atom(k)[self.observed]

    def _embed(self, X):
        full = np.zeros((len(X), self.dictionary.n_features), dtype=X.dtype)
        full[:, self.observed] = X
        return full

    def _all_features(self, mask):
        if mask is None:
            return self.observed
        full = self.observed.copy()
        full[self.observed] = mask
        return full
