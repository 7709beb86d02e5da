"""Filters learned from images."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_array

from sklvm._compat import Interval, StrOptions
from sklvm.base import generator_from
from sklvm.sparse_coding._convolutional_expectation import ConvolutionalExpectation, Filters
from sklvm.sparse_coding._convolutional_model import ConvolutionalModel
from sklvm.sparse_coding._image_patches import initial_filters
from sklvm.sparse_coding._learned_dictionary_model import LearnedDictionaryModel
from sklvm.training import StatisticsTraining

__all__ = ["ConvolutionalDictionaryLearner"]

_DEFAULT_WIDTH = 8


class ConvolutionalDictionaryLearner(LearnedDictionaryModel, ConvolutionalModel):
    """Convolutional dictionary learning: the filters that give images sparse codes,.

    ::

        min over d and z of  Σᵢ wᵢ [½‖xᵢ − Σ_k d_k ∗ z_ik‖² + α · penalty(zᵢ)]
        subject to  ‖d_k‖₂ ≤ 1.

    All images are coded and then all filters updated, in turns, or online: a batch is coded, its
    statistics are added to those of the past, and the filters updated from both. The statistics
    are correlations of sparse maps, whose size depends on the filters alone. An update takes one
    filter after the other to its exact minimum in the unit ball.

    Parameters
    ----------
    n_components : int, default=32
        Number K of filters.
    filter_shape : tuple of int or int, default=None
        (height, width), or length of signals; None: 8 along each axis, or the image where that is
        smaller.
    image_shape : tuple of int, default=None
        (height, width), or (length,) of signals; None: signals of the data's width. Rows of X are
        images, flat, channels last.
    n_channels : int, default=1
        Values of a pixel; each filter has as many, and one map.
    alpha : float, default=1.0
        α, the strength of the penalty; see ``alpha_max`` for its scale.
    penalty : {"l1", "l0", "lq", "elastic_net"} or object, default="l1"
        See :class:`ConvolutionalSparseCoder`.
    positive, positive_dict : bool, default=False
        Whether z ≥ 0, and whether d ≥ 0.
    boundary : {"valid", "full", "circular"}, default="valid"
        See :class:`ConvolutionalSparseCoder`.
    batch_size : int, default=None
        Images that are coded between two updates; None: all of them.
    forgetting : float, default=5.0
        ρ ≥ 0 of online learning: after images of total weight t, those at weight s count (s / t)^ρ,
        for their codes are those of older filters. 0 forgets nothing.
    init : "data" or array-like of shape (n_components, *filter_shape, n_channels), default="data"
        Where filters start: at patches of the images, drawn at random in proportion to their
        energy, or at these.
    max_iter : int, default=100
        Greatest number of passes over the images.
    tol : float, default=1e-4
        Passes end with one that lowers the mean objective by less than this part of that of zero
        codes, the mean of ½‖x‖²; online with the third of them in a row. 0: only `max_iter` ends
        them.
    solver : {"auto", "working_set", "fista"}, default="auto"
        See :class:`ConvolutionalSparseCoder`.
    code_tol, code_max_iter : float, default=1e-2 and int, default=1000
        `tol` and `max_iter` of :class:`ConvolutionalSparseCoder`, which codes more precisely.
    shuffle : bool, default=True
        Whether each pass of online learning takes the images in a new order.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    sparse_output : bool, default=False
        Whether ``transform`` returns a CSR array.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int, default=None
        Workers among which the images of a batch are divided, −1 for all CPUs: threads, unless
        ``joblib.parallel_config`` says otherwise, such as loky or the processes of a dask cluster.
        None: that of joblib's configuration, and without one the threads that OpenMP allows. The
        filters are the same.
    verbose : int, default=0
        1 prints a line an iteration.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_taps)
        The filters, flat; a tap for each pixel and channel.
    filter_shape_ : tuple of int
        Of a filter, without channels.
    map_shape_ : tuple of int
        Of a map: the image less a filter and one, both together less one, or the image.
    history_ : dict of str to ndarray
        One value a pass: ``"objective"``, the weighted mean of the objective of the images, and
        ``"restarts"``, how many dead filters were replaced. Without batches that is the objective
        at the filters of the pass, and never increases, but for codes at the border of an image
        that cannot follow a filter which is moved. Online, each batch counts by the filters that it
        met.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``certificates`` (of the codes of the last full pass) and ``convergence``.
    n_iter_ : int
        Passes over the images.
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    ConvolutionalSparseCoder : Codes on given filters.
    DictionaryLearner : Atoms that are as large as the data.
    TikhonovDetail : Takes slow changes of brightness away, on which filters would be wasted.

    Notes
    -----
    Signs, order and places of filters are arbitrary: a filter that is moved within its frame does
    as well with maps that are moved the other way. One that would be cut off at the edge of its
    frame is moved to the middle.

    NaN is a missing value: codes and objective know the known ones only, and for an update the
    reconstruction stands in for the others, which never raises the objective.

    A filter that no code uses is dead. It restarts at the patch that is explained worst.

    References
    ----------
    Zeiler, Krishnan, Taylor and Fergus (2010), "Deconvolutional networks". Mairal, Bach, Ponce and
    Sapiro (2010), "Online learning for matrix factorization and sparse coding". Liu,
    Garcia-Cardona, Wohlberg and Yin (2018), "First- and second-order methods for online
    convolutional dictionary learning".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import ConvolutionalDictionaryLearner
    >>> rng = np.random.default_rng(0)
    >>> shapes = np.array([[1.0, 2.0, 3.0, 0.0], [2.0, -2.0, 2.0, -2.0]])
    >>> Z = rng.standard_normal((20, 2, 97)) * (rng.random((20, 2, 97)) < 0.05)
    >>> X = sum(np.apply_along_axis(np.convolve, 1, Z[:, k], shapes[k]) for k in (0, 1))
    >>> learner = ConvolutionalDictionaryLearner(2, filter_shape=4, alpha=0.5, random_state=0)
    >>> learner.fit(X).reconstruct(X).shape
    (20, 100)
    """

    _tol_names = ("code_tol", "code_max_iter")
    _min_rows = {"fit": 1, "partial_fit": 1}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "filter_shape": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "positive_dict": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "forgetting": [Interval(Real, 0, None, closed="left")],
        "init": [StrOptions({"data"}), "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "code_tol": [Interval(Real, 0, None, closed="left")],
        "code_max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components=32,
        *,
        filter_shape=None,
        image_shape=None,
        n_channels=1,
        alpha=1.0,
        penalty="l1",
        positive=False,
        positive_dict=False,
        boundary="valid",
        batch_size=None,
        forgetting=5.0,
        init="data",
        max_iter=100,
        tol=1e-4,
        solver="auto",
        code_tol=1e-2,
        code_max_iter=1000,
        shuffle=True,
        warm_start=False,
        sparse_output=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.filter_shape = filter_shape
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.alpha = alpha
        self.penalty = penalty
        self.positive = positive
        self.positive_dict = positive_dict
        self.boundary = boundary
        self.batch_size = batch_size
        self.forgetting = forgetting
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.code_tol = code_tol
        self.code_max_iter = code_max_iter
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.sparse_output = sparse_output
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    # -- fitting ----------------------------------------------------------------------------------

    def _coding_options(self):
        return self._make_coding(self.n_components, tol=self.code_tol, max_iter=self.code_max_iter)

    def _expectation(self, X):
        image_shape = self._image_shape(X.shape[1])
        if self.filter_shape is None:
            filter_shape = tuple(min(_DEFAULT_WIDTH, n) for n in image_shape)
        elif isinstance(self.filter_shape, Integral):
            filter_shape = (int(self.filter_shape),) * len(image_shape)
        else:
            filter_shape = tuple(int(n) for n in self.filter_shape)
        return ConvolutionalExpectation(
            n_components=self.n_components,
            geometry=self._make_geometry(image_shape, filter_shape),
            coding=self._coding_options(),
            positive=self.positive_dict,
            dtype=X.dtype,
        )

    def _start(self, X, weights):
        init = self.init
        if not isinstance(init, str):
            init = check_array(
                init, dtype=np.float64, allow_nd=True, ensure_2d=False, input_name="init"
            )
        model, rng = self._expectation(X), generator_from(self.random_state)
        filters = initial_filters(
            init,
            self._filters_shape(model),
            model.geometry,
            X,
            weights,
            positive=self.positive_dict,
            rng=rng,
        )
        return StatisticsTraining(
            model, Filters.start(filters), rng, forgetting=self.forgetting, n_jobs=self.n_jobs
        )

    def _continue(self, learner, X, weights):
        model, filters = self._expectation(X), learner.theta
        if self._filters_shape(model) != filters.taps.shape:
            n_components, *filter_shape, channels = filters.taps.shape
            raise ValueError(
                f"warm_start=True goes on from {n_components} filters of {tuple(filter_shape)} and "
                f"{channels} channels, which do not go with n_components={self.n_components}, "
                f"filter_shape={self.filter_shape}, n_channels={self.n_channels}. Set "
                "warm_start=False to start anew."
            )
        return learner.continued(
            model,
            filters._replace(taps=np.maximum(filters.taps, 0)) if self.positive_dict else filters,
            forgetting=self.forgetting,
            n_jobs=self.n_jobs,
        )

    def _filters_shape(self, model):
        geometry = model.geometry
        filter_shape = geometry.two_axes(geometry.filter_shape)
        return (self.n_components, *filter_shape, geometry.n_channels)

    def _results_of(self, local):
        return local.results

    def _fitted_attributes(self, learner):
        filters, model = learner.theta, learner.model
        return {
            **super()._fitted_attributes(learner),
            "n_features_in_": model.geometry.n_features,
            "components_": filters.components.astype(model.dtype),
            "_geometry": model.geometry,
            "_coding": model.coding,
        }
