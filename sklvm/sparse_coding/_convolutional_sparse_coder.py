"""Sparse codes of images on given filters."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_array

from sklvm._compat import Interval, _fit_context
from sklvm.base import FLOATS
from sklvm.sparse_coding._convolutional_model import ConvolutionalModel

__all__ = ["ConvolutionalSparseCoder"]


class ConvolutionalSparseCoder(ConvolutionalModel):
    """Convolutional sparse codes: images, or signals, as sums of a few filters at a few places.

    ::

        z(x) = argmin_z J(x, z),   J = ½‖x − Σ_k d_k ∗ z_k‖² + α · penalty(z)

    Parameters
    ----------
    dictionary : array-like of shape (n_components, *filter_shape) or \
            (n_components, *filter_shape, n_channels), default=None
        The filters d_k, of any norm; None: a unit impulse in each channel, for which codes are
        shrunken data.
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals; None: signals of the data's width. Rows of X are
        images, flat, channels last.
    n_channels : int, default=1
        Values of a pixel; each filter has as many, and one map.
    alpha : float, default=1.0
        α, the strength of the penalty; see ``alpha_max`` for its scale.
    penalty : {"l1", "l0", "lq", "elastic_net"} or object, default="l1"
        A short name, or an object such as ``Lq(2 / 3)`` or ``L1(weights=...)``, with a weight for
        each filter.
    positive : bool, default=False
        Whether z ≥ 0.
    boundary : {"valid", "full", "circular"}, default="valid"
        Which places a filter has: those at which it lies within the image, those at which some of
        it does, or all pixels of an image whose opposite borders meet.
    solver : {"auto", "working_set", "fista"}, default="auto"
        "working_set" is coordinate descent on the atoms that violate optimality most, for convex
        penalties and their default; it takes memory for the image and the nonzero coefficients
        only. "fista" works on whole maps, for any penalty, and suits dense codes.
    tol : float, default=1e-4
        Greatest certificate with which an image is done; see :class:`CodingInfo`.
    max_iter : int, default=1000
        Greatest number of iterations an image: scans of a working set, or steps.
    sparse_output : bool, default=False
        Whether ``transform`` returns a CSR array.
    n_jobs : int, default=None
        Number of threads, −1 for all CPUs; None: what OpenMP and joblib allow. Codes are the same.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_taps)
        The filters, flat; a tap for each pixel and channel.
    filter_shape_ : tuple of int
        Of a filter, without channels.
    map_shape_ : tuple of int
        Of a map: the image less a filter and one, both together less one, or the image.
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    ConvolutionalDictionaryLearner : Learns the filters.
    SparseCoder : Atoms that are as large as the data.

    Notes
    -----
    NaN is a missing value, exactly: J has the known ones only, and ``reconstruct`` fills in the
    others. Few values known, or borders of a "full" image, give some atoms a smaller norm, which
    the coordinate steps take into account.

    Penalties that are not convex have many local solutions; FISTA starts from zero, and its
    certificate is that of a local solution.

    Filters that are not high-pass waste codes on slow changes of brightness; see
    :class:`TikhonovDetail`.

    References
    ----------
    Zeiler, Krishnan, Taylor and Fergus (2010), "Deconvolutional networks". Wohlberg (2016),
    "Efficient algorithms for convolutional sparse representations". Moreau, Oudre and Vayatis
    (2018), "DICOD: distributed convolutional coordinate descent", on coordinate descent over
    places. Johnson and Guestrin (2015), "Blitz", on working sets with gap certificates.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import ConvolutionalSparseCoder
    >>> filters = np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 1.0]])
    >>> x = np.zeros((1, 20))
    >>> x[0, 3:6] += 2 * filters[0]
    >>> x[0, 12:15] += filters[1]
    >>> coder = ConvolutionalSparseCoder(filters, alpha=0.1).fit(x)
    >>> Z, info = coder.encode(x, return_info=True)
    >>> Z.reshape(2, 18)[[0, 1], [3, 12]].round(2)
    array([1.95, 0.97])
    >>> bool(info.dual_gap_[0] <= 1e-4)
    True
    """

    _parameter_constraints: dict = {
        "dictionary": ["array-like", None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        dictionary=None,
        *,
        image_shape=None,
        n_channels=1,
        alpha=1.0,
        penalty="l1",
        positive=False,
        boundary="valid",
        solver="auto",
        tol=1e-4,
        max_iter=1000,
        sparse_output=False,
        n_jobs=None,
    ):
        self.dictionary = dictionary
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.alpha = alpha
        self.penalty = penalty
        self.positive = positive
        self.boundary = boundary
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Check the filters against the data; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, of which only the width and the names of the features matter.
        y : None
            Ignored.

        Returns
        -------
        self : ConvolutionalSparseCoder

        Raises
        ------
        ValueError
            If shapes do not fit together, or penalty and solver do not.
        """
        X = self._check_images(X, reset=True)
        image_shape = self._image_shape(X.shape[1])
        filters = self._given_filters(len(image_shape), X.dtype)
        geometry = self._make_geometry(image_shape, filters.shape[1:-1])
        coding = self._make_coding(len(filters), tol=self.tol, max_iter=self.max_iter)
        self.components_ = filters.reshape(len(filters), -1)
        self._geometry, self._coding = geometry, coding
        return self

    def _given_filters(self, n_axes, dtype):
        """Of shape (K, *filter_shape, n_channels)."""
        if self.dictionary is None:
            eye = np.eye(self.n_channels, dtype=dtype)
            return eye.reshape(self.n_channels, *(1,) * n_axes, self.n_channels)
        filters = check_array(
            self.dictionary, dtype=FLOATS, allow_nd=True, ensure_2d=False, input_name="dictionary"
        )
        if filters.ndim == n_axes + 1 and self.n_channels == 1:
            filters = filters[..., np.newaxis]
        if filters.ndim != n_axes + 2 or filters.shape[-1] != self.n_channels:
            lengths = "height, width" if n_axes == 2 else "length"
            wanted = f"(n_components, {lengths}, {self.n_channels})"
            raise ValueError(f"dictionary must have shape {wanted}, got {filters.shape}.")
        return filters
