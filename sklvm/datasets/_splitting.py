"""Training and held-out images."""

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_scalar


def split_images(images, held_out=0.25, *, random_state=None):
    """Set whole images aside, so that no held-out patch overlaps or neighbours a training patch.

    Parameters
    ----------
    images : dict of str to ndarray
        Images by name.

    held_out : float or sequence of str, default=0.25
        Fraction of the images, in (0, 1), rounded but at least one and not all; or the names of
        the images to hold out.

    random_state : int, RandomState instance or None, default=None
        Chooses the images when ``held_out`` is a fraction.

    Returns
    -------
    training, held_out : dict of str to ndarray
        The two parts, each in the order of ``images``.

    Raises
    ------
    ValueError
        If there are fewer than two images, a name is unknown, or nothing would be left.

    Examples
    --------
    >>> from sklvm.datasets import load_photographs, split_images
    >>> training, held_out = split_images(load_photographs(), ["chelsea", "grass"])
    >>> len(training), list(held_out)
    (9, ['chelsea', 'grass'])
    """
    if len(images) < 2:
        raise ValueError(f"splitting needs at least 2 images, got {len(images)}: {list(images)}")
    if isinstance(held_out, (float, int)):
        check_scalar(
            held_out, "held_out", float, min_val=0, max_val=1, include_boundaries="neither"
        )
        n_held_out = min(max(round(held_out * len(images)), 1), len(images) - 1)
        names = list(images)
        order = check_random_state(random_state).permutation(len(names))
        held_out = [names[i] for i in order[:n_held_out]]
    held_out = {held_out} if isinstance(held_out, str) else set(held_out)
    if unknown := sorted(held_out - set(images)):
        raise ValueError(f"held_out names unknown images {unknown}; there are {list(images)}")
    if not 0 < len(held_out) < len(images):
        raise ValueError(
            f"held_out={sorted(held_out)} must leave at least one of the {len(images)} images on "
            "either side"
        )
    return (
        {name: image for name, image in images.items() if name not in held_out},
        {name: image for name, image in images.items() if name in held_out},
    )
