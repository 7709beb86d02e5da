"""Any estimator that scores rows as an outlier detector."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OutlierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklvm._compat import (
    HasMethods,
    Interval,
    StrOptions,
    _check_method_params,
    _check_sample_weight,
    _fit_context,
    _num_samples,
    _routing_enabled,
    _safe_indexing,
)
from sklvm.anomaly._local_density_ensemble import LocalDensityEnsemble
from sklvm.anomaly._references import REFERENCES, reference_rows, score_difference, score_rows
from sklvm.anomaly._replacement import replacement_contributions, replacement_rows
from sklvm.anomaly._threshold import calibration_split, threshold
from sklvm.base import FLOATS, FloatingPointMixin, PackageMixin, check_count, generator_from

__all__ = ["DensityOutlierDetector"]


class DensityOutlierDetector(
    FloatingPointMixin, PackageMixin, MetaEstimatorMixin, OutlierMixin, BaseEstimator
):
    """Outlier detector that calls the rows of lowest score outliers.

    Without an estimator it is a ``LocalDensityEnsemble``, which needs neither scaled features nor
    complete ones. Any estimator with ``score_samples`` will do: a density of this package, of
    scikit-learn (``KernelDensity``, ``GaussianMixture``), a ``Pipeline`` that ends in one, a
    ``GridSearchCV`` over one, or a ``FrozenEstimator``, which is not fitted again.

    Only the order of the scores counts. A log Z is a constant that no order depends on: an
    energy-based model inside needs none, and ``partition="none"`` saves its estimation.

    Parameters
    ----------
    estimator : estimator, default=None
        With ``score_samples``, higher being more normal; None: ``LocalDensityEnsemble()``.
    contamination : float, default=0.1
        Share of the training rows to be called outliers, in (0, 0.5].
    calibration : float, default=None
        Share of the training rows, in (0, 1), that the estimator is not fitted to. They place the
        threshold, and ``tail_probability`` compares with their scores. None: all rows are fitted
        and place the threshold, and there is no ``tail_probability``.
    reference : {"independent", "blurred"} or estimator, default=None
        What the score is compared with: it becomes log p(x) − log q(x), q being a clone of the
        estimator that is fitted to training rows whose columns have been shuffled independently,
        all of their entries or a half of them, or another estimator, fitted to the training rows.
        What p and q say alike cancels: how bright an image is, how many features are zero.
    typicality : bool, default=False
        Whether a score that is unusually high is as suspicious as one that is unusually low: it
        becomes −|score − median of the training scores|.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone.
    reference_ : estimator
        The fitted q; where `reference` is not None.
    calibration_scores_ : ndarray of shape (n_held_out,)
        Scores of the rows that were held out, in ascending order; where `calibration` is not None.
    offset_ : float
        The threshold, in the units of the score (nats for densities): halfway between the two
        neighbouring training scores that separate the outliers from the rest, where the outliers
        are as many rows as weigh at most `contamination` of the total. With `calibration` these
        are the rows held out.
    n_features_in_ : int
        Number of features seen during ``fit``, where `estimator_` tells.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during ``fit``, where X has string names and `estimator_` tells.

    See Also
    --------
    sklearn.ensemble.IsolationForest : Outliers are soon separated by random splits.
    sklearn.neighbors.LocalOutlierFactor : Outliers have a lower density than their neighbours.

    Notes
    -----
    An invertible change of variables z = f(x) before a density changes log p(x) by log |det ∂f/∂x|.
    Scaling and whitening add one constant to all rows; a non-linear step, and one that drops
    directions, changes who is an outlier.

    A log-density need not rank: in many dimensions rows that are simple, such as images that are
    nearly flat, have a higher density than the training rows themselves (Nalisnick et al., 2019).
    `reference` takes the likelihood ratio to a model that knows less (Ren et al., 2019), and
    `typicality` asks for rows whose score is like that of others (Nalisnick et al., 2019).

    References
    ----------
    Nalisnick et al. (2019), "Do deep generative models know what they don't know?", and "Detecting
    out-of-distribution inputs to deep generative models using typicality". Ren et al. (2019),
    "Likelihood ratios for out-of-distribution detection". Vovk, Gammerman and Shafer (2005),
    "Algorithmic Learning in a Random World", for the p-values of ``tail_probability``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklvm import DeepEnergyModel, DensityOutlierDetector, ZCAWhitener
    >>> X = np.random.default_rng(0).standard_normal((500, 2)) * [1.0, 0.3]
    >>> model = DeepEnergyModel(4, hidden_layer_sizes=(8,), partition="none", random_state=0)
    >>> detector = DensityOutlierDetector(make_pipeline(ZCAWhitener(), model), contamination=0.02)
    >>> int((detector.fit_predict(X) == -1).sum())
    10
    >>> detector.predict([[0.0, 0.0], [0.0, 3.0]])
    array([ 1, -1])

    By default, with p-values from rows that were held out, and with the feature that is to blame:

    >>> detector = DensityOutlierDetector(calibration=0.3, random_state=0).fit(X)
    >>> detector.tail_probability([[0.0, 0.0], [0.0, 3.0]]).round(3)
    array([0.702, 0.007])
    >>> int(detector.explain([[0.0, 3.0]]).argmax())
    1
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "score_samples"]), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "calibration": [Interval(Real, 0, 1, closed="neither"), None],
        "reference": [StrOptions(set(REFERENCES)), HasMethods(["fit", "score_samples"]), None],
        "typicality": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        contamination=0.1,
        calibration=None,
        reference=None,
        typicality=False,
        random_state=None,
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.calibration = calibration
        self.reference = reference
        self.typicality = typicality
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)  # the estimator checks its own parameters
    def fit(self, X, y=None, sample_weight=None, **fit_params):
        """Fit the estimator and place the threshold.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Training data, of a kind that the estimator takes.
        y : array-like of shape (n_samples,), default=None
            Passed on to the estimator.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for the estimator and for the threshold. With metadata
            routing the estimator gets them if it requests them, without it always.
        **fit_params : dict
            Further arguments of the estimator's ``fit``; routed where metadata routing is enabled.

        Returns
        -------
        self : DensityOutlierDetector

        Raises
        ------
        TypeError
            If the estimator has no ``score_samples``.
        ValueError
            If `sample_weight` has no positive entry, or the estimator takes none; if rows score
            NaN, or too many of them −∞ for a threshold.
        """
        fit_params = self._fit_params(sample_weight, fit_params)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        (X,) = indexable(X)
        rng = generator_from(self.random_state)
        fitted, held_out = calibration_split(self.calibration, _num_samples(X), rng)
        if held_out is not None:
            fit_params = _check_method_params(X, fit_params, indices=fitted)
        rows = X if held_out is None else _safe_indexing(X, fitted)
        targets = y if held_out is None or y is None else _safe_indexing(y, fitted)
        estimator = clone(self._own_estimator()).fit(rows, targets, **fit_params)
        reference = self._fit_reference(rows, targets, fit_params, rng)
        center = None
        if self.typicality:
            center = float(np.median(score_difference(estimator, reference, rows)))
        weights = np.ones(_num_samples(X)) if sample_weight is None else sample_weight
        if held_out is not None:
            X, weights = _safe_indexing(X, held_out), weights[held_out]
        scores = score_rows(estimator, reference, center, X).astype(np.float64)
        self.offset_ = threshold(scores, weights, self.contamination)
        for name in ("n_features_in_", "feature_names_in_", "reference_", "calibration_scores_"):
            self.__dict__.pop(name, None)
        self.estimator_, self._center = estimator, center
        if reference is not None:
            self.reference_ = reference
        order = np.argsort(scores)
        if held_out is not None:
            self.calibration_scores_ = scores[order]
            self._calibration_weights = weights[order]
        self._replacements = replacement_rows(rows, rng)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
        return self

    def score_samples(self, X):
        """Scores of the rows by the fitted estimator; −∞ in the place of NaN.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Data.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is more normal; in nats where the estimator is a density. Of the ratio with a
            `reference`, and of how usual it is with `typicality`.
        """
        check_is_fitted(self)
        return score_rows(self.estimator_, getattr(self, "reference_", None), self._center, X)

    def decision_function(self, X):
        """``score_samples(X) - offset_``, in double precision.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Data.

        Returns
        -------
        decision : ndarray of shape (n_samples,)
            Negative for outliers; −∞ where a row's score is that, or NaN.
        """
        return self.score_samples(X).astype(np.float64) - self.offset_

    def predict(self, X):
        """Tell outliers from inliers.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Data.

        Returns
        -------
        is_inlier : ndarray of shape (n_samples,)
            −1 for outliers, 1 for inliers.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    @available_if(lambda self: self._check_calibrated())
    def tail_probability(self, X):
        """Conformal p-values: how often a normal row would score as low.

        (1 + number of held-out rows that score no higher)/(1 + number of held-out rows). Of rows
        drawn like those held out the p-value is at most α with a probability of at most α, whatever
        the estimator. Anomalies among the rows held out make it larger.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Data.

        Returns
        -------
        probability : ndarray of shape (n_samples,)
            In (0, 1]. Rows count by their sample weight, and x itself as one of the mean weight.

        Raises
        ------
        AttributeError
            Where `calibration` is None.
        """
        check_is_fitted(self)
        scores = self.score_samples(X).astype(np.float64)
        weights = self._calibration_weights
        below = np.concatenate([[0.0], np.cumsum(weights)])
        places = np.searchsorted(self.calibration_scores_, scores, side="right")
        return (below[places] + weights.mean()) / (below[-1] + weights.mean())

    def explain(self, X, *, method="auto", n_replacements=32):
        """What each entry of a row contributes to its being an outlier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        method : {"auto", "conditional", "replacement"}, default="auto"
            "conditional": how improbable the entry is given the others, E[log p(x_j | others)] −
            log p(x_j | others), exact for estimators that have ``contributions``, as the default
            one has. "replacement", for every estimator: by how much the score rises, in the mean,
            when the entry is replaced by those of training rows. "auto": the first where there is
            one and the score is that of the estimator alone.
        n_replacements : int, default=32
            Training rows, at most 256, whose entries replace those of a row.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            In units of the score; positive for entries that make the row an outlier.

        Raises
        ------
        ValueError
            For another `method`, or "conditional" where the estimator has no ``contributions``.
        """
        check_is_fitted(self)
        check_count("n_replacements", n_replacements)
        exact = hasattr(self.estimator_, "contributions")
        if method not in ("auto", "conditional", "replacement"):
            raise ValueError(
                f"method must be 'auto', 'conditional' or 'replacement', got {method!r}."
            )
        if method == "conditional" and not exact:
            raise ValueError(
                f"{type(self.estimator_).__name__} has no contributions, so that method must be "
                "'replacement', got 'conditional'."
            )
        is_plain = not hasattr(self, "reference_") and self._center is None
        if method == "conditional" or (method == "auto" and exact and is_plain):
            return self.estimator_.contributions(X)
        X = check_array(X, dtype=FLOATS, ensure_all_finite="allow-nan", input_name="X")
        return replacement_contributions(
            self.score_samples, X, self._replacements[:n_replacements].astype(X.dtype)
        )

    def get_metadata_routing(self):
        """What ``fit`` asks for and passes on; see scikit-learn's guide to metadata routing.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self._own_estimator(),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _own_estimator(self):
        if self.estimator is None:
            return LocalDensityEnsemble(random_state=self.random_state)
        return self.estimator

    def _fit_reference(self, X, y, fit_params, rng):
        if self.reference is None:
            return None
        if isinstance(self.reference, str):
            rows = reference_rows(X, self.reference, rng)
            return clone(self._own_estimator()).fit(rows, y, **fit_params)
        return clone(self.reference).fit(X, y)

    def _check_calibrated(self):
        if self.calibration is None and not hasattr(self, "calibration_scores_"):
            raise AttributeError("tail_probability needs rows that were held out: calibration=0.3.")
        return True

    def _fit_params(self, sample_weight, fit_params):
        """Arguments of the estimator's ``fit``."""
        if sample_weight is not None:
            fit_params = {**fit_params, "sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, "fit", **fit_params).estimator.fit
        takes_weights = isinstance(self.estimator, FrozenEstimator) or has_fit_parameter(
            self._own_estimator(), "sample_weight"
        )
        if sample_weight is not None and not takes_weights:
            owner = type(self._own_estimator()).__name__
            raise ValueError(
                f"The fit of {owner} takes no sample_weight, but some was given. Through a "
                "pipeline or a search, weights need metadata routing: "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        return fit_params

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self._own_estimator()).input_tags
        return tags
