"""Deconvolutional networks: layers of filters, each of the maps below."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_array

from sklvm._compat import Interval, StrOptions
from sklvm.sparse_coding._image_shape import checked_image_shape
from sklvm.sparse_coding.layered._greedy_layers import layer_plans
from sklvm.sparse_coding.layered._layer_shapes import checked_filter_shapes, checked_sizes
from sklvm.sparse_coding.layered._layer_stack import one_per_layer
from sklvm.sparse_coding.layered._stack_learner import StackLearner

__all__ = ["DeconvolutionalNetwork", "strengths"]


class DeconvolutionalNetwork(StackLearner):
    """Deconvolutional network: filters of images, of the maps of these filters, and so on. ::

        min over F_l and z_l of
        Σᵢ wᵢ [(λ_l / 2) Σ_c ‖z_i,l−1,c − Σ_k g_kc f_kc ∗ z_ilk‖² + ‖z_il‖₁]

    layer by layer from z_0 = x, with ‖f_k‖ ≤ 1 and a fixed pattern g of which filter makes which
    maps. Divided by λ_l it is the objective of :class:`ConvolutionalDictionaryLearner` on the maps
    below, with α_l = 1 / λ_l. Images are made of codes of any layer by chaining the filters.

    Parameters
    ----------
    n_components : int or sequence of int, default=(8, 16)
        Numbers of filters, from the images up; an int is a single layer.
    filter_shape : int or sequence, default=None
        One int or tuple for all layers, or a list of one for each. None: 5 along each axis, or the
        maps below where these are smaller.
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals; None: signals of the data's width. Rows of X are
        images, flat, channels last.
    n_channels : int, default=1
        Values of a pixel of the images.
    data_weight : float, sequence of float or "auto", default="auto"
        λ_l, which weighs the data against the penalty: 1 / α_l. "auto": α_l is a tenth of the mean
        norm of what a layer codes, which no product with an atom exceeds.
    connectivity : sequence of array-like or None, default=None
        g of each layer, of shape (n_components, n_channels) or None: true where a filter makes a
        map of the layer below. None: everywhere.
    positive : bool, default=False
        Whether z ≥ 0.
    boundary : {"valid", "full", "circular"}, default="full"
        Which places filters have; see :class:`LayeredSparseCoder`. "full": maps are larger than
        what they make by a filter less one.
    max_iter : int, default=100
        Greatest number of passes over the data for each layer.
    tol : float, default=1e-4
        A layer is done with a pass that lowers its mean objective by less than this part of that of
        zero codes. 0: only `max_iter` ends it.
    code_tol, code_max_iter : float, default=1e-2 and int, default=1000
        `tol` and `max_iter` of :class:`ConvolutionalSparseCoder`.
    output : {"last", "all"}, default="last"
        Whether ``transform`` returns the codes of the last layer, or of all, side by side.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int, default=None
        Blocks of rows at a time, −1 for as many as there are CPUs. Filters and codes are the same.
    verbose : int, default=0
        1 prints a line a pass.

    Attributes
    ----------
    components_ : list of ndarray of shape (n_components of a layer, n_taps)
        The filters, flat; channels last.
    alphas_ : ndarray of shape (n_layers,)
        1 / λ_l.
    map_shapes_ : list of tuple of int
        Shape of the maps of each layer.
    n_layers_ : int
        Fewer than asked for where the fit was interrupted.
    history_ : dict of str to ndarray
        One value a pass: ``"layer"``, and ``"objective_1"``, ``"objective_2"``, … while that layer
        was learned, or ``"objective"`` of the last layer. None of them rises.
    n_iter_ : int
        Passes over the data.
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    AdaptiveDeconvolutionalNetwork : Pools maps, and makes the image from every layer.
    LayeredDictionaryLearner : The same layers, refined together.

    Notes
    -----
    Codes are found by coordinate descent with a duality gap, and filters go to their exact minima,
    where the paper splits quadratically and takes gradient steps.

    References
    ----------
    Zeiler, Krishnan, Taylor and Fergus (2010), "Deconvolutional networks".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import DeconvolutionalNetwork
    >>> X = np.random.default_rng(0).standard_normal((4, 100))
    >>> network = DeconvolutionalNetwork(
    ...     (3, 4), filter_shape=3, image_shape=(10, 10), max_iter=5, tol=1e-2, random_state=0
    ... ).fit(X)
    >>> network.map_shapes_
    [(12, 12), (14, 14)]
    >>> network.projections(layer=2).shape
    (4, 5, 5, 1)
    """

    warm_start = False  # layers are learned anew with each fit
    _parameter_constraints: dict = {
        "data_weight": [
            Interval(Real, 0, None, closed="neither"),
            "array-like",
            StrOptions({"auto"}),
        ],
        "connectivity": ["array-like", None],
    }

    def __init__(
        self,
        n_components=(8, 16),
        *,
        filter_shape=None,
        image_shape=None,
        n_channels=1,
        data_weight="auto",
        connectivity=None,
        positive=False,
        boundary="full",
        max_iter=100,
        tol=1e-4,
        code_tol=1e-2,
        code_max_iter=1000,
        output="last",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.filter_shape = filter_shape
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.data_weight = data_weight
        self.connectivity = connectivity
        self.positive = positive
        self.boundary = boundary
        self.max_iter = max_iter
        self.tol = tol
        self.code_tol = code_tol
        self.code_max_iter = code_max_iter
        self.output = output
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def reconstruct(self, X, *, layer=None):
        """Images as the codes of a layer have them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        layer : int, default=None
            From 1; None: the last.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        codes = self.encode(X)
        index = self._layer_index(layer)
        Z = codes[index]
        for dictionary in self._chain.layers[index::-1]:
            Z = dictionary.synthesize(Z)
        return Z.astype(codes[0].dtype, copy=False)

    def _are_near(self, X):
        # Coordinate steps do not end where α is below the rounding of what they work on.
        alpha = self._options.alphas[0]
        rounding = np.finfo(np.float64).eps * np.abs(X).max(axis=1)
        return super()._are_near(X) & ((rounding < alpha) | (alpha == 0))

    def _check_parameters(self):
        super()._check_parameters()
        strengths(self.data_weight, len(checked_sizes(self.n_components)))

    def _plans(self, X):
        sizes = checked_sizes(self.n_components)
        shape = checked_image_shape(self.image_shape, self.n_channels, X.shape[1])
        filters = checked_filter_shapes(self.filter_shape, len(sizes), shape, self.boundary)
        if None in filters:
            raise ValueError(
                f"filter_shape must have a shape for each layer, got {self.filter_shape!r}."
            )
        return layer_plans(
            sizes,
            filters,
            shape,
            self.n_channels,
            self.boundary,
            X.shape[1],
            strengths(self.data_weight, len(sizes)),
            _connectivity(self.connectivity, sizes, self.n_channels),
        )

    def _coding_method(self, params):
        return "pursuit", "auto"


def strengths(data_weight, n_layers):
    """α_l = 1 / λ_l, or "auto".

    Raises
    ------
    ValueError
        For another number of them, and for λ that are not positive.
    """
    if isinstance(data_weight, str):
        return data_weight
    return 1 / one_per_layer(data_weight, n_layers, "data_weight", positive=True)


def _connectivity(connectivity, sizes, n_channels):
    """A mask for each layer, or None."""
    if connectivity is None:
        return None
    if len(connectivity) != len(sizes):
        raise ValueError(
            f"connectivity must have a pattern, or None, for each of the {len(sizes)} layers, got "
            f"{len(connectivity)}."
        )
    masks = []
    for i, (pattern, size) in enumerate(zip(connectivity, sizes, strict=True)):
        shape = size, n_channels if i == 0 else sizes[i - 1]
        if pattern is None:
            masks.append(None)
            continue
        mask = check_array(pattern, dtype=bool, input_name=f"connectivity[{i}]")
        if mask.shape != shape or not mask.any(axis=1).all():
            raise ValueError(
                f"connectivity[{i}] must have shape {shape}, and be true somewhere for each filter."
            )
        masks.append(np.array(mask))
    return masks
