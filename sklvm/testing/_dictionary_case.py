"""All checks of a dictionary operator, to be inherited."""

import numpy as np
from numpy.testing import assert_allclose
from scipy import sparse

from sklvm.testing._seeded import Seeded

__all__ = ["DictionaryTestCase"]

_POWER_ITERATIONS = 200


class DictionaryTestCase(Seeded):
    """What a dictionary inherits by handing over one of them.

    A subclass whose name starts with ``Test`` is collected by pytest. The operator must be linear,
    ``correlate`` its adjoint, and norms, atoms and Gram matrix, where it has them, those of
    ``synthesize``; ``lipschitz`` must be at least the largest eigenvalue of D Dᵀ. Random numbers
    follow from the class attribute ``seed``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.sparse_coding.dictionaries import DenseDictionary
    >>> from sklvm.testing import DictionaryTestCase
    >>> class TestDenseDictionary(DictionaryTestCase):
    ...     def make(self):
    ...         return DenseDictionary(np.random.default_rng(0).standard_normal((5, 3)))
    >>> TestDenseDictionary().test_correlations_are_the_adjoint_of_synthesis()
    """

    # Relative error that rounding, or a Fourier transform, leaves.
    tolerance = 1e-12

    def make(self):
        """The dictionary to check."""
        raise NotImplementedError

    def _arrays(self):
        dictionary, rng = self.make(), self.rng
        Z = rng.standard_normal((3, dictionary.n_components))
        X = rng.standard_normal((3, dictionary.n_features))
        mask = rng.random(dictionary.n_features) < 0.6
        return dictionary, Z, X, mask

    def _explicit(self, dictionary):
        return dictionary.synthesize(np.eye(dictionary.n_components))

    def _assert_close(self, actual, expected):
        scale = np.abs(expected).max(initial=1e-300)
        assert_allclose(actual, expected, rtol=0, atol=self.tolerance * scale)

    def test_correlations_are_the_adjoint_of_synthesis(self):
        dictionary, Z, X, mask = self._arrays()
        left = np.vdot(dictionary.synthesize(Z), X)
        assert_allclose(np.vdot(Z, dictionary.correlate(X)), left, rtol=self.tolerance * 10)
        left = np.vdot(dictionary.synthesize(Z), mask * X)
        holed = np.where(mask, X, np.nan)  # what is masked out must not be looked at
        right = np.vdot(Z, dictionary.correlate(holed, mask))
        assert_allclose(right, left, rtol=self.tolerance * 10)

    def test_synthesis_is_linear_and_takes_csr_codes(self):
        dictionary, Z, _, _ = self._arrays()
        D = self._explicit(dictionary)
        assert D.shape == (dictionary.n_components, dictionary.n_features)
        self._assert_close(dictionary.synthesize(Z), Z @ D)
        few = np.where(np.abs(Z) > 1, Z, 0)
        self._assert_close(dictionary.synthesize(sparse.csr_array(few)), few @ D)

    def test_norms_are_those_of_the_atoms(self):
        dictionary, _, _, mask = self._arrays()
        D = self._explicit(dictionary)
        self._assert_close(dictionary.norms(), np.linalg.norm(D, axis=1))
        self._assert_close(dictionary.norms(mask), np.linalg.norm(mask * D, axis=1))

    def test_lipschitz_bounds_the_largest_eigenvalue(self):
        dictionary, Z, _, _ = self._arrays()
        z = Z[:1]
        for _ in range(_POWER_ITERATIONS):
            z = dictionary.correlate(dictionary.synthesize(z))
            largest = np.linalg.norm(z)
            z /= largest
        assert largest <= dictionary.lipschitz * (1 + 1e-12)

    def test_atoms_and_gram_matrix_belong_to_the_operator(self):
        dictionary, _, _, _ = self._arrays()
        D = self._explicit(dictionary)
        if hasattr(dictionary, "atom"):
            for k in (0, dictionary.n_components - 1):
                self._assert_close(dictionary.atom(k), D[k])
        if hasattr(dictionary, "gram"):
            self._assert_close(dictionary.gram, D @ D.T)
