"""Dictionaries on the codes of dictionaries."""

import math
from functools import cached_property

import numpy as np

__all__ = ["ComposedDictionary", "OnMaps"]

_ATOMS_AT_A_TIME = 256


class ComposedDictionary:
    """The chain z ↦ z D_K … D_1: each dictionary synthesises the codes of the one below it.

    Parameters
    ----------
    layers : sequence of dictionaries
        D_1, …, D_K, the first on data; see :mod:`sklvm.sparse_coding.dictionaries`. Each has as
        many features as the one before has components.

    Attributes
    ----------
    lipschitz : float
        The product of those of the layers, a bound of the largest eigenvalue.

    Raises
    ------
    ValueError
        Where widths do not fit together, or there is no layer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.sparse_coding.dictionaries import ComposedDictionary, DenseDictionary
    >>> chain = ComposedDictionary([DenseDictionary([[1.0, 2.0]]), DenseDictionary([[3.0]])])
    >>> chain.synthesize(np.array([[1.0]]))
    array([[3., 6.]])
    """

    def __init__(self, layers):
        self.layers = list(layers)
        if not self.layers:
            raise ValueError("A composed dictionary needs at least one layer.")
        for i, (below, above) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if above.n_features != below.n_components:
                raise ValueError(
                    f"The atoms of layer {i + 2} have {above.n_features} entries, but layer "
                    f"{i + 1} has {below.n_components} components."
                )
        self.n_features = self.layers[0].n_features
        self.n_components = self.layers[-1].n_components

    def synthesize(self, Z):
        return self.codes_below(Z)[0]

    def codes_below(self, Z):
        """What codes of the last layer say of all others.

        Parameters
        ----------
        Z : ndarray or sparse matrix of shape (n, n_components)

        Returns
        -------
        codes : list of ndarray
            z D_K … D_1 (data), z D_K … D_2, …, z D_K, and z itself.
        """
        codes = [Z]
        for layer in reversed(self.layers):
            codes.append(layer.synthesize(codes[-1]))
        return codes[::-1]

    def correlate(self, X, mask=None):
        first, *others = self.layers
        codes = first.correlate(X, mask)
        for layer in others:
            codes = layer.correlate(codes)
        return codes

    def norms(self, mask=None):
        """Norms of all atoms, each of them synthesised."""
        norms = np.empty(self.n_components)
        for first in range(0, self.n_components, _ATOMS_AT_A_TIME):
            last = min(first + _ATOMS_AT_A_TIME, self.n_components)
            codes = np.zeros((last - first, self.n_components))
            codes[np.arange(last - first), np.arange(first, last)] = 1
            atoms = self.synthesize(codes)
            if mask is not None:
                atoms = atoms[:, mask]
            norms[first:last] = np.linalg.norm(atoms, axis=1)
        return norms

    def atom(self, k):
        code = np.zeros((1, self.n_components))
        code[0, k] = 1
        return self.synthesize(code)[0]

    @cached_property
    def lipschitz(self):
        return math.prod(layer.lipschitz for layer in self.layers)


class OnMaps:
    """A convolutional dictionary of maps, as codes have them: one map after the other.

    An image has its channels last. The maps of a layer are the channels of an image for the layer
    above.

    Parameters
    ----------
    dictionary : ConvolutionalDictionary
    """

    def __init__(self, dictionary):
        self.dictionary = dictionary
        self.n_components, self.n_features = dictionary.n_components, dictionary.n_features
        self.n_weights, self.lipschitz = dictionary.n_weights, dictionary.lipschitz

    def synthesize(self, Z):
        return self._maps(self.dictionary.synthesize(Z))

    def correlate(self, X, mask=None):
        return self.dictionary.correlate(
            self.images(X), None if mask is None else self.images(mask[np.newaxis])[0]
        )

    def norms(self, mask=None):
        return self.dictionary.norms(
            None if mask is None else self.images(np.asarray(mask)[np.newaxis])[0]
        )

    def atom(self, k):
        return self._maps(self.dictionary.atom(k)[np.newaxis])[0]

    def pull(self, Z, X):
        return self.dictionary.pull(Z, self.images(X))

    def images(self, X):
        """Maps, one after the other, as images with channels last."""
        channels = self.dictionary.geometry.n_channels
        return X.reshape(len(X), channels, -1).transpose(0, 2, 1).reshape(len(X), -1)

    def _maps(self, X):
        channels = self.dictionary.geometry.n_channels
        return X.reshape(len(X), -1, channels).transpose(0, 2, 1).reshape(len(X), -1)
