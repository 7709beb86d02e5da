"""A folder of photographs as grey arrays."""

from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_scalar

from sklvm._optional import import_optional
from sklvm._warnings import warn
from sklvm.datasets._grey import grey_levels
from sklvm.datasets._resizing import downscale_by_averaging

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")

# Modes that pillow decodes at more than 8 bits a pixel; it would squash them in a conversion.
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")


def read_images(folder, *, downscale=1, max_side=None):
    """Read every JPEG, PNG and TIFF file of a folder as a grey image.

    Images may have any size and any depth: colour, CMYK and palettes turn into grey by luminance,
    transparent pixels are laid over white, and 16-bit grey levels keep their precision (16-bit
    colour may be read at 8 bits). Of a file with several pages the first is read. Sub-folders are
    not searched.

    Parameters
    ----------
    folder : str or path-like
        The folder.

    downscale : int, default=1
        Smallest factor, at least 1, by which images are scaled down by averaging blocks of
        pixels. For JPEGs straight from a camera, 2 to 4 hide the 8×8 block grid.

    max_side : int or None, default=None
        Images with a longer side are scaled down by the next larger whole factor that fits.

    Returns
    -------
    images : dict of str to ndarray of shape (height, width), float32
        Grey levels in [0, 1] by file name, in alphabetical order.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.

    NotADirectoryError
        If ``folder`` is a file.

    ValueError
        If no file in the folder could be read as an image.

    Warns
    -----
    UserWarning
        Once, naming all files that have an image's suffix but could not be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from sklvm.datasets import read_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 30), "white").save(Path(folder) / "holiday.png")
    ...     images = read_images(folder)
    >>> images["holiday.png"].shape
    (30, 40)
    """
    check_scalar(downscale, "downscale", int, min_val=1)
    if max_side is not None:
        check_scalar(max_side, "max_side", int, min_val=1)
    import_optional("PIL.Image", "read_images")

    images, unreadable = {}, {}
    for path in _image_paths(folder):
        try:
            image = grey_levels(_decode(path))
            factor = _scale_factor(image.shape, downscale, max_side)
            images[path.name] = downscale_by_averaging(image, factor)
        except Exception as error:  # a damaged file can fail in any line of a decoder
            unreadable[path.name] = error
    named = "; ".join(f"{name} ({error})" for name, error in unreadable.items())
    if not images:
        raise ValueError(f"folder {str(folder)!r} has no readable image: {named}")
    if unreadable:
        warn(f"skipped {len(unreadable)} unreadable image file(s): {named}", UserWarning)
    return images


def _image_paths(folder):
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}")
    if not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is not a folder")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise ValueError(
            f"folder {str(folder)!r} has no image: no file in it (sub-folders are not searched) "
            f"ends in {', '.join(SUFFIXES)}"
        )
    return paths


def _scale_factor(shape, downscale, max_side):
    needed = 1 if max_side is None else -(-max(shape) // max_side)
    factor = max(downscale, needed)
    if min(shape) < factor:
        raise ValueError(f"{shape[1]}×{shape[0]} pixels are too few to scale down by {factor}")
    return factor


def _decode(path):
    """Pixels of an image file, as `grey_levels` takes them."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return _pillow_pixels(image)
    except UnidentifiedImageError:
        # Older versions of pillow read no 16-bit colour TIFF; scikit-image brings one that does.
        if path.suffix.lower() not in (".tif", ".tiff"):
            raise
        pixels = import_optional("tifffile", "reading this TIFF file").imread(path, key=0)
        if pixels.ndim == 3 and pixels.shape[0] <= 4 < pixels.shape[2]:
            pixels = np.moveaxis(pixels, 0, 2)  # planes stored one after another
        return pixels


def _pillow_pixels(image):
    if image.mode in _DEEP_MODES:
        pixels = np.asarray(image)
        if image.mode == "I":
            # 32-bit in memory, but only ever the decoded form of 16-bit files.
            if pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max:
                raise ValueError("32-bit integer levels have no known black and white")
            pixels = pixels.astype(np.uint16)
        return pixels.astype(pixels.dtype.newbyteorder("="))
    if image.mode in ("LA", "La", "PA", "RGBa") or image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
