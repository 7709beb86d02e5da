"""Patches are uniform over all positions, and come from where they are said to come from."""

import numpy as np
import pytest
from scipy import stats

from sklvm.datasets import contrast_normalize, resize_images, sample_patches, split_images


def _numbered(height, width, offset=0.0):
    """An image whose every pixel has its own level."""
    return ((np.arange(height * width).reshape(height, width) + offset) / 4096).astype(np.float32)


def test_patches_are_rectangles_of_the_image():
    image = _numbered(9, 11)
    patches = sample_patches([image], (3, 4), 200, random_state=0).reshape(-1, 3, 4)
    for patch in patches:
        row, column = np.argwhere(image == patch[0, 0])[0]
        np.testing.assert_array_equal(patch, image[row : row + 3, column : column + 4])


def test_positions_are_uniform_over_all_images():
    images = {"small": _numbered(6, 5), "large": _numbered(9, 11, offset=1000)}
    patches = sample_patches(images, (3, 4), 30_000, random_state=0)
    _, counts = np.unique(patches[:, 0], return_counts=True)
    n_positions = (6 - 3 + 1) * (5 - 4 + 1) + (9 - 3 + 1) * (11 - 4 + 1)
    assert len(counts) == n_positions
    assert stats.chisquare(counts).pvalue > 1e-3


def test_patches_are_float32_and_reproducible():
    images = {"a": np.full((8, 8), 0.5), "b": _numbered(8, 8).astype(np.float64)}
    first = sample_patches(images, 4, 50, random_state=3)
    assert first.shape == (50, 16)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, sample_patches(images, 4, 50, random_state=3))


def test_a_patch_may_be_the_whole_image():
    image = _numbered(5, 7)
    patches = sample_patches([image], (5, 7), 2, random_state=0)
    np.testing.assert_array_equal(patches, [image.ravel()] * 2)


def test_images_smaller_than_the_patch_are_named():
    images = {"fits": np.zeros((9, 9)), "thumbnail": np.zeros((4, 9))}
    with pytest.raises(ValueError, match=r"5×5 do not fit into 'thumbnail' \(4×9\)"):
        sample_patches(images, 5, 10)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({}, "images is empty"),
        ({"colour": np.zeros((9, 9, 3))}, "'colour' must be grey"),
        ([np.full((9, 9), 200)], r"images\[0\].*levels in \[0, 1\]"),
        ([np.full((9, 9), np.nan)], r"images\[0\].*levels in \[0, 1\]"),
    ],
)
def test_bad_images_are_named(images, message):
    with pytest.raises(ValueError, match=message):
        sample_patches(images, 5, 10)


@pytest.mark.parametrize("patch_size", [0, -1, 2.5, (3,), (3, 0), (1, 2, 3), "8"])
def test_bad_patch_size_is_named(patch_size):
    with pytest.raises(ValueError, match="patch_size"):
        sample_patches([np.zeros((9, 9))], patch_size, 10)


@pytest.mark.parametrize("n_patches", [0, -1, 1.5])
def test_bad_number_of_patches_is_named(n_patches):
    with pytest.raises((ValueError, TypeError), match="n_patches"):
        sample_patches([np.zeros((9, 9))], 3, n_patches)


def test_split_is_a_partition_of_whole_images():
    images = {name: np.zeros((2, 2)) for name in "abcdefgh"}
    training, held_out = split_images(images, 0.25, random_state=0)
    assert len(held_out) == 2
    assert not set(training) & set(held_out)
    assert set(training) | set(held_out) == set(images)


@pytest.mark.parametrize("fraction", [1e-9, 1 - 1e-9])
def test_neither_side_of_a_split_is_empty(fraction):
    training, held_out = split_images({"a": 1, "b": 2, "c": 3}, fraction, random_state=0)
    assert training
    assert held_out


def test_split_by_name():
    training, held_out = split_images({"a": 1, "b": 2, "c": 3}, ["c"])
    assert (training, held_out) == ({"a": 1, "b": 2}, {"c": 3})


@pytest.mark.parametrize(
    ("images", "held_out", "message"),
    [
        ({"a": 1}, 0.5, "at least 2 images"),
        ({"a": 1, "b": 2}, ["z"], "unknown images"),
        ({"a": 1, "b": 2}, ["a", "b"], "at least one"),
        ({"a": 1, "b": 2}, [], "at least one"),
        ({"a": 1, "b": 2}, 0.0, "held_out"),
        ({"a": 1, "b": 2}, 1.0, "held_out"),
        ({"a": 1, "b": 2}, 2, "held_out"),
    ],
)
def test_impossible_splits_are_errors(images, held_out, message):
    with pytest.raises((ValueError, TypeError), match=message):
        split_images(images, held_out)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalized_patches_have_zero_mean_and_unit_contrast(dtype):
    patches = np.random.default_rng(0).random((20, 49)).astype(dtype)
    normalized = contrast_normalize(patches, epsilon=1e-12)
    assert normalized.dtype == dtype
    np.testing.assert_allclose(normalized.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(normalized.std(axis=1), 1, rtol=1e-5)


def test_normalization_ignores_brightness_and_contrast():
    patches = np.random.default_rng(0).random((20, 49))
    np.testing.assert_allclose(
        contrast_normalize(0.3 * patches + 0.1, epsilon=1e-12),
        contrast_normalize(patches, epsilon=1e-12),
        atol=1e-8,
    )


def test_epsilon_must_be_positive():
    with pytest.raises(ValueError, match="epsilon"):
        contrast_normalize(np.zeros((2, 4)), epsilon=0.0)


def test_resizing_to_the_same_shape_changes_nothing():
    images = np.random.default_rng(0).random((3, 5, 7))
    np.testing.assert_allclose(resize_images(images, (5, 7)), images)


@pytest.mark.parametrize("shape", [(2, 3), (5, 9), (8, 7), (16, 20)])
def test_resizing_keeps_constants_and_range(shape):
    images = np.random.default_rng(0).random((3, 5, 7))
    resized = resize_images(images, shape)
    assert resized.shape == (3, *shape)
    assert resized.min() >= images.min()
    assert resized.max() <= images.max()
    np.testing.assert_allclose(resize_images(np.ones((1, 5, 7)), shape), 1)


def test_shrinking_keeps_the_mean():
    images = np.random.default_rng(0).random((3, 28, 28))
    np.testing.assert_allclose(
        resize_images(images, (12, 9)).mean(axis=(1, 2)), images.mean(axis=(1, 2))
    )


def test_enlarging_interpolates_linearly():
    ramp = np.linspace(0, 1, 5)[np.newaxis, np.newaxis, :].repeat(5, axis=1)
    enlarged = resize_images(ramp, (5, 10))[0, 0]
    np.testing.assert_allclose(np.diff(enlarged[1:-1]), 0.125)


def test_resizing_needs_a_stack():
    with pytest.raises(ValueError, match="n_images, height, width"):
        resize_images(np.zeros((5, 7)), (2, 2))
