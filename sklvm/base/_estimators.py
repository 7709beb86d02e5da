"""What every estimator shares: a score with a meaning, tags, its page, its version, short names."""

import sys

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    DensityMixin,
    TransformerMixin,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklvm._version import __version__
from sklvm._warnings import warn
from sklvm.base._floating_point import FloatingPointMixin
from sklvm.settings import StringShorthandMixin

__all__ = ["DensityModel", "LatentVariableModel", "PackageMixin"]


# What goes with latent variables, beside scikit-learn's fit_transform and get_feature_names_out.
LATENT_METHODS = {"transform", "inverse_transform", "reconstruct"}


def _has_latent_variables(estimator):
    if not estimator._has_latent_variables():
        raise AttributeError(f"This {type(estimator).__name__} has no latent variables.")
    return True


def _can_go_back(estimator):
    if not hasattr(estimator, "inverse_transform"):
        raise AttributeError(f"{type(estimator).__name__} has no inverse_transform.")
    return True


def _is_asked_by_model_selection():
    """Whether a call comes from scikit-learn's searches or cross-validations."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == "sklearn.model_selection._validation":
            return True
        frame = frame.f_back
    return False


class PackageMixin:
    """What ties an estimator to this package: its page, and the version that its pickles carry."""

    _doc_link_module = "sklvm"
    _doc_link_template = "https://sklvm.readthedocs.io/en/latest/api/generated/{estimator_module}.{estimator_name}.html"

    def _doc_link_url_param_generator(self):
        return {"estimator_module": "sklvm", "estimator_name": type(self).__name__}

    def __getstate__(self):
        return {**super().__getstate__(), "_sklvm_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_sklvm_version", "unknown")
        if version != __version__:
            warn(
                f"This {type(self).__name__} was saved by sklvm {version}, and is loaded by sklvm "
                f"{__version__}. It may fail, or give other results; fit it anew to be sure.",
                UserWarning,
            )
        super().__setstate__(state)


class _MeanScore:
    """``score`` as the mean of ``score_samples``, and float32 in, float32 out."""

    def score(self, X, y=None):
        """Mean of ``score_samples`` over the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        y : None
            Ignored.

        Returns
        -------
        score : float
            The mean score; in nats a row where ``score_samples`` is a log-density.

        Warns
        -----
        UserWarning
            Where a search or a cross-validation of scikit-learn asks for a score that is not
            normalised, and would compare what does not compare.
        """
        if not self.score_normalized_ and _is_asked_by_model_selection():
            warn(
                f"The score of this {type(self).__name__} is not normalised (score_normalized_ is "
                "False): it does not compare across hyper-parameters, and a search by it picks any "
                "of them. Give the search a scoring, or a model whose score is a log-density.",
                UserWarning,
            )
        return float(np.mean(self.score_samples(X)))


class DensityModel(
    FloatingPointMixin,
    StringShorthandMixin,
    _MeanScore,
    PackageMixin,
    DensityMixin,
    BaseEstimator,
):
    """Base of the estimators that score data by a density."""

    @property
    def score_normalized_(self):
        """Whether ``score_samples`` is a log-density, comparable across models of the same data."""
        check_is_fitted(self)
        return True

    @property
    def score_is_bound_(self):
        """Whether ``score_samples`` is only a lower bound of a log-density."""
        check_is_fitted(self)
        return False


class LatentVariableModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, DensityModel):
    """Base of the estimators that map data to latent variables and score them by a density.

    If ``_has_latent_variables`` is False, the estimator is only a density: it has no ``transform``
    and none of the methods that go with it.
    """

    def __init_subclass__(cls, **kwargs):
        # scikit-learn wraps transform for set_output: what hides it has to go around that.
        super().__init_subclass__(**kwargs)
        for name in LATENT_METHODS & vars(cls).keys():
            setattr(cls, name, available_if(_has_latent_variables)(vars(cls)[name]))

    def _has_latent_variables(self):
        """Whether there are latent variables: in the fitted model, or else by the parameters."""
        return True

    @available_if(_can_go_back)
    def reconstruct(self, X):
        """Reconstruct X by ``inverse_transform(transform(X))``; missing entries (NaN) are filled.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        return self.inverse_transform(self.transform(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self._has_latent_variables():
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        else:
            tags.transformer_tags = None
        return tags


for _owner, _name in (
    (TransformerMixin, "fit_transform"),
    (ClassNamePrefixFeaturesOutMixin, "get_feature_names_out"),
):
    setattr(LatentVariableModel, _name, available_if(_has_latent_variables)(vars(_owner)[_name]))
