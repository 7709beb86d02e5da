"""Weights, or other rows of pixels, as a sheet of small images."""

from math import ceil, isqrt, prod, sqrt

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array, check_is_fitted, check_scalar

from sklvm._optional import import_optional


class FilterDisplay:
    """Rows of weights shown as images, side by side on one sheet.

    Use :meth:`from_estimator` for the weights of a fitted model; the constructor takes any rows
    that are images: filters, patches, dictionary atoms.

    Parameters
    ----------
    filters : array-like of shape (n_filters, height * width * n_channels)
        One flattened image a row, channels last.

    image_shape : tuple of 2 int or None, default=None
        Height and width. None takes them for squares.

    n_channels : int, default=1
        Values of a pixel. Three are shown as red, green and blue; of two, or four and more, each
        is an image of its own, those of a filter side by side.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the sheet was drawn.

    figure_ : matplotlib Figure
        Its figure.

    image_ : matplotlib AxesImage
        The sheet.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.plotting import FilterDisplay
    >>> display = FilterDisplay(np.eye(16), image_shape=(4, 4)).plot()
    >>> display.image_.get_array().shape  # 4 × 4 images of 4 × 4, a line between them
    (21, 21)
    """

    def __init__(self, filters, image_shape=None, *, n_channels=1):
        self.filters = filters
        self.image_shape = image_shape
        self.n_channels = n_channels

    @classmethod
    def from_estimator(
        cls, estimator, image_shape=None, *, layer=0, kind="filters", ax=None, **kwargs
    ):
        """Draw the weights of a fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``components_`` of shape (n_components, n_features) or, if deep,
            ``coefs_``, a list of matrices of shape (n_units, n_units_below). Or a pipeline that
            ends in one: its weights are then shown in the units of the pipeline's input, pixels,
            whose preceding steps must be linear; see `kind`.

        image_shape : tuple of 2 int or None, default=None
            Height and width. None takes the estimator's ``filter_shape_`` if it has one, else its
            own ``image_shape``, and squares otherwise; ``n_channels`` is the estimator's.

        layer : int, default=0
            Which layer of a deep model to show. The units of the first are filters of the input;
            a unit further up is shown as the sum of the filters below, weighted by its own
            weights, which leaves out the non-linearities.

        kind : {"filters", "atoms"}, default="filters"
            What the weights of a pipeline's last step become in pixels. A filter w takes part in
            wᵀ(Ax + b) for the steps x ↦ Ax + b before it: it is shown as Aᵀw. An atom is a part of
            the data, and goes the way back, by ``inverse_transform``.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : FilterDisplay
            The drawn display.
        """
        check_is_fitted(estimator)
        if kind not in ("filters", "atoms"):
            raise ValueError(f"kind must be 'filters' or 'atoms', got {kind!r}")
        before, estimator = _split_pipeline(estimator)
        if image_shape is None:
            image_shape = getattr(estimator, "filter_shape_", None)
        if image_shape is None:
            image_shape = getattr(estimator, "image_shape", None)
        if image_shape is not None and len(image_shape) == 1:
            image_shape = (1, *image_shape)
        n_channels = getattr(estimator, "n_channels", 1)
        filters = _layer_filters(estimator, layer)
        if before is not None:
            filters = _in_pixels(filters, before, kind)
        display = cls(filters, image_shape, n_channels=n_channels)
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, n_columns=None, scaling="each", **image_kw):
        """Draw the sheet.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        n_columns : int or None, default=None
            Filters in a row of the sheet; None makes the sheet nearly square.

        scaling : {"each", "common", "none"}, default="each"
            "each" divides every image by its own largest magnitude and "common" all by theirs,
            so that 0 is the middle of the colour map; "none" leaves the values alone.

        **image_kw
            Passed to ``imshow``, for example ``cmap="RdBu"`` or, with ``scaling="none"``, ``vmin``
            and ``vmax``.

        Returns
        -------
        display : FilterDisplay
            Itself.
        """
        if scaling not in ("each", "common", "none"):
            raise ValueError(f"scaling must be 'each', 'common' or 'none', got {scaling!r}")
        filters = check_array(self.filters, dtype=np.float64, input_name="filters")
        check_scalar(self.n_channels, "n_channels", int, min_val=1)
        n_channels = self.n_channels
        shape = _image_shape(filters.shape[1], self.image_shape, n_channels)
        if n_columns is None:
            n_columns = ceil(sqrt(len(filters)))
        check_scalar(n_columns, "n_columns", int, min_val=1)

        magnitude = np.abs(filters).max(axis=1 if scaling == "each" else None, keepdims=True)
        style = {"cmap": "gray", "interpolation": "nearest"}
        if scaling != "none":
            filters = np.divide(filters, magnitude, out=np.zeros_like(filters), where=magnitude > 0)
            style |= {"vmin": -1, "vmax": 1}

        plt = import_optional("matplotlib.pyplot", "FilterDisplay.plot")
        if ax is None:
            _, ax = plt.subplots(figsize=(6, 6), layout="constrained")
        images = filters.reshape(len(filters), *shape, n_channels)
        if n_channels == 3:
            colours = 0.5 + 0.5 * images if scaling != "none" else images
            sheets = [_sheet(colours[..., c], shape, n_columns) for c in range(3)]
            sheet = np.clip(np.ma.stack(sheets, axis=-1).filled(1.0), 0, 1)
        else:
            single = images.transpose(0, 3, 1, 2).reshape(-1, *shape)
            sheet = _sheet(single, shape, n_columns * n_channels)
        self.image_ = ax.imshow(sheet, **(style | image_kw))
        ax.set_axis_off()
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _split_pipeline(estimator):
    """The steps before the last one, or None; and the last one."""
    if isinstance(estimator, Pipeline):
        return (estimator[:-1] if len(estimator) > 1 else None), estimator[-1]
    return None, estimator


