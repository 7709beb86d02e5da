"""Small real and synthetic data, and patches cut from images."""

from sklvm.datasets._digits import load_digit_images
from sklvm.datasets._idx_images import read_idx_images
from sklvm.datasets._image_files import read_images
from sklvm.datasets._patches import contrast_normalize, sample_patches
from sklvm.datasets._photographs import load_photographs
from sklvm.datasets._resizing import resize_images
from sklvm.datasets._splitting import split_images
from sklvm.datasets._synthetic import make_bars_and_stripes, make_laplace_mixture

__all__ = [
    "contrast_normalize",
    "load_digit_images",
    "load_photographs",
    "make_bars_and_stripes",
    "make_laplace_mixture",
    "read_idx_images",
    "read_images",
    "resize_images",
    "sample_patches",
    "split_images",
]
