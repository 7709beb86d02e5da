"""Any estimator that scores rows as an outlier detector."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OutlierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklvm._compat import (
    HasMethods,
    Interval,
    _check_sample_weight,
    _fit_context,
    _routing_enabled,
)
from sklvm.base import FloatingPointMixin, PackageMixin

__all__ = ["DensityOutlierDetector"]


class DensityOutlierDetector(
    FloatingPointMixin, PackageMixin, MetaEstimatorMixin, OutlierMixin, BaseEstimator
):
    """Outlier detector that calls the rows of lowest score outliers.

    Any estimator with ``score_samples`` will do: a density of this package, of scikit-learn
    (``KernelDensity``, ``GaussianMixture``), a ``Pipeline`` that ends in one, a ``GridSearchCV``
    over one, or a ``FrozenEstimator``, which is not fitted again.

    Only the order of the scores counts. A log Z is a constant that no order depends on: an
    energy-based model inside needs none, and ``partition="none"`` saves its estimation.

    Parameters
    ----------
    estimator : estimator
        With ``score_samples``, higher being more normal.
    contamination : float, default=0.1
        Share of the training rows to be called outliers, in (0, 0.5].

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone.
    offset_ : float
        The threshold, in the units of the score (nats for densities): halfway between the two
        neighbouring training scores that separate the outliers from the rest, where the outliers
        are as many rows as weigh at most `contamination` of the total.
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
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "score_samples"])],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, estimator, *, contamination=0.1):
        self.estimator = estimator
        self.contamination = contamination

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
        estimator = clone(self.estimator).fit(X, y, **fit_params)
        scores = np.asarray(estimator.score_samples(X), dtype=np.float64)
        weights = np.ones(len(scores)) if sample_weight is None else sample_weight
        self.offset_ = _threshold(scores, weights, self.contamination)
        self.estimator_ = estimator
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
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
            Higher is more normal; in nats where the estimator is a density.
        """
        check_is_fitted(self)
        return self.estimator_.score_samples(X)

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
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _fit_params(self, sample_weight, fit_params):
        """Arguments of the estimator's ``fit``."""
        if sample_weight is not None:
            fit_params = {**fit_params, "sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, "fit", **fit_params).estimator.fit
        takes_weights = isinstance(self.estimator, FrozenEstimator) or has_fit_parameter(
            self.estimator, "sample_weight"
        )
        if sample_weight is not None and not takes_weights:
            raise ValueError(
                f"The fit of {type(self.estimator).__name__} takes no sample_weight, but some was "
                "given. Through a pipeline or a search, weights need metadata routing: "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        return fit_params

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _threshold(scores, weights, contamination):
    """Below it lies as much of the weight as can be, but at most the share `contamination`."""
    scores, weights = scores[weights > 0], weights[weights > 0]
    order = np.argsort(scores)
    weight_below = np.cumsum(weights[order]) - weights[order]
    allowed = contamination * weights.sum() * (1 + 1e-12)  # 0.1 · 30 rows are 3, not 2.9999
    lowest_inlier = scores[order][weight_below <= allowed][-1]
    if not np.isfinite(lowest_inlier) or np.isnan(scores).any():
        raise ValueError(
            f"{np.mean(~np.isfinite(scores)):.0%} of the training rows have no finite score, "
            f"which leaves no threshold for contamination={contamination}."
        )
    below = scores[scores < lowest_inlier]
    highest_outlier = below.max(initial=-np.inf)
    if not np.isfinite(highest_outlier):
        return float(lowest_inlier)
    # In the middle of a gap, the last bits of a score do not decide. Halves do not overflow;
    # between neighbours there is no middle.
    middle = highest_outlier / 2 + lowest_inlier / 2
    return float(middle if highest_outlier < middle else lowest_inlier)
