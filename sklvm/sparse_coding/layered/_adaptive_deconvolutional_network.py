"""Adaptive deconvolutional networks: every layer makes the image, through pools and switches."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm._warnings import warn
from sklvm.base import (
    FLOATS,
    LatentVariableModel,
    check_data,
    check_latent_rows,
    generator_from,
    has_finite_squares,
)
from sklvm.sparse_coding._image_shape import checked_image_shape
from sklvm.sparse_coding.dictionaries import BOUNDARIES
from sklvm.sparse_coding.layered._adaptive_coding import (
    adaptive_plans,
    checked_pool_sizes,
    encode_images,
)
from sklvm.sparse_coding.layered._adaptive_training import AdaptiveTraining, pooled_layer
from sklvm.sparse_coding.layered._deconvolutional_network import strengths
from sklvm.sparse_coding.layered._greedy_layers import GreedyOptions
from sklvm.sparse_coding.layered._layer_shapes import checked_filter_shapes, checked_sizes
from sklvm.sparse_coding.layered._layerwise_fit import LayerwiseFit
from sklvm.sparse_coding.layered._pooling import middle_switches
from sklvm.sparse_coding.layered._switched_chain import SwitchedChain

__all__ = ["AdaptiveCodingInfo", "AdaptiveDeconvolutionalNetwork"]


@dataclass(frozen=True)
class AdaptiveCodingInfo:
    """How good the codes of an adaptive deconvolutional network are.

    Attributes
    ----------
    objective_ : ndarray of shape (n_samples, n_layers)
        ½‖x − R_l z_l‖² + α_l ‖z_l‖₁.
    dual_gap_ : ndarray of shape (n_samples, n_layers)
        Duality gap of the lasso at the switches that there are, relative to the objective. Other
        switches may be better.
    n_iter_ : ndarray of int, shape (n_samples, n_layers)
    """

    objective_: np.ndarray
    dual_gap_: np.ndarray
    n_iter_: np.ndarray


class AdaptiveDeconvolutionalNetwork(LayerwiseFit, LatentVariableModel):
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

    # -- coding -----------------------------------------------------------------------------------

    def transform(self, X, *, layer=None):
        """Codes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        layer : int, default=None
            The layer whose codes are wanted, from 1; None: the last.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components * n_places)
            Map after map, at most one entry of each block nonzero.
        """
        X = self._checked(X)
        index = self._layer_index(layer)
        return self._codes_of(self._infer(X, index + 1)[-1]).astype(X.dtype, copy=False)

    def encode(self, X, *, return_info=False):
        """Codes of X on all layers, and where in their blocks they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        return_info : bool, default=False
            Whether to return objectives and certificates too.

        Returns
        -------
        codes : list of ndarray of shape (n_samples, n_components * n_places)
        switches : list of ndarray of int, shape (n_samples, rows, columns, maps)
            Of the pools of each layer: which entry of a block, in lexicographic order.
        info : AdaptiveCodingInfo
            If `return_info`.
        """
        X = self._checked(X)
        inferred = self._infer(X)
        codes = [self._codes_of(found).astype(X.dtype, copy=False) for found in inferred]
        switches = [found.switches for found in inferred]
        if not return_info:
            return codes, switches
        columns = zip(*((f.objectives, f.certificates, f.n_iter) for f in inferred), strict=True)
        return codes, switches, AdaptiveCodingInfo(*(np.stack(c, axis=1) for c in columns))

    def inverse_transform(self, Z, *, layer=None, switches=None):
        """Images of codes: R_l z.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components * n_places)
            Codes.
        layer : int, default=None
            The layer that they are codes of, from 1; None: the last.
        switches : list of ndarray, default=None
            As ``encode`` returns them; those of the layers below count. None: entries are put into
            the middle of their blocks, which makes poorer images. ``reconstruct`` has each image's
            own.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        index = self._layer_index(layer)
        plan = self._training.plans[index]
        width = plan.n_components * plan.geometry.n_places
        Z = check_latent_rows(self, Z, width)
        below = self._training.plans[:index]
        if switches is None:
            switches = [middle_switches((len(Z), *p.pooled), p.pool_size) for p in below]
        else:
            switches = [np.asarray(s) for s in switches[:index]]
            for number, (s, p) in enumerate(zip(switches, below, strict=False), 1):
                n_entries = int(np.prod(p.pool_size))
                if s.shape != (len(Z), *p.pooled) or s.min() < 0 or s.max() >= n_entries:
                    raise ValueError(
                        f"The switches of layer {number} must have shape {(len(Z), *p.pooled)} and "
                        f"be from 0 to below {n_entries}, got shape {s.shape}."
                    )
            if len(switches) < index:
                raise ValueError(
                    f"Codes of layer {index + 1} need switches of {index} layers, got "
                    f"{len(switches)}."
                )
        rows, columns, n_maps = plan.maps_shape
        maps = Z.astype(np.float64).reshape(len(Z), n_maps, rows, columns).transpose(0, 2, 3, 1)
        images = self._chain(index, switches).synthesize(maps)
        return images.reshape(len(Z), -1).astype(Z.dtype, copy=False)

    def reconstruct(self, X, *, layer=None):
        """Images as the codes of a layer have them, through the switches of each image.

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
        X = self._checked(X)
        index = self._layer_index(layer)
        inferred = self._infer(X, index + 1)
        chain = self._chain(index, [found.switches for found in inferred[:-1]])
        return chain.synthesize(inferred[-1].maps).reshape(len(X), -1).astype(X.dtype, copy=False)

    def strongest(self, X, *, layer=None):
        """What each feature stands for where it is strongest, in pixels.

        Of each map of a layer the entry of greatest magnitude among all images is projected to
        pixels alone, through the switches of its image: the pictures of [1]_.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        layer : int, default=None
            From 1; None: the last.

        Returns
        -------
        projections : ndarray of shape (n_components, n_features)
            Zero for a feature that no image has.
        rows : ndarray of int, shape (n_components,)
            The image that each is from.
        """
        X = self._checked(X)
        index = self._layer_index(layer)
        inferred = self._infer(X, index + 1)
        maps = inferred[-1].maps
        n, n_maps = len(maps), maps.shape[-1]
        flat = maps.reshape(n, -1, n_maps)
        sizes = np.abs(flat).max(axis=1)
        images = sizes.argmax(axis=0)
        alone = np.zeros((n_maps, *flat.shape[1:]))
        for k, image in enumerate(images):
            place = np.abs(flat[image, :, k]).argmax()
            alone[k, place, k] = flat[image, place, k]
        switches = [found.switches[images] for found in inferred[:-1]]
        pictures = self._chain(index, switches).synthesize(alone.reshape(n_maps, *maps.shape[1:]))
        return pictures.reshape(n_maps, -1).astype(X.dtype, copy=False), images

    def score_samples(self, X):
        """Minus the objective of the last layer: greater where a few features explain an image.

        Scores are **not comparable across** strengths or networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            −∞ for a row so far away that its squares overflow.
        """
        X = self._checked(X)
        scores = np.full(len(X), -np.inf, dtype=X.dtype)
        if (near := has_finite_squares(X)).any():
            scores[near] = -self._infer(X if near.all() else X[near])[-1].objectives
        return scores

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-density, and ranks the rows by one model only."""
        check_is_fitted(self)
        return False

    @property
    def n_layers_(self):
        check_is_fitted(self)
        return self._training.n_layers

    @property
    def map_shapes_(self):
        check_is_fitted(self)
        return [p.geometry.map_shape for p in self._training.plans[: self.n_layers_]]

    @property
    def pool_sizes_(self):
        check_is_fitted(self)
        return [p.pool_size for p in self._training.plans[: self.n_layers_]]

    def _checked(self, X):
        check_is_fitted(self)
        return self._check_rows(X)

    def _layers(self):
        training = self._training
        pairs = zip(training.components, training.plans, strict=False)
        return [pooled_layer(D, plan) for D, plan in pairs]

    def _chain(self, index, switches):
        return SwitchedChain(self._layers()[: index + 1], switches)

    def _infer(self, X, n_layers=None):
        options = self._training.options
        layers = self._layers()[:n_layers]
        plans = self._training.plans[: len(layers)]
        geometry = plans[0].geometry
        shape = geometry.two_axes(geometry.image_shape)
        inferred = encode_images(
            layers,
            plans,
            np.asarray(X, dtype=np.float64).reshape(len(X), *shape, -1),
            positive=options.positive,
            tol=options.tol,
            max_iter=options.max_iter,
            n_threads=options.n_threads,
        )
        if options.tol > 0:
            worst = np.max([found.certificates for found in inferred], axis=0)
            if (unfinished := worst > options.tol).any():
                warn(
                    f"{unfinished.sum()} of {len(X)} samples did not reach "
                    f"code_tol={options.tol} in code_max_iter={options.max_iter} iterations.",
                    ConvergenceWarning,
                )
        return inferred

    @staticmethod
    def _codes_of(found):
        return found.maps.transpose(0, 3, 1, 2).reshape(len(found.maps), -1)

    def _layer_index(self, layer):
        n_layers = self.n_layers_
        if layer is None:
            return n_layers - 1
        if not isinstance(layer, Integral) or isinstance(layer, bool) or not 1 <= layer <= n_layers:
            raise ValueError(f"layer must be an integer from 1 to {n_layers}, got {layer!r}.")
        return int(layer) - 1

    @property
    def _n_features_out(self):
        plan = self._training.plans[self.n_layers_ - 1]
        return plan.n_components * plan.geometry.n_places

    # -- fitting ----------------------------------------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        strengths(self.data_weight, len(checked_sizes(self.n_components)))

    def _check_rows(self, X, *, reset=False, **options):
        squares = None if reset else "float64"
        return check_data(self, X, squares=squares, dtype=FLOATS, reset=reset, **options)

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