def _in_pixels(filters, before, kind):
    """Rows over the output of the steps `before` as rows over their input."""
    if kind == "atoms":
        origin = np.zeros((1, filters.shape[1]))
        return before.inverse_transform(filters) - before.inverse_transform(origin)
    basis = np.eye(before.n_features_in_)
    offset = before.transform(np.zeros((1, len(basis))))
    columns = before.transform(basis) - offset  # row i is the column of A that pixel i has
    if not np.allclose(before.transform(-basis) - offset, -columns):
        raise ValueError(
            "The steps before the last one are not linear, so that its filters are none of the "
            "pixels. Pass the last step alone: from_estimator(pipeline[-1])."
        )
    return filters @ columns.T


def _layer_filters(estimator, layer):
    """Weights of a layer as filters of the input: W_l ⋯ W_1, or the components."""
    if hasattr(estimator, "coefs_"):
        coefs = estimator.coefs_
    elif hasattr(estimator, "components_"):
        coefs = [estimator.components_]
    else:
        raise TypeError(
            f"{type(estimator).__name__} has neither components_ nor coefs_: no weights to show"
        )
    check_scalar(layer, "layer", int, min_val=0, max_val=len(coefs) - 1)
    filters = coefs[0]
    for coef in coefs[1 : layer + 1]:
        filters = coef @ filters
    return filters


def _image_shape(n_taps, image_shape, n_channels):
    n_pixels, rest = divmod(n_taps, n_channels)
    if rest:
        raise ValueError(f"n_channels={n_channels} does not divide the {n_taps} values of a row")
    if image_shape is None:
        image_shape = (isqrt(n_pixels), isqrt(n_pixels))
        if prod(image_shape) != n_pixels:
            raise ValueError(
                f"image_shape must be given: {n_pixels} pixels a row do not make a square"
            )
    if len(image_shape) != 2 or prod(image_shape) != n_pixels:
        raise ValueError(
            f"image_shape must be two sides with product {n_pixels}, the pixels of a row, got "
            f"{image_shape!r}"
        )
    return tuple(image_shape)


def _sheet(images, shape, n_columns):
    """Images in a grid with lines of one pixel, masked so that they take no colour."""
    n_rows = ceil(len(images) / n_columns)
    height, width = (side + 1 for side in shape)
    sheet = np.ma.zeros((n_rows * height + 1, n_columns * width + 1))
    sheet[:] = np.ma.masked
    for i, image in enumerate(images):
        top, left = i // n_columns * height + 1, i % n_columns * width + 1
        sheet[top : top + shape[0], left : left + shape[1]] = image.reshape(shape)
    return sheet
