"""Adaptive deconvolutional networks: every layer makes the image, through pools and switches."""

from numbers import Integral, Real

from joblib import effective_n_jobs

from sklvm._compat import Interval, StrOptions
from sklvm.base import generator_from
from sklvm.sparse_coding._image_shape import checked_image_shape
from sklvm.sparse_coding.dictionaries import BOUNDARIES
from sklvm.sparse_coding.layered._adaptive_coding import adaptive_plans, checked_pool_sizes
from sklvm.sparse_coding.layered._adaptive_model import AdaptiveModel
from sklvm.sparse_coding.layered._adaptive_training import AdaptiveTraining
from sklvm.sparse_coding.layered._deconvolutional_network import strengths
from sklvm.sparse_coding.layered._greedy_layers import GreedyOptions
from sklvm.sparse_coding.layered._layer_shapes import checked_filter_shapes, checked_sizes
from sklvm.sparse_coding.layered._layerwise_fit import LayerwiseFit

__all__ = ["AdaptiveDeconvolutionalNetwork"]


class AdaptiveDeconvolutionalNetwork(LayerwiseFit, AdaptiveModel):
    """Adaptive deconvolutional network: layers of filters, pools between them, images from each. ::

        min over F_l and z_l of  Σᵢ wᵢ [(λ_l / 2) ‖xᵢ − R_l z_il‖² + ‖z_il‖₁],
        R_l = F_1 U_1 F_2 U_2 … F_l,   ‖filters‖ ≤ 1,

    layer by layer. The maps of a layer are pooled: of each block of places and neighbouring maps
    only the entry of greatest magnitude is kept, and a *switch* says where it was. Unpooling U_l
    puts it back there. Every layer makes the image itself, not the maps below, through the
    switches that each image has on the layers below. Divided by λ_l the penalty is α_l = 1 / λ_l.

    Parameters
    ----------
    n_components : int or sequence of int, default=(8, 16)
        Numbers of filters, from the images up; an int is a single layer.
    filter_shape : int or sequence, default=None
        One int or tuple for all layers, or a list of one for each. None: 7 along each axis, or the
        maps below where these are smaller.
    pool_size : int, sequence or "auto", default="auto"
        (rows, columns, maps) of a block, or (length, maps) for signals; an int is that of the axes
        of images. One for all layers, or a list of one for each; blocks divide the maps. "auto": 2
        along the axes of images that it divides, on all layers but the last.
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals; None: signals of the data's width. Rows of X are
        images, flat, channels last.
    n_channels : int, default=1
        Values of a pixel of the images.
    data_weight : float, sequence of float or "auto", default="auto"
        λ_l, which weighs the data against the penalty: 1 / α_l. "auto": α_l is a tenth of the mean
        over images of max |R_lᵀ x|, at the filters that a layer starts with.
    positive : bool, default=False
        Whether z ≥ 0.
    boundary : {"valid", "full", "circular"}, default="full"
        Which places filters have; see :class:`LayeredSparseCoder`. "full": maps are larger than
        what they make by a filter less one.
    max_iter : int, default=20
        Greatest number of passes over the data for each layer.
    tol : float, default=1e-4
        A layer is done with a pass that lowers its mean objective by less than this part of that of
        zero codes. 0: only `max_iter` ends it.
    code_tol, code_max_iter : float, default=0.0 and int, default=10
        An image is done on a layer with that duality gap at its switches, or after so many steps of
        ISTA. By default there are ten steps, as in [1]_, however good the codes are by then.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int, default=None
        Blocks of rows at a time, −1 for as many as there are CPUs. Filters and codes are the same.
    verbose : int, default=0
        1 prints a line a pass.

    Attributes
    ----------
    components_ : list of ndarray of shape (n_components of a layer, n_taps)
        The filters, flat; channels, which are the pooled maps below, last.
    alphas_ : ndarray of shape (n_layers,)
        1 / λ_l.
    map_shapes_ : list of tuple of int
        Shape of the maps of each layer.
    pool_sizes_ : list of tuple of int
        Blocks along rows, columns and maps.
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
    DeconvolutionalNetwork : Without pools; each layer makes the maps below.

    Notes
    -----
    A step of ISTA through R_l is pooled and unpooled, which may change the switches of the layer.
    That is kept for an image where its objective falls; otherwise the step is taken at the switches
    that there are. Filters take steps of projected gradient to the minimum along them. So neither
    codes nor filters ever raise the objective.

    References
    ----------
    .. [1] Zeiler, Taylor and Fergus (2011), "Adaptive deconvolutional networks for mid and high
       level feature learning".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import AdaptiveDeconvolutionalNetwork
    >>> X = np.random.default_rng(0).standard_normal((3, 144))
    >>> network = AdaptiveDeconvolutionalNetwork(
    ...     (4, 6), filter_shape=3, pool_size=[2, 1], image_shape=(12, 12), tol=0.05,
    ...     random_state=0
    ... ).fit(X)
    >>> network.map_shapes_
    [(14, 14), (9, 9)]
    >>> codes, switches = network.encode(X)
    >>> [z.shape for z in codes], [s.shape for s in switches]
    ([(3, 784), (3, 486)], [(3, 7, 7, 4), (3, 9, 9, 6)])
    >>> again = network.inverse_transform(codes[1], switches=switches)
    >>> bool(np.allclose(again, network.reconstruct(X)))
    True
    """

    _tol_names = ("code_tol", "code_max_iter")
    warm_start = False  # layers are learned anew with each fit
    _parameter_constraints: dict = {
        "pool_size": [
            Interval(Integral, 1, None, closed="left"),
            "array-like",
            StrOptions({"auto"}),
        ],
        "image_shape": ["array-like", None],
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "data_weight": [
            Interval(Real, 0, None, closed="neither"),
            "array-like",
            StrOptions({"auto"}),
        ],
        "positive": ["boolean"],
        "boundary": [StrOptions(set(BOUNDARIES))],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_components=(8, 16),
        *,
        filter_shape=None,
        pool_size="auto",
        image_shape=None,
        n_channels=1,
        data_weight="auto",
        positive=False,
        boundary="full",
        max_iter=20,
        tol=1e-4,
        code_tol=0.0,
        code_max_iter=10,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.filter_shape = filter_shape
        self.pool_size = pool_size
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.data_weight = data_weight
        self.positive = positive
        self.boundary = boundary
        self.max_iter = max_iter
        self.tol = tol
        self.code_tol = code_tol
        self.code_max_iter = code_max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_parameters(self):
        super()._check_parameters()
        strengths(self.data_weight, len(checked_sizes(self.n_components)))

    def _start(self, X, weights):
        sizes = checked_sizes(self.n_components)
        shape = checked_image_shape(self.image_shape, self.n_channels, X.shape[1])
        filters = [None] * len(sizes)
        if self.filter_shape is not None:
            filters = checked_filter_shapes(self.filter_shape, len(sizes), shape, self.boundary)
        plans = adaptive_plans(
            sizes,
            filters,
            checked_pool_sizes(self.pool_size, len(sizes), len(shape)),
            shape,
            self.n_channels,
            self.boundary,
            strengths(self.data_weight, len(sizes)),
        )
        n_jobs = None if self.n_jobs is None else effective_n_jobs(self.n_jobs)
        options = GreedyOptions(self.positive, self.code_tol, self.code_max_iter, n_jobs, X.dtype)
        rng = generator_from(self.random_state)
        return AdaptiveTraining(plans, options, rng, max_passes=self.max_iter, tol=self.tol)

    def _fitted_attributes(self, learner):
        attributes = super()._fitted_attributes(learner)
        if learner.n_layers:
            attributes |= {"n_features_in_": learner.plans[0].geometry.n_features}
        return attributes
