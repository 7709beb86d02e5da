"""What every estimator shares: a score with a meaning, tags, documentation links, short names."""

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    DensityMixin,
    TransformerMixin,
)

from sklvm._compat import CallbackSupportMixin
from sklvm.base._floating_point import FloatingPointMixin
from sklvm.settings import StringShorthandMixin

__all__ = ["DensityModel", "DocumentationLinkMixin", "LatentVariableModel"]


class DocumentationLinkMixin:
    """Where the HTML representation links to."""

    _doc_link_module = "sklvm"
    _doc_link_template = "https://sklvm.readthedocs.io/en/latest/api/generated/{estimator_module}.{estimator_name}.html"

    def _doc_link_url_param_generator(self):
        return {"estimator_module": "sklvm", "estimator_name": type(self).__name__}


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
        """
        return float(np.mean(self.score_samples(X)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class DensityModel(
    FloatingPointMixin, _MeanScore, DocumentationLinkMixin, DensityMixin, BaseEstimator
):
    """Base of the estimators that are a density and nothing else."""


class LatentVariableModel(
    FloatingPointMixin,
    StringShorthandMixin,
    _MeanScore,
    DocumentationLinkMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    CallbackSupportMixin,
    DensityMixin,
    BaseEstimator,
):
    """Base of the estimators that map data to latent variables and score them by a density."""
