"""Stacks of dictionaries learned from data."""

from functools import partial
from numbers import Real

from sklvm._compat import Interval, StrOptions
from sklvm.sparse_coding._image_shape import checked_image_shape
from sklvm.sparse_coding.layered._greedy_layers import layer_plans
from sklvm.sparse_coding.layered._holistic_refinement import HolisticRefinement
from sklvm.sparse_coding.layered._layer_shapes import checked_filter_shapes, checked_sizes
from sklvm.sparse_coding.layered._layer_stack import one_per_layer
from sklvm.sparse_coding.layered._stack_learner import StackLearner

__all__ = ["LayeredDictionaryLearner"]


class LayeredDictionaryLearner(StackLearner):
    """Layered dictionary learning: dictionaries of data, of their codes, and of the codes of those.

    Layer by layer a dictionary is learned that gives the codes below it sparse codes, as
    :class:`DictionaryLearner` and :class:`ConvolutionalDictionaryLearner` do. For holistic codes
    all layers are then refined together, ::

        min over D_1, …, D_K and z of  Σᵢ wᵢ [½‖xᵢ − γ_i0‖² + Σ_l α_l ‖γ_il‖₁],
        γ_iK = zᵢ,   γ_i,l−1 = γ_il D_l,   subject to atoms of norm at most 1.

    Parameters
    ----------
    n_components : int or sequence of int, default=(64, 32)
        Numbers of atoms or filters, from the data up; an int is a single
        layer.
    filter_shape : int or sequence, default=None
        With ``image_shape``, the filters of each layer: one int or tuple for all layers, or a list
        of one for each, in which None is a dense layer. None: 5 along each axis, or the maps below
        where these are smaller. Without ``image_shape`` all layers are dense.
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals, where layers have filters. Rows of X are images,
        flat, channels last. None: all layers are dense.
    n_channels : int, default=1
        Values of a pixel of the images.
    alpha : float, sequence of float or "auto", default="auto"
        α_l, the strength of the penalty, one for all layers or one for each. "auto": a tenth of the
        mean norm of what a layer codes, which no product with an atom exceeds.
    positive : bool, default=False
        Whether z ≥ 0.
    boundary : {"valid", "full", "circular"}, default="valid"
        Which places filters have; see :class:`LayeredSparseCoder`.
    method : {"thresholding", "pursuit", "holistic"}, default="holistic"
        How codes are found, see :class:`LayeredSparseCoder`. Layers are refined together for
        "holistic" only, whose objective that is.
    max_iter : int, default=100
        Greatest number of passes over the data for each layer, and of steps of all together.
    tol : float, default=1e-4
        A layer, and the refinement, is done with a pass that lowers its mean objective by less than
        this part of that of zero codes. 0: only `max_iter` ends them.
    solver : {"auto", "admm", "ml_fista", "ml_ista", "primal_dual"}, default="auto"
        Of the holistic problem; see :class:`LayeredSparseCoder`.
    code_tol, code_max_iter : float, default=1e-4 and int, default=10000
        `tol` and `max_iter` of :class:`LayeredSparseCoder`.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    output : {"last", "all"}, default="last"
        Whether ``transform`` returns the codes of the last layer, or of all, side by side.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int, default=None
        Blocks of rows at a time, −1 for as many as there are CPUs. Dictionaries and codes are the
        same.
    verbose : int, default=0
        1 prints a line a pass.

    Attributes
    ----------
    components_ : list of ndarray of shape (n_components of a layer, n_taps)
        The dictionaries: atoms, or filters, flat.
    alphas_ : ndarray of shape (n_layers,)
        α_l.
    map_shapes_ : list of tuple of int or None
        Shape of the maps of each layer; None: it is dense.
    n_layers_ : int
        Fewer than asked for where the fit was interrupted.
    history_ : dict of str to ndarray
        One value a pass: ``"layer"``, and ``"objective_1"``, ``"objective_2"``, … while that layer
        was learned, or ``"objective"`` of the last layer or of all together. None of them rises.
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
    LayeredSparseCoder : Codes on given dictionaries.
    DeconvolutionalNetwork : Layers of filters, with maps that are as large as what they make.

    Notes
    -----
    A warm start goes on with the refinement of all layers together.

    The gradient of the holistic objective in the dictionaries is that of its Lagrangian at the
    multipliers of the codes. A step along it is made only where the objective falls.

    References
    ----------
    Sulam, Papyan, Romano and Elad (2018), "Multilayer convolutional sparse modeling: pursuit and
    dictionary learning". Sulam, Aberdam, Beck and Elad (2020), "On multi-layer basis pursuit,
    efficient algorithms and convolutional neural networks".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import LayeredDictionaryLearner
    >>> X = np.random.default_rng(0).standard_normal((50, 8))
    >>> learner = LayeredDictionaryLearner((12, 10), max_iter=10, tol=1e-2, random_state=0).fit(X)
    >>> [D.shape for D in learner.components_]
    [(12, 8), (10, 12)]
    >>> bool((np.diff(learner.history_["objective"][-2:]) <= 0).all())
    True
    """

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like", StrOptions({"auto"})],
        "method": [StrOptions({"thresholding", "pursuit", "holistic"})],
    }

    def __init__(
        self,
        n_components=(64, 32),
        *,
        filter_shape=None,
        image_shape=None,
        n_channels=1,
        alpha="auto",
        positive=False,
        boundary="valid",
        method="holistic",
        max_iter=100,
        tol=1e-4,
        solver="auto",
        code_tol=1e-4,
        code_max_iter=10_000,
        warm_start=False,
        output="last",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.filter_shape = filter_shape
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.alpha = alpha
        self.positive = positive
        self.boundary = boundary
        self.method = method
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.code_tol = code_tol
        self.code_max_iter = code_max_iter
        self.warm_start = warm_start
        self.output = output
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_parameters(self):
        super()._check_parameters()
        sizes = checked_sizes(self.n_components)
        if not isinstance(self.alpha, str):
            alphas = one_per_layer(self.alpha, len(sizes), "alpha")
            if self.method == "holistic" and not alphas[-1] > 0:
                raise ValueError(
                    "method='holistic' needs a positive alpha on the last layer, got "
                    f"alpha={self.alpha!r}."
                )

    def _plans(self, X):
        sizes = checked_sizes(self.n_components)
        shape = self.image_shape
        if shape is not None:
            shape = checked_image_shape(shape, self.n_channels, X.shape[1])
        filters = checked_filter_shapes(self.filter_shape, len(sizes), shape, self.boundary)
        return layer_plans(
            sizes, filters, shape, self.n_channels, self.boundary, X.shape[1], self.alpha
        )

    def _coding_method(self, params):
        return params["method"], params["solver"]

    def _refinement(self):
        if self.method != "holistic":
            return None
        return partial(
            HolisticRefinement.start,
            positive=self.positive,
            solver=self.solver,
            tol=self.code_tol,
            max_iter=self.code_max_iter,
        )
