"""What a decoder makes of its latent variables, one moving at a time."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm.plotting._filters import FilterDisplay


class LatentTraversalDisplay:
    """Decoded images in a sheet: a row for each latent variable, a column for each of its values.

    Parameters
    ----------
    traversal : array-like of shape (n_traversed, n_values, height * width)
        Flattened images, as of ``latent_traversal``.

    image_shape : tuple of 2 int or None, default=None
        Height and width. None takes the images for squares.

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
    >>> from sklvm.plotting import LatentTraversalDisplay
    >>> display = LatentTraversalDisplay(np.random.default_rng(0).random((2, 3, 16))).plot()
    >>> display.image_.get_array().shape  # 2 × 3 images of 4 × 4, a line between them
    (11, 16)
    """

    def __init__(self, traversal, image_shape=None):
        self.traversal = traversal
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls, estimator, x=None, image_shape=None, *, components=None, values=None, ax=None, **kwargs
    ):
        """Draw the traversal of a fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``latent_traversal``.

        x, components, values
            As of ``latent_traversal``.

        image_shape : tuple of 2 int or None, default=None
            Height and width. None takes the images for squares.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : LatentTraversalDisplay
            The drawn display.
        """
        check_is_fitted(estimator)
        traversal = estimator.latent_traversal(x, components=components, values=values)
        display = cls(traversal, image_shape).plot(ax, **kwargs)
        if not display.ax_.get_title():
            display.ax_.set_title("One latent variable a row, from its least value to its greatest")
        return display

    def plot(self, ax=None, **image_kw):
        """Draw the sheet.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        **image_kw
            Passed to ``imshow``, for example ``vmin`` and ``vmax``.

        Returns
        -------
        display : LatentTraversalDisplay
            Itself.
        """
        traversal = np.asarray(self.traversal)
        if traversal.ndim != 3:
            raise ValueError(
                "traversal must have shape (n_traversed, n_values, n_pixels), got "
                f"{traversal.shape}"
            )
        _, n_values, n_pixels = traversal.shape
        sheet = FilterDisplay(traversal.reshape(-1, n_pixels), self.image_shape)
        sheet.plot(ax, n_columns=n_values, scaling="none", **image_kw)
        self.image_, self.ax_, self.figure_ = sheet.image_, sheet.ax_, sheet.figure_
        return self
