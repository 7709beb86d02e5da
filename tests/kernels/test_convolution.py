"""Scans and sweeps over filters at places, against loops in numpy."""

import itertools

import numpy as np
import pytest

from sklvm.kernels import FilterBank, FilteredImage

CASES = [
    # image, channels, filters, filter shape
    ((9, 11), 1, 3, (4, 3)),
    ((9, 11), 2, 9, (3, 5)),
    ((1, 40), 1, 2, (1, 17)),
    ((6, 8), 3, 33, (2, 2)),
]
cases = pytest.mark.parametrize("case", CASES, ids=str)
circular = pytest.mark.parametrize("circular", [False, True])
positive = pytest.mark.parametrize("positive", [False, True])


def make(rng, case, circular, positive=False, masked=False, n_threads=1):
    shape, channels, n_filters, filter_shape = case
    filters = rng.standard_normal((n_filters, *filter_shape, channels))
    bank = FilterBank(filters, rng.uniform(0.5, 2, n_filters), positive=positive)
    image = rng.standard_normal((*shape, channels))
    mask = rng.random(image.shape) < 0.7 if masked else None
    return FilteredImage(bank, image, mask, circular=circular, n_threads=n_threads), mask


def atom_image(image, i, j, k):
    """Filter k at place (i, j), as an image."""
    filters, (rows, columns, channels) = image.bank.filters, image.shape
    out = np.zeros((rows, columns, channels))
    for a, b in itertools.product(range(filters.shape[1]), range(filters.shape[2])):
        out[(i + a) % rows, (j + b) % columns] += filters[k, a, b]
    return out


def all_atoms(image):
    rows, columns = image.map_shape
    places = itertools.product(range(rows), range(columns), range(image.bank.n_filters))
    return np.array([atom_image(image, *place).ravel() for place in places])


@cases
@circular
@positive
def test_a_scan_finds_every_large_correlation(rng, case, circular, positive):
    image, _ = make(rng, case, circular, positive, masked=True)
    ratios = all_atoms(image) @ image.residual.ravel()
    ratios /= np.tile(image.bank.bound, len(ratios) // image.bank.n_filters)
    sizes = ratios if positive else np.abs(ratios)
    keys, values, largest = image.scan(1.5)
    np.testing.assert_array_equal(keys, np.flatnonzero(sizes > 1.5))
    np.testing.assert_allclose(values, ratios[keys], rtol=1e-12, atol=1e-12)
    assert largest == pytest.approx(sizes.max(), rel=1e-13)
    assert len(image.scan(np.inf)[0]) == 0


@cases
@circular
@positive
@pytest.mark.parametrize("masked", [False, True])
def test_a_sweep_takes_each_atom_to_its_minimum(rng, case, circular, positive, masked):
    image, mask = make(rng, case, circular, positive, masked)
    D = all_atoms(image) * (1.0 if mask is None else mask.ravel())
    chosen = np.sort(rng.choice(len(D), len(D) // 3, replace=False))
    atoms = image.atoms(chosen)
    np.testing.assert_array_equal(np.sort(atoms.keys), chosen)
    curvatures, ridge = image.curvatures(atoms), 0.3
    np.testing.assert_allclose(curvatures, (D[atoms.keys] ** 2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(image.products(atoms), D[atoms.keys] @ image.residual.ravel())
    r, z = image.residual.ravel().copy(), np.zeros(len(chosen))
    for _ in range(3):
        for n, key in enumerate(atoms.keys):
            d, bound = D[key], image.bank.bound[key % image.bank.n_filters]
            u = r @ d + curvatures[n] * z[n]
            size = max((u if positive else abs(u)) - bound, 0)
            to = np.copysign(size, u) / (curvatures[n] + ridge)
            r -= (to - z[n]) * d
            z[n] = to
    codes = np.zeros(len(chosen))
    image.descend(atoms, codes, curvatures, 1 / (curvatures + ridge), 3)
    np.testing.assert_allclose(codes, z, atol=1e-12)
    np.testing.assert_allclose(image.residual.ravel(), r, atol=1e-12)


@circular
def test_sums_of_atoms_and_their_products(rng, circular):
    image, mask = make(rng, CASES[1], circular, masked=True)
    D = all_atoms(image) * mask.ravel()
    atoms = image.atoms(np.arange(0, len(D), 4))
    factors, before = rng.standard_normal(len(atoms.keys)), image.residual.ravel().copy()
    expected = factors @ D[atoms.keys]
    np.testing.assert_allclose(image.normal(atoms, factors), D[atoms.keys] @ expected)
    image.subtract(atoms, factors)
    np.testing.assert_allclose(image.residual.ravel(), before - expected, atol=1e-12)


def test_atoms_are_among_the_places():
    image, _ = make(np.random.default_rng(0), CASES[0], False)
    n_keys = image.map_shape[0] * image.map_shape[1] * image.bank.n_filters
    for keys in ([-1], [n_keys], [3, 3]):
        with pytest.raises(ValueError, match="keys must be"):
            image.atoms(np.array(keys))
