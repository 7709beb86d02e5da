"""Photographs that come inside scikit-image and scikit-learn."""

from pathlib import Path

from sklearn.datasets import load_sample_images
from sklearn.utils.validation import check_scalar

from sklvm._optional import import_optional
from sklvm.datasets._grey import grey_levels
from sklvm.datasets._resizing import downscale_by_averaging

# In the scikit-image wheel and real photographs: neither drawings nor text, telescopes or
# microscopes. All are CC0 or public domain but the last, which Middlebury stereo 2014 gives away.
_SCIKIT_IMAGE = ("astronaut", "brick", "camera", "chelsea", "coffee", "grass", "gravel", "rocket")


def load_photographs(*, downscale=2):
    """Load eleven grey photographs; nothing is downloaded.

    Nine come with scikit-image (astronaut, brick, camera, chelsea, coffee, grass, gravel,
    motorcycle, rocket) and two with scikit-learn (china, flower; CC BY 2.0, by danielbuechele and
    vultilion).

    Parameters
    ----------
    downscale : int, default=2
        Factor, at least 1, by which photographs are scaled down by averaging blocks of pixels.
        Several of them were stored as JPEG, whose 8×8 block grid is visible to a model of
        patches; factors of 2 to 4 hide it.

    Returns
    -------
    images : dict of str to ndarray of shape (height, width), float32
        Grey levels in [0, 1] by name, in alphabetical order. At ``downscale=2`` sides are from
        150 to 370 pixels.

    Raises
    ------
    ImportError
        If scikit-image or pillow is not installed.

    See Also
    --------
    read_images : Your own photographs.
    sample_patches : Cut patches from them.

    Examples
    --------
    >>> from sklvm.datasets import load_photographs
    >>> photographs = load_photographs()
    >>> len(photographs)
    11
    >>> photographs["camera"].shape, photographs["camera"].dtype
    ((256, 256), dtype('float32'))
    """
    check_scalar(downscale, "downscale", int, min_val=1)
    data = import_optional("skimage.data", "load_photographs")
    import_optional("PIL", "load_photographs")  # what scikit-learn reads its JPEGs with

    pixels = {name: getattr(data, name)() for name in _SCIKIT_IMAGE}
    pixels["motorcycle"] = data.stereo_motorcycle()[0]
    samples = load_sample_images()
    for path, image in zip(samples.filenames, samples.images, strict=True):
        pixels[Path(path).stem] = image
    return {
        name: downscale_by_averaging(grey_levels(pixels[name]), downscale)
        for name in sorted(pixels)
    }
