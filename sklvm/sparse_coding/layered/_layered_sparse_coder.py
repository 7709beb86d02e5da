"""Sparse codes of sparse codes, on given dictionaries."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, _fit_context
from sklvm.sparse_coding._image_shape import checked_image_shape
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.sparse_coding.layered._layer_stack import layer_chain
from sklvm.sparse_coding.layered._layered_coding import LayeredCodingOptions
from sklvm.sparse_coding.layered._layered_model import LayeredModel

__all__ = ["LayeredSparseCoder", "MLPWeights"]


class MLPWeights(NamedTuple):
    """Weights as :class:`sklearn.neural_network.MLPClassifier` names and shapes them.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_inputs, n_units)
    intercepts_ : list of ndarray of shape (n_units,)
    """

    coefs_: list
    intercepts_: list


class LayeredSparseCoder(LayeredModel):
    """Sparse codes z_1 of data, z_2 of z_1, …, on given dictionaries D_1, D_2, ….

    - "thresholding": z_l = S_{α_l}(z_{l−1} D_lᵀ) with the soft threshold S and z_0 = x. For
      non-negative codes S is max(· − α, 0): a feed-forward network of rectified linear units,
      which ``as_mlp`` gives.
    - "pursuit": z_l = argmin ½‖z_{l−1} − z D_l‖² + α_l ‖z‖₁, layer by layer, each with a
      certificate.
    - "holistic": all layers at once, each an exact combination of the atoms of the next, ::

          min ½‖x − z_1 D_1‖² + Σ_l α_l ‖z_l‖₁   subject to   z_l = z_{l+1} D_{l+1}.

    - "constrained": codes that keep bounds on every layer, if there are any, ::

          ‖z_{l−1} − z_l D_l‖ ≤ ε_l   and   ‖z_l‖₁ ≤ μ_l.

    Parameters
    ----------
    layers : sequence of array-like, default=None
        The dictionaries, from the data up. One of shape (n_components, n_below) is dense, its rows
        atoms as long as the codes of the layer below. Filters on images or maps have shape
        (n_components, *filter_shape, n_channels), where the channels are the filters of the layer
        below; those of images of one channel may lack that axis. No filters can lie on a dense
        layer. None: a single layer, the identity, for which codes are shrunken data.
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals, where the first layer has filters. Rows of X are
        images, flat, channels last. None: all layers are dense.
    n_channels : int, default=1
        Values of a pixel of the images.
    alpha : float or sequence of float, default=1.0
        α_l, the strength of the penalty or the threshold, one for all layers or one for each.
    positive : bool, default=False
        Whether z ≥ 0.
    boundary : {"valid", "full", "circular"}, default="valid"
        Which places filters have: those at which they lie within what is below, those at which some
        of them does, or all, of images whose opposite borders meet.
    method : {"thresholding", "pursuit", "holistic", "constrained"}, default="pursuit"
        How codes are found.
    max_residual, max_norm : float or sequence of float, default=None
        ε_l and μ_l, which "constrained" needs; for the other methods ``encode`` reports whether
        their codes keep them.
    solver : {"auto", "admm", "ml_fista", "ml_ista", "primal_dual"}, default="auto"
        Of the holistic problem. "ml_ista" and "ml_fista" iterate the thresholding network; their
        fixed points are near the minimum, not at it, as the gap shows. "admm" writes the chain out
        as matrices and converges to the minimum; "primal_dual" does so for any chain, in more
        steps. "auto" is "admm" for up to 2,048 components on the last layer, and else "ml_fista"
        followed by "primal_dual".
    tol : float, default=1e-6
        Greatest relative duality gap with which a sample is done, or violation of its bounds.
    max_iter : int, default=10000
        Greatest number of iterations a sample.
    output : {"last", "all"}, default="last"
        Whether ``transform`` returns the codes of the last layer, or of all, side by side.
    n_jobs : int, default=None
        Number of threads, −1 for all CPUs; None: what OpenMP and joblib allow. Codes are the same.

    Attributes
    ----------
    components_ : list of ndarray of shape (n_components of a layer, n_taps)
        The dictionaries: atoms, or filters, flat.
    map_shapes_ : list of tuple of int or None
        Shape of the maps of each layer; None: it is dense.
    n_layers_ : int
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    LayeredDictionaryLearner : Learns the dictionaries.
    SparseCoder, ConvolutionalSparseCoder : A single layer.

    Notes
    -----
    Thresholding is one step of ISTA from zero, with a step size of 1, and a good approximation of
    pursuit only for dictionaries of little coherence; its codes need no scale of their own, and
    those of deep layers may be far too large. Reconstruct from pursuits.

    "constrained" is a convex problem in all codes together. Where it has no solution, that is
    proved by multipliers, row by row.

    References
    ----------
    Papyan, Romano and Elad (2017), "Convolutional neural networks analyzed via convolutional sparse
    coding", on layered thresholding and pursuit. Sulam, Aberdam, Beck and Elad (2020), "On
    multi-layer basis pursuit, efficient algorithms and convolutional neural networks", on the
    holistic problem, ML-ISTA and ML-FISTA.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import LayeredSparseCoder
    >>> edges = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    >>> corners = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    >>> X = np.array([[2.0, 2.0, 2.0, 2.0]])
    >>> coder = LayeredSparseCoder([edges, corners], alpha=0.1, positive=True).fit(X)
    >>> [z.round(2) for z in coder.encode(X)]
    [array([[1.95, 0.  , 1.95]]), array([[1.9, 0. ]])]
    >>> coder.inverse_transform(coder.transform(X)).round(2)
    array([[1.9, 1.9, 1.9, 1.9]])
    """

    _parameter_constraints: dict = {
        "layers": ["array-like", None],
        "max_residual": [Interval(Real, 0, None, closed="neither"), "array-like", None],
        "max_norm": [Interval(Real, 0, None, closed="neither"), "array-like", None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        layers=None,
        *,
        image_shape=None,
        n_channels=1,
        alpha=1.0,
        positive=False,
        boundary="valid",
        method="pursuit",
        max_residual=None,
        max_norm=None,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        output="last",
        n_jobs=None,
    ):
        self.layers = layers
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.alpha = alpha
        self.positive = positive
        self.boundary = boundary
        self.method = method
        self.max_residual = max_residual
        self.max_norm = max_norm
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.output = output
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Check the dictionaries against the data and each other; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, of which only the width and the names of the features matter.
        y : None
            Ignored.

        Returns
        -------
        self : LayeredSparseCoder

        Raises
        ------
        ValueError
            If the layers do not fit together, there is another number of strengths or bounds than
            of layers, or "constrained" has no bounds.
        """
        X = self._check_rows(X, reset=True)
        shape = self.image_shape
        if shape is not None:
            shape = checked_image_shape(shape, self.n_channels, X.shape[1])
        chain, components = layer_chain(
            self.layers, shape, self.n_channels, self.boundary, X.shape[1], X.dtype
        )
        options = LayeredCodingOptions.of(
            self, len(components), tol=self.tol, max_iter=self.max_iter
        )
        self.components_, self._chain, self._options = components, chain, options
        return self

    def as_mlp(self):
        """The rectified network that non-negative thresholding is.

        ``coefs_[l]`` is D_lᵀ and ``intercepts_[l]`` is −α_l: the hidden layers of a
        :class:`sklearn.neural_network.MLPClassifier` or ``MLPRegressor`` with ``activation="relu"``
        whose last hidden layer gives the codes.

        Returns
        -------
        weights : MLPWeights

        Raises
        ------
        ValueError
            If the coder was fitted with another method, codes may be negative, or a layer has
            filters, which such a network cannot share among places.
        """
        check_is_fitted(self)
        options = self._options
        if options.method != "thresholding" or not options.positive:
            raise ValueError(
                "Only method='thresholding' with positive=True is a network of rectified linear "
                f"units; this coder has method={options.method!r}, positive={options.positive}."
            )
        dense = [isinstance(layer, DenseDictionary) for layer in self._chain.layers]
        if not all(dense):
            raise ValueError(
                f"Layer {dense.index(False) + 1} has filters, and scikit-learn's networks have no "
                "convolutions."
            )
        dtypes = [D.dtype for D in self.components_]
        return MLPWeights(
            [D.T.copy() for D in self.components_],
            [
                np.full(len(D), -alpha, dtype=dtype)
                for D, alpha, dtype in zip(self.components_, options.alphas, dtypes, strict=True)
            ],
        )
