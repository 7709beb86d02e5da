"""Grey levels in [0, 1] from whatever an image file or an array holds."""

import numpy as np

# Luminance of linear RGB, ITU-R BT.709, the weights that scikit-image's rgb2gray uses.
LUMINANCE = np.array([0.2125, 0.7154, 0.0721], dtype=np.float32)


def grey_levels(pixels):
    """Grey float32 image in [0, 1] from an array of pixels.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, channels)
        Unsigned integers (black 0, white the type's largest value), booleans, or floats in
        [0, 1]. One channel is grey, two are grey and opacity, three are red, green and blue, four
        have opacity last. Transparent pixels are laid over white, as most viewers show them.

    Returns
    -------
    image : ndarray of shape (h, w), float32
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4 or pixels.size == 0:
        raise ValueError(f"an image needs shape (h, w) or (h, w, 1 to 4), got {pixels.shape}")
    levels = _unit_interval(pixels)
    channels = levels.shape[2]
    grey = levels[:, :, :3] @ LUMINANCE if channels >= 3 else levels[:, :, 0]
    if channels in (2, 4):
        opacity = levels[:, :, -1]
        grey = opacity * grey + (1 - opacity)
    return np.clip(grey, 0, 1, dtype=np.float32)


def _unit_interval(pixels):
    if pixels.dtype == bool:
        return pixels.astype(np.float32)
    if np.issubdtype(pixels.dtype, np.unsignedinteger):
        return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    if np.issubdtype(pixels.dtype, np.floating):
        # A comparison with NaN is False, so NaN is refused here as well.
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            raise ValueError(
                f"floating-point pixels must lie in [0, 1], got [{pixels.min()}, {pixels.max()}]"
            )
        return pixels.astype(np.float32)
    raise ValueError(f"pixels of type {pixels.dtype} have no known black and white")
