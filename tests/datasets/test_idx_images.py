"""Labelled images in IDX files are read as they were written, and damaged files are named."""

import gzip

import numpy as np
import pytest

from sklvm.datasets import read_idx_images

RNG = np.random.default_rng(0)
IMAGES = {"train": RNG.integers(256, size=(5, 3, 4)), "t10k": RNG.integers(256, size=(2, 3, 4))}
LABELS = {"train": np.array([3, 1, 4, 1, 5]), "t10k": np.array([9, 2])}


def _idx(array):
    """The bytes of an IDX file: 0, 0, the type, the number of axes, their lengths, the entries."""
    lengths = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes()


@pytest.fixture(params=["compressed", "plain"])
def folder(request, tmp_path):
    for part in ("train", "t10k"):
        for name, array in [("images-idx3", IMAGES[part]), ("labels-idx1", LABELS[part])]:
            path = tmp_path / f"{part}-{name}-ubyte"
            if request.param == "compressed":
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(_idx(array)))
            else:
                path.write_bytes(_idx(array))
    return tmp_path


def test_images_and_labels_come_back(folder):
    images = read_idx_images(folder)
    assert images.image_shape == (3, 4)
    for prefix, part in [("", "train"), ("test_", "t10k")]:
        data = images[f"{prefix}data"]
        assert data.dtype == np.float32
        np.testing.assert_array_equal(
            np.rint(255 * data), IMAGES[part].reshape(len(IMAGES[part]), -1)
        )
        np.testing.assert_array_equal(images[f"{prefix}target"], LABELS[part])


def test_a_missing_file_is_named(folder):
    for path in folder.glob("t10k-labels*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="t10k-labels-idx1-ubyte"):
        read_idx_images(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an IDX file"),
        (b"not images", "begins with the bytes 6e 6f 74 20"),
        (_idx(LABELS["train"]), "with 3 axes"),
        (_idx(IMAGES["train"])[:-1], r"announces an array of shape \(5, 3, 4\), but has 59 bytes"),
        (_idx(IMAGES["train"][:4]), "has 4 images and 5 labels"),
    ],
)
def test_a_damaged_file_is_refused(folder, content, message):
    for path in folder.glob("train-images*"):
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    with pytest.raises(ValueError, match=message):
        read_idx_images(folder)
