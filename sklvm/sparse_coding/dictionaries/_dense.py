"""Atoms as the rows of a matrix."""

from functools import cached_property

import numpy as np

__all__ = ["DenseDictionary"]


class DenseDictionary:
    """A matrix D of shape (n_components, n_features), its rows the atoms, of any norm.

    Parameters
    ----------
    atoms : array-like of shape (n_components, n_features)

    Attributes
    ----------
    atoms : ndarray of float64, shape (n_components, n_features)
    gram : ndarray of float64, shape (n_components, n_components)
        D Dᵀ, computed when it is first asked for.
    lipschitz : float
        Its largest eigenvalue.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.sparse_coding.dictionaries import DenseDictionary
    >>> dictionary = DenseDictionary([[3.0, 4.0], [0.0, 1.0]])
    >>> dictionary.synthesize(np.array([[1.0, 2.0]]))
    array([[3., 6.]])
    >>> dictionary.norms(mask=np.array([True, False]))
    array([3., 0.])
    """

    def __init__(self, atoms):
        self._atoms = np.ascontiguousarray(atoms, dtype=np.float64)

    @property
    def atoms(self):
        return self._atoms

    @property
    def n_components(self):
        return len(self.atoms)

    @property
    def n_features(self):
        return self.atoms.shape[1]

    def synthesize(self, Z):
        return Z @ self.atoms

    def correlate(self, X, mask=None):
        return X @ self.atoms.T if mask is None else X[:, mask] @ self.atoms[:, mask].T

    def norms(self, mask=None):
        return np.linalg.norm(self.atoms if mask is None else self.atoms[:, mask], axis=1)

    def atom(self, k):
        return self.atoms[k]

    def pull(self, Z, X):
        """Zᵀ X: the gradient of ⟨X, Z D⟩ in D."""
        return Z.T @ X

    @cached_property
    def gram(self):
        with np.errstate(over="ignore", invalid="ignore"):
            gram = self.atoms @ self.atoms.T
        if not np.isfinite(gram).all():
            raise ValueError(
                f"The dictionary has entries of up to {np.abs(self.atoms).max():.3g}, and "
                "products of its atoms overflow. Scale the dictionary."
            )
        return gram

    @cached_property
    def lipschitz(self):
        D = self.atoms
        if not D.size:
            return 0.0
        # The smaller of the two products has the same largest eigenvalue.
        product = D.T @ D if D.shape[0] > D.shape[1] else D @ D.T
        return float(np.linalg.eigvalsh(product)[-1])

    def on_features(self, observed):
        """The dictionary of the features where `observed` is True."""
        return DenseDictionary(self.atoms[:, observed])
