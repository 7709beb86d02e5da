"""The detail of images, without slow changes of brightness."""

from numbers import Integral, Real

import numpy as np
from scipy import fft
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, _fit_context
from sklvm.base import PackageMixin, check_data
from sklvm.sparse_coding._dictionary_model import FLOATS
from sklvm.sparse_coding._image_shape import checked_image_shape

__all__ = ["TikhonovDetail"]

# Conjugate gradients end where the residual is this part of the right side.
_TOL = 1e-10
_MOST_STEPS = 500


class TikhonovDetail(PackageMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Splits images into a smooth part and detail: ``transform`` returns the detail x − s,.

    ::

        s = argmin_s ½‖m ⊙ (s − x)‖² + ½ γ Σ (differences of neighbouring pixels of s)²,

    m the values that are known. Sparse codes of small filters spend many coefficients on slow
    changes of brightness, and none on detail alone.

    Parameters
    ----------
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals; None: signals of the data's width. Rows of X are
        images, flat, channels last.
    n_channels : int, default=1
        Values of a pixel, each smoothed by itself.
    strength : float, default=5.0
        γ. Waves of a length well below 2π√γ pixels are detail.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    ConvolutionalSparseCoder : Its ``reconstruct`` takes a detail, and adds the smooth part again.

    Notes
    -----
    Detail alone does not say what the smooth part was: there is no ``inverse_transform``.

    NaN is a missing value, and stays one in the detail; ``smooth`` fills it in. Without missing
    values s is a quotient of cosine transforms, exactly; with some, conjugate gradients find it to
    ten digits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import TikhonovDetail
    >>> X = np.linspace(0, 1, 50)[np.newaxis] ** 2
    >>> detail = TikhonovDetail(strength=5.0).fit(X)
    >>> bool(np.abs(detail.transform(X))[:, 10:-10].max() < 0.01)
    True
    >>> np.allclose(detail.smooth(X) + detail.transform(X), X)
    True
    """

    _parameter_constraints: dict = {
        "image_shape": ["array-like", None],
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "strength": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, image_shape=None, *, n_channels=1, strength=5.0):
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.strength = strength

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the shape of images; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, of which only the width and the names of the features matter.
        y : None
            Ignored.

        Returns
        -------
        self : TikhonovDetail

        Raises
        ------
        ValueError
            If `image_shape` and `n_channels` do not go with the number of features.
        """
        X = self._check(X, reset=True)
        shape = checked_image_shape(self.image_shape, self.n_channels, X.shape[1])
        self._shape, self._strength = (*shape, self.n_channels), float(self.strength)
        return self

    def transform(self, X):
        """The detail of images, x − s.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing.

        Returns
        -------
        detail : ndarray of shape (n_samples, n_features)
            NaN where X is.
        """
        check_is_fitted(self, "_shape")
        X = self._check(X)
        return X - self._smooth(X)

    def smooth(self, X):
        """The smooth part of images, s.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing.

        Returns
        -------
        smooth : ndarray of shape (n_samples, n_features)
            Without missing values; zero for channels of which nothing is known.
        """
        check_is_fitted(self, "_shape")
        return self._smooth(self._check(X))

    def _check(self, X, reset=False):
        return check_data(
            self, X, squares="float64", dtype=FLOATS, reset=reset, ensure_all_finite="allow-nan"
        )

    def _smooth(self, X):
        *shape, n_channels = self._shape
        images = np.moveaxis(X.reshape(-1, *self._shape), -1, 1).reshape(-1, *shape)
        out = [self._smooth_channel(image.astype(np.float64)) for image in images]
        out = np.reshape(out, (-1, n_channels, *shape))
        return np.moveaxis(out, 1, -1).reshape(X.shape).astype(X.dtype, copy=False)

    def _smooth_channel(self, image):
        known = ~np.isnan(image)
        spectrum = self._strength * _difference_spectrum(image.shape)
        if known.all():
            return _divide(image, 1 + spectrum)
        target = np.where(known, image, 0)
        if not target.any() or self._strength == 0:
            return target
        share = known.mean()

        def precondition(residual):
            return _divide(residual, share + spectrum)

        smooth, residual = np.zeros_like(image), target
        direction = scaled = precondition(residual)
        product, least = np.vdot(residual, scaled), _TOL**2 * np.vdot(target, precondition(target))
        for _ in range(_MOST_STEPS):
            if product <= least:
                break
            bent = np.where(known, direction, 0) + _multiply(direction, spectrum)
            step = product / np.vdot(direction, bent)
            smooth = smooth + step * direction
            residual = residual - step * bent
            scaled = precondition(residual)
            previous, product = product, np.vdot(residual, scaled)
            direction = scaled + product / previous * direction
        return smooth

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _difference_spectrum(shape):
    """Eigenvalues of Σ (differences of neighbours)², whose eigenvectors are cosines."""
    parts = [2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in shape]
    return parts[0] if len(parts) == 1 else np.add.outer(*parts)


def _multiply(image, spectrum):
    return fft.idctn(fft.dctn(image, norm="ortho") * spectrum, norm="ortho")


def _divide(image, spectrum):
    return fft.idctn(fft.dctn(image, norm="ortho") / spectrum, norm="ortho")
