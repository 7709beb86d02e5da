"""Statistics of maps are sums over places, and their solution is the best filters."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from sklvm.statistics import ConvolutionalStatistics, centring_move, moved

SHAPES = [
    # image, filters (K, height, width, channels)
    ((9, 11), (3, 4, 3, 1)),
    ((9, 11), (2, 3, 5, 2)),
    ((1, 30), (4, 1, 7, 1)),
    ((4, 5), (2, 3, 4, 1)),  # so small that neighbours around the borders meet
]
shapes = pytest.mark.parametrize("shapes", SHAPES, ids=str)
circular = pytest.mark.parametrize("circular", [False, True])


def make_coded(rng, shapes, circular, n=2, density=0.2):
    """Images, maps and weights."""
    (rows, columns), (n_filters, height, width, channels) = shapes
    map_shape = (rows, columns) if circular else (rows - height + 1, columns - width + 1)
    images = rng.standard_normal((n, rows, columns, channels))
    maps = rng.standard_normal((n, *map_shape, n_filters))
    return images, maps * (rng.random(maps.shape) < density), rng.uniform(0.5, 2, n)


def collect(images, maps, weights, filters_shape, circular):
    coded = [
        (image, np.nonzero(z), z[np.nonzero(z)], weight)
        for image, z, weight in zip(images, maps, weights, strict=True)
    ]
    return ConvolutionalStatistics.collect(coded, filters_shape, circular=circular)


def reconstruct(maps, filters, shape, circular):
    rows, columns = shape[:2]
    out = np.zeros(shape)
    for i, j, k in zip(*np.nonzero(maps), strict=True):
        for a, b in np.ndindex(*filters.shape[1:3]):
            p, q = (i + a, j + b) if not circular else ((i + a) % rows, (j + b) % columns)
            out[p, q] += maps[i, j, k] * filters[k, a, b]
    return out


def objective(images, maps, weights, filters, circular):
    errors = [
        np.sum((x - reconstruct(z, filters, x.shape, circular)) ** 2)
        for x, z in zip(images, maps, strict=True)
    ]
    return 0.5 * float(weights @ errors)


@shapes
@circular
def test_the_fit_is_the_sum_of_squares(rng, shapes, circular):
    images, maps, weights = make_coded(rng, shapes, circular)
    statistics = collect(images, maps, weights, shapes[1], circular)
    constant = 0.5 * weights @ (images**2).sum(axis=(1, 2, 3))
    for _ in range(3):
        filters = rng.standard_normal(shapes[1])
        expected = objective(images, maps, weights, filters, circular)
        assert statistics.fit(filters) + constant == pytest.approx(expected, rel=1e-12)
    assert statistics.weight == pytest.approx(weights.sum())


def test_scatter_is_the_correlation_of_spectra(rng):
    shapes = (16, 18), (3, 5, 4, 1)
    images, maps, weights = make_coded(rng, shapes, True)
    statistics = collect(images, maps, weights, shapes[1], True)
    spectra = np.fft.fft2(maps, axes=(1, 2))
    for k, m in np.ndindex(3, 3):
        spectrum = np.einsum("i,ihw->hw", weights, spectra[..., k].conj() * spectra[..., m])
        full = np.fft.ifft2(spectrum).real
        expected = [[full[y, x] for x in range(-3, 4)] for y in range(-4, 5)]
        np.testing.assert_allclose(statistics.map_scatter[k, m], expected, atol=1e-12)


@pytest.mark.parametrize("shapes", SHAPES[:3], ids=str)
@pytest.mark.parametrize("scale", [0.2, 5.0])
def test_one_filter_goes_to_its_minimum_in_the_ball(rng, shapes, scale):
    """Below: inside; above: on the sphere, where the secular equation has the answer."""
    shape = (1, *shapes[1][1:])
    images, maps, weights = make_coded(rng, (shapes[0], shape), False, density=0.5)
    statistics = collect(scale * images, maps, weights, shape, False)
    solved = statistics.solve(np.zeros(shape))
    norm = np.linalg.norm(solved)
    assert norm <= 1 + 1e-12 and (norm > 1 - 1e-9) == (scale > 1)
    ball = {"type": "ineq", "fun": lambda d: 1 - d @ d, "jac": lambda d: -2 * d}

    def fit(d):
        return statistics.fit(d.reshape(shape))

    found = minimize(
        fit, np.zeros(solved.size), constraints=ball, method="SLSQP", options={"ftol": 1e-14}
    )
    assert statistics.fit(solved) <= found.fun + 1e-9
    assert statistics.fit(solved) == pytest.approx(found.fun, rel=1e-5)


@shapes
@pytest.mark.parametrize("positive", [False, True])
def test_a_pass_never_makes_filters_worse(rng, shapes, positive):
    images, maps, weights = make_coded(rng, shapes, False)
    statistics = collect(images, maps, weights, shapes[1], False)
    filters = np.abs(rng.standard_normal(shapes[1]))
    filters /= np.sqrt((filters**2).sum(axis=(1, 2, 3), keepdims=True))
    before = statistics.fit(filters)
    for _ in range(5):
        filters = statistics.solve(filters, positive=positive, max_passes=1)
        after = statistics.fit(filters)
        assert after <= before + 1e-12 * abs(before)
        before = after
    assert ((filters**2).sum(axis=(1, 2, 3)) <= 1 + 1e-12).all()
    assert not positive or (filters >= 0).all()


def test_filters_that_nobody_uses_stay(rng):
    images, maps, weights = make_coded(rng, SHAPES[0], False)
    statistics = collect(images, maps, weights, SHAPES[0][1], False).without([1])
    assert statistics.usage[1] == 0 < statistics.usage[0]
    filters = 0.1 * rng.standard_normal(SHAPES[0][1])
    solved = statistics.solve(filters)
    np.testing.assert_array_equal(solved[1], filters[1])
    assert np.abs(solved[0] - filters[0]).max() > 1e-3


def test_codes_of_places_that_do_not_exist_are_refused():
    image = np.zeros((4, 4, 1))
    for places in ((3, 0, 0), (0, -1, 0), (0, 0, 2)):
        coded = [(image, tuple(np.array([n]) for n in places), np.ones(1), 1.0)]
        with pytest.raises(ValueError, match="of a code must be from 0"):
            ConvolutionalStatistics.collect(coded, (2, 2, 2, 1))


def test_statistics_of_filters_that_were_moved_replace_earlier_ones(rng):
    images, maps, weights = make_coded(rng, SHAPES[0], False)
    before = collect(images[:1], maps[:1], weights[:1], SHAPES[0][1], False)
    after = replace(
        collect(images[1:], maps[1:], weights[1:], SHAPES[0][1], False), moves=np.array([0, 2, 0])
    )
    for merged in (before.merge(after), after.merge(before)):
        np.testing.assert_array_equal(merged.moves, [0, 2, 0])
        np.testing.assert_allclose(merged.map_data[1], after.map_data[1])
        np.testing.assert_allclose(merged.map_data[0], before.map_data[0] + after.map_data[0])
        np.testing.assert_allclose(merged.map_scatter[0, 1], after.map_scatter[0, 1])
        assert merged.weight == pytest.approx(weights.sum())


def test_a_filter_at_the_edge_moves_to_the_middle():
    filter = np.zeros((7, 9, 2))
    filter[:3, 6:] = 1.0
    by = centring_move(filter)
    assert by == (2, -3)
    expected = np.zeros((7, 9, 2))
    expected[2:5, 3:6] = 1.0
    np.testing.assert_array_equal(moved(filter, by), expected)
    assert centring_move(expected) == centring_move(np.zeros((7, 9, 2))) == (0, 0)
    # It would lose too much.
    filter[6, 6:] = 0.4
    assert centring_move(filter)[0] == 0
