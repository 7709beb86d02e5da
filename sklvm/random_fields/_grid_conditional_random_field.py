"""Conditional random fields of label images."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, validate_data

from sklvm._compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    _check_sample_weight,
    _fit_context,
)
from sklvm._warnings import warn
from sklvm.base import PackageMixin, generator_from
from sklvm.objectives import (
    ContrastiveDivergence,
    MaximumLikelihood,
    PersistentContrastiveDivergence,
    PseudoLikelihood,
)
from sklvm.random_fields._grid_decoding import GridDecodingMixin
from sklvm.random_fields._grid_features import contrast_scale, edge_features, site_features
from sklvm.random_fields._grid_potentials import GridPotentials
from sklvm.random_fields._grid_training import train
from sklvm.random_fields._label_images import LabelImages, check_grid
from sklvm.random_fields.inference import INFERENCES, Inference
from sklvm.settings import StringShorthandMixin, resolve
from sklvm.training import EpochCallbacks, Monitor

__all__ = ["GridConditionalRandomField"]

OBJECTIVES = {
    "pseudo_likelihood": PseudoLikelihood,
    "mle": MaximumLikelihood,
    "cd": ContrastiveDivergence,
    "pcd": PersistentContrastiveDivergence,
}


class GridConditionalRandomField(
    StringShorthandMixin,
    GridDecodingMixin,
    ClassifierMixin,
    PackageMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Labels of the pixels of an image, each depending on its features and its neighbours.

    ::

        P(y|x) = exp(Σ_s (W f_s + b)(y_s) + Σ_{s~t} c_st(y_s, y_t)) / Z(x)
        Potts:  c_st(a, b) = −[a ≠ b] Σ_k θ_k g_k(s, t)
        full:   c_st(a, b) = Σ_k A_k(a, b) g_k(s, t)

    f are the features of a pixel, g those of an edge: 1, and with ``contrast`` also
    exp(−‖x_s − x_t‖² / 2σ²), so that labels may change where the image does. Weights are learned
    from label images; pixels may be unlabelled.

    Parameters
    ----------
    image_shape : tuple of int, default=None
        (height, width); None: a line of as many pixels as y has columns.
    n_channels : int, default=None
        Channels of X at each pixel, which come last; None: as many as X has columns for.
    n_labels : int, default=None
        Labels are then 0 to n_labels − 1; None: those that occur in y.
    neighbourhood : {4, 8}, default=4
        Neighbours on the grid: without or with the diagonal ones.
    pairwise : {"potts", "full"}, default="potts"
        "potts": different neighbours cost the same, whatever they are. "full": a table label ×
        label for each direction.
    contrast : bool, default=False
        Whether edges have the second feature, of the contrast between their pixels. σ² is the mean
        of ‖x_s − x_t‖² over the edges of the training images.
    features : transformer, default=None
        From rows of X to the features of pixels, channels last, fitted on X; None: the channels.
    objective : {"mle", "pseudo_likelihood", "cd", "pcd"} or the object of one, default="mle"
        What training maximises. "mle" is the likelihood: exact where ``Exact`` can sum over the
        grid, else with log Z and its gradient by ``inference``, for "auto" the bound of
        tree-reweighted belief propagation. "pseudo_likelihood" is faster by far, and finds too
        strong a coupling where neighbours are almost always alike; ``coupling_alpha`` weakens it.
        "cd" and "pcd" draw labels: a chain for each image, of ``n_steps`` sweeps an update; other
        parameters of the objects do not matter here.
    inference : str or Inference, default="auto"
        How labels, probabilities and log Z are inferred: "exact", "belief_propagation",
        "mean_field", "graph_cut", "icm", "gibbs", or an object of
        ``sklvm.random_fields.inference``. "auto": exact where it can be; for labels then graph cuts
        where the energy is submodular; belief propagation else.
    decision : {"energy", "marginal"}, default="energy"
        ``predict`` gives the image of least energy, or each pixel's most probable label. The second
        has the fewest wrong pixels to be expected.
    alpha : float, default=1.0
        Strength of the penalty alpha ‖W‖² / 2, next to a sum over pixels.
    coupling_alpha : float, default=None
        The same of θ or A; None: ``alpha``.
    learning_rate : float, default=0.05
        Of Adam, for "cd" and "pcd"; it falls to 0 linearly.
    batch_size : int, default=10
        Images an update, for "cd" and "pcd".
    max_iter : int, default=200
        Iterations of L-BFGS, or passes over the images ("cd", "pcd").
    tol : float, default=1e-6
        L-BFGS ends where no entry of the gradient of the criterion, a pixel, is larger.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random, in a fit and in inference.
    verbose : int, default=0
        1 prints a line an iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (n_labels,)
        The labels.
    coef_ : ndarray of shape (n_labels, n_pixel_features)
        W.
    intercept_ : ndarray of shape (n_labels,)
        b.
    coupling_ : ndarray of shape (n_edge_features,)
        θ, positive where neighbours tend to be alike. "full": A, of shape (n_directions,
        n_edge_features, n_labels, n_labels), for right, down, down right, down left.
    image_shape_ : tuple of int
        (height, width).
    n_channels_ : int
        Channels of X at each pixel.
    contrast_scale_ : float
        σ²; with ``contrast`` alone.
    features_ : transformer
        The fitted ``features``, where there are such.
    history_ : dict of str to ndarray
        ``"objective"`` after each iteration; empty for "cd" and "pcd", which have no value.
    n_iter_ : int
        Iterations made.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    ChainConditionalRandomField : Sequences of any lengths.

    Notes
    -----
    An image of one pixel is a row by itself: with y of shape (n_samples,) the model is multinomial
    logistic regression.

    References
    ----------
    Kumar and Hebert (2006), "Discriminative random fields", IJCV 68. Boykov and Jolly (2001),
    "Interactive graph cuts", ICCV, for the contrast.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import GridConditionalRandomField
    >>> rng = np.random.default_rng(0)
    >>> corners = rng.integers(2, size=(30, 2, 2))
    >>> y = np.kron(corners, np.ones((4, 4), dtype=int)).reshape(30, 64)  # of an 8 × 8 image
    >>> X = y + 0.8 * rng.standard_normal(y.shape)
    >>> model = GridConditionalRandomField((8, 8)).fit(X[:20], y[:20])
    >>> bool(model.score(X[20:], y[20:]) > 0.9)
    True
    >>> float(np.mean((X[20:] > 0.5) == y[20:]).round(2))  # pixel by pixel
    0.74
    """

    _shorthands = {"objective": OBJECTIVES, "inference": INFERENCES}
    _parameter_constraints: dict = {
        "image_shape": ["array-like", None],
        "n_channels": [Interval(Integral, 1, None, closed="left"), None],
        "n_labels": [Interval(Integral, 1, None, closed="left"), None],
        "neighbourhood": [StrOptions(set()), Interval(Integral, 4, 8, closed="both")],
        "pairwise": [StrOptions({"potts", "full"})],
        "contrast": ["boolean"],
        "features": [HasMethods(["fit", "transform"]), None],
        "objective": [StrOptions(set(OBJECTIVES)), *OBJECTIVES.values()],
        "inference": [StrOptions({"auto", *INFERENCES}), Inference],
        "decision": [StrOptions({"energy", "marginal"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "coupling_alpha": [Interval(Real, 0, None, closed="left"), None],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        image_shape=None,
        *,
        n_channels=None,
        n_labels=None,
        neighbourhood=4,
        pairwise="potts",
        contrast=False,
        features=None,
        objective="mle",
        inference="auto",
        decision="energy",
        alpha=1.0,
        coupling_alpha=None,
        learning_rate=0.05,
        batch_size=10,
        max_iter=200,
        tol=1e-6,
        random_state=None,
        verbose=0,
    ):
        self.image_shape = image_shape
        self.n_channels = n_channels
        self.n_labels = n_labels
        self.neighbourhood = neighbourhood
        self.pairwise = pairwise
        self.contrast = contrast
        self.features = features
        self.objective = objective
        self.inference = inference
        self.decision = decision
        self.alpha = alpha
        self.coupling_alpha = coupling_alpha
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting ----------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Learn the weights from label images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
            Images, channels last. They are computed with in float64.
        y : array-like of shape (n_samples, height * width) or (n_samples,)
            Labels of the pixels; −1: unlabelled (numbers alone). A vector: images of one pixel.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the images.

        Returns
        -------
        self : GridConditionalRandomField

        Raises
        ------
        ValueError
            For labels out of range, shapes that do not fit, ``objective="mle"`` on a grid that is
            too wide, or ``decision="marginal"`` with an inference that has no probabilities.
        """
        self._check_parameters()
        X, y = self._check_training_data(X, y)
        coder = LabelImages.of(y, self.n_labels)
        n_sites = 1 if y.ndim == 1 else y.shape[1]
        image_shape, n_channels = check_grid(self.image_shape, self.n_channels, X.shape[1], n_sites)
        labels = coder.encode(y, (len(X), n_sites))
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        state = {"classes_": coder.classes, "image_shape_": image_shape, "n_channels_": n_channels}
        images = X.astype(np.float64, copy=False)
        if self.features is not None:
            state["features_"] = clone(self.features).fit(images)
        if self.contrast:
            state["contrast_scale_"] = contrast_scale(
                images, image_shape, n_channels, self.neighbourhood
            )
        of_sites = site_features(images, n_sites, state.get("features_"))
        potentials = GridPotentials(
            image_shape,
            self.neighbourhood,
            len(coder.classes),
            of_sites.shape[2],
            1 + self.contrast,
            self.pairwise,
        )
        of_edges = edge_features(images, potentials.graph, n_channels, state.get("contrast_scale_"))
        monitor = Monitor(
            tol=0,
            patience=1,
            verbose=self.verbose,
            owner=type(self).__name__,
            max_iter=self.max_iter,
        )

        rng = generator_from(self.random_state)
        inference_seed = int(rng.integers(2**31))
        inference = clone(self.inference, safe=False)

        def fitted(theta):
            parts = {k: v.astype(X.dtype) for k, v in potentials.layout.views(theta).items()}
            return {
                **state,
                "_coder": coder,
                "_potentials": potentials,
                "_theta": theta.copy(),
                "_inference_seed": inference_seed,
                "_fitted_decision": self.decision,
                "_fitted_inference": inference,
                "coef_": np.ascontiguousarray(parts["weights"].T),
                "intercept_": parts["intercept"],
                "coupling_": parts["coupling"],
                "n_features_in_": X.shape[1],
            }

        theta, message = train(
            self,
            potentials,
            (of_sites, of_edges, labels, weights),
            resolve(self.objective, OBJECTIVES, "objective", type(self).__name__),
            rng,
            monitor,
            lambda current: EpochCallbacks(self, X, y, self.max_iter, lambda: fitted(current())),
        )
        for name in ("features_", "contrast_scale_"):
            self.__dict__.pop(name, None)
        for name, value in fitted(theta).items():
            setattr(self, name, value)
        self.history_, self.n_iter_ = monitor.history(), max(1, len(monitor.records))
        if message is not None:
            warn(
                f"{type(self).__name__} did not converge in {self.n_iter_} iterations ({message}). "
                "Raise max_iter or tol, scale the data, or raise alpha.",
                ConvergenceWarning,
            )
        return self

    def _check_parameters(self):
        if self.neighbourhood not in (4, 8):
            raise ValueError(f"neighbourhood must be 4 or 8, got {self.neighbourhood}.")
        if self.inference != "auto":
            inference = resolve(self.inference, INFERENCES, "inference", type(self).__name__)
            if self.decision == "marginal" and not inference.has_marginals:
                raise ValueError(
                    f"decision='marginal' asks for probabilities, and {type(inference).__name__} "
                    "has none."
                )

    def _check_training_data(self, X, y):
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
        if y is None:
            raise ValueError(
                "GridConditionalRandomField requires y to be passed, but the target y is None."
            )
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        if y.ndim > 2 or len(y) != len(X):
            raise ValueError(f"y must have a row for each of the {len(X)} of X, got {y.shape}.")
        if y.ndim == 1:
            check_classification_targets(y)
        elif y.dtype.kind == "f" and np.any(y != np.floor(y)):
            raise ValueError("Unknown label type: y holds continuous values, and has to be labels.")
        return X, y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
