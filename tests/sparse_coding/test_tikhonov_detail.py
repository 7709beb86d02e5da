"""The smooth part solves its linear equations, and with the detail it makes the image."""

import numpy as np
import pytest

from sklvm import ConvolutionalSparseCoder, TikhonovDetail


def smooth_by_equations(image, known, strength):
    """(diag(m) + γ Σ GᵀG) s = m x for one channel of (height, width)."""
    height, width = image.shape
    matrix = np.diag(known.ravel().astype(float))
    index = np.arange(image.size).reshape(image.shape)
    pairs = [(index[:-1], index[1:]), (index[:, :-1], index[:, 1:])]
    for some, others in pairs:
        for a, b in zip(some.flat, others.flat, strict=True):
            matrix[[a, b], [a, b]] += strength
            matrix[[a, b], [b, a]] -= strength
    return np.linalg.solve(matrix, np.where(known, image, 0).ravel()).reshape(height, width)


@pytest.mark.parametrize("holes", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("strength", [0.5, 20.0])
def test_the_smooth_part_solves_its_equations(rng, holes, strength):
    X = rng.standard_normal((2, 7, 9, 2))
    X[rng.random(X.shape) < holes] = np.nan
    detail = TikhonovDetail((7, 9), n_channels=2, strength=strength).fit(X.reshape(2, -1))
    smooth = detail.smooth(X.reshape(2, -1)).reshape(X.shape)
    for i, c in np.ndindex(2, 2):
        image = X[i, ..., c]
        expected = smooth_by_equations(image, ~np.isnan(image), strength)
        np.testing.assert_allclose(smooth[i, ..., c], expected, atol=1e-8)
    np.testing.assert_allclose(
        detail.transform(X.reshape(2, -1)) + smooth.reshape(2, -1), X.reshape(2, -1)
    )


def test_signals_constants_and_nothing(rng):
    X = np.vstack([np.full(12, 3.0), np.full(12, np.nan), rng.standard_normal(12)])
    X[0, 3:5] = np.nan
    detail = TikhonovDetail().fit(X)
    smooth = detail.smooth(X)
    np.testing.assert_allclose(smooth[0], 3.0)
    assert not smooth[1].any() and np.isnan(detail.transform(X)[1]).all()
    image = TikhonovDetail((1, 12)).fit(X)
    np.testing.assert_allclose(image.smooth(X), smooth, atol=1e-9)
    nothing = TikhonovDetail(strength=0).fit(X)
    np.testing.assert_allclose(nothing.smooth(X), np.nan_to_num(X), atol=1e-12)


def test_a_reconstruction_adds_the_smooth_part_again(rng):
    filters, slope = rng.standard_normal((3, 5)), np.linspace(5, 9, 80)
    X = slope + 0.3 * np.convolve(rng.standard_normal(76) * (rng.random(76) < 0.1), filters[0])
    X = X[np.newaxis]
    detail = TikhonovDetail(strength=50.0).fit(X)
    coder = ConvolutionalSparseCoder(filters, alpha=0.02).fit(X)
    again = coder.reconstruct(X, detail=detail)
    expected = coder.inverse_transform(coder.transform(detail.transform(X))) + detail.smooth(X)
    np.testing.assert_allclose(again, expected, atol=1e-12)
    holed = X.copy()
    holed[0, 30:33] = np.nan
    assert np.abs(coder.reconstruct(holed, detail=detail) - X).max() < 0.5
    with pytest.raises(ValueError, match="takes 30 features"):
        TikhonovDetail((5, 6)).fit(X)
