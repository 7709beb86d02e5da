"""Dictionaries are linear operators, and solvers ask for no more of them than they need."""

import numpy as np
import pytest
from scipy import sparse

from sklvm import SparseCoder
from sklvm.sparse_coding import L0, L1, AtMostNonzero, BasisPursuit, ElasticNet, Lq
from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._problem import CodingProblem
from sklvm.sparse_coding.dictionaries import DenseDictionary, RestrictedDictionary
from sklvm.sparse_coding.solvers import select_solver
from sklvm.testing import DictionaryTestCase


class Circulant:
    """All circular shifts of one filter, by Fourier transforms; it has no Gram matrix."""

    def __init__(self, taps):
        self.taps = np.asarray(taps)
        self.n_components = self.n_features = len(taps)
        self._spectrum = np.fft.rfft(taps)

    @property
    def lipschitz(self):
        return float(np.max(np.abs(self._spectrum)) ** 2)

    def synthesize(self, Z):
        Z = Z.toarray() if sparse.issparse(Z) else Z
        return np.fft.irfft(np.fft.rfft(Z) * self._spectrum, n=self.n_features)

    def correlate(self, X, mask=None):
        X = X if mask is None else np.where(mask, X, 0)
        return np.fft.irfft(np.fft.rfft(X) * self._spectrum.conj(), n=self.n_features)

    def norms(self, mask=None):
        mask = np.ones(self.n_features) if mask is None else mask
        shifts = np.array([self.atom(k) for k in range(self.n_components)])
        return np.sqrt(shifts**2 @ mask)

    def atom(self, k):
        return np.roll(self.taps, k)


class WithoutAtoms(Circulant):
    atom = property()


def make_circulant():
    return Circulant(np.random.default_rng(0).standard_normal(16))


class TestDenseDictionary(DictionaryTestCase):
    def make(self):
        return DenseDictionary(np.random.default_rng(0).standard_normal((9, 6)))


class TestCirculant(DictionaryTestCase):
    def make(self):
        return make_circulant()


class TestRestrictedDictionary(DictionaryTestCase):
    def make(self):
        return RestrictedDictionary(make_circulant(), np.arange(16) % 3 > 0)


def codes_by(dictionary, X, penalty, solver, positive=False, start=None, max_iter=100_000):
    problem = CodingProblem(dictionary, penalty, 0.8, positive, n_threads=1)
    return encode_rows(
        problem,
        select_solver(solver, penalty, type(dictionary)),
        X,
        start,
        tol=1e-11,
        max_iter=max_iter,
        sparse_output=False,
    )


@pytest.mark.parametrize("solver", ["coordinate_descent", "fista"])
@pytest.mark.parametrize("penalty", [L1(), L1(weights=np.linspace(0.5, 2, 16)), ElasticNet(0.6)])
@pytest.mark.parametrize("positive", [False, True])
def test_convex_codes_need_no_gram_matrix(rng, solver, penalty, positive):
    dictionary, X = make_circulant(), rng.standard_normal((5, 16))
    X[3, 4:7] = np.nan
    results = codes_by(dictionary, X, penalty, solver, positive)
    D = dictionary.synthesize(np.eye(16))
    coder = SparseCoder(D, alpha=0.8, penalty=penalty, positive=positive, tol=1e-12).fit(X)
    Z, info = coder.encode(X, return_info=True)
    np.testing.assert_allclose(results.objectives, info.objective_, rtol=1e-9)
    np.testing.assert_allclose(results.codes, Z, atol=1e-4)
    assert results.certificates.max() <= 1e-11


@pytest.mark.parametrize("solver", ["coordinate_descent", "fista", "ista"])
@pytest.mark.parametrize("penalty", [L0(), Lq(0.5)])
def test_nonconvex_codes_need_no_gram_matrix(rng, solver, penalty):
    dictionary, X = make_circulant(), rng.standard_normal((5, 16))
    results = codes_by(dictionary, X, penalty, solver)
    D, Z = dictionary.synthesize(np.eye(16)), results.codes
    step = 1 / dictionary.lipschitz
    to = penalty.prox(Z + step * (X - Z @ D) @ D.T, 0.8 * step)
    np.testing.assert_allclose(to, Z, atol=1e-9)
    assert (results.objectives <= 0.5 * (X**2).sum(axis=1) + 1e-12).all()


def test_an_epoch_on_residuals_is_an_epoch_on_the_gram_matrix(rng):
    X, dictionary, start = rng.standard_normal((4, 16)), make_circulant(), np.ones((4, 16))
    dense = DenseDictionary(dictionary.synthesize(np.eye(16)))
    for penalty in (L1(), ElasticNet(0.5), L0(), Lq(0.5)):
        codes = [
            codes_by(by, X, penalty, "coordinate_descent", start=start, max_iter=1).codes
            for by in (dictionary, dense)
        ]
        np.testing.assert_allclose(*codes, atol=1e-10)


def test_solvers_say_what_a_dictionary_lacks():
    with pytest.raises(ValueError, match="needs a dictionary with gram, atoms, which"):
        select_solver("active_set", L1(), Circulant)
    assert select_solver("auto", L1(), Circulant) is select_solver(
        "coordinate_descent", L0(), Circulant
    )
    for penalty in (AtMostNonzero(2), BasisPursuit(1.0)):
        with pytest.raises(ValueError, match="choose one of"):
            select_solver("auto", penalty, Circulant)
    with pytest.raises(ValueError, match="does not fit penalty"):
        select_solver("omp", L1(), DenseDictionary)


def test_after_fit_only_what_was_fitted_counts(problem):
    X, D = problem
    coder = SparseCoder(D, alpha=0.5).fit(X)
    Z = coder.transform(X)
    coder.set_params(alpha=2.0, penalty="l0", positive=True, sparse_output=True, max_iter=1)
    np.testing.assert_array_equal(coder.transform(X), Z)
    assert not np.array_equal(coder.fit(X).transform(X).toarray(), Z)
