"""What estimators with a dictionary share."""

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from sklvm.base import FLOATS, LatentVariableModel, check_data, check_latent_rows

__all__ = ["DictionaryModel", "given_dictionary"]


class DictionaryModel(LatentVariableModel):
    """Base of the estimators whose ``components_`` are atoms, and which code x as z with x ≈ zD."""

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-density, and ranks the rows by one model only."""
        check_is_fitted(self)
        return False

    def inverse_transform(self, Z):
        """Reconstruct: zD.

        Parameters
        ----------
        Z : array-like or sparse matrix of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        Z = self._check_codes(Z, "Z")
        return Z @ self.components_.astype(Z.dtype, copy=False)

    def _check_X(self, X):
        check_is_fitted(self)
        return check_data(
            self, X, squares="float64", dtype=FLOATS, reset=False, ensure_all_finite="allow-nan"
        )

    def _check_codes(self, Z, name):
        check_is_fitted(self)
        return check_latent_rows(self, Z, len(self.components_), name=name, accept_sparse="csr")

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def given_dictionary(dictionary, X):
    """The parameter `dictionary`, checked; None is the identity of X's width."""
    if dictionary is None:
        return np.eye(X.shape[1], dtype=X.dtype)
    components = check_array(dictionary, dtype=FLOATS, input_name="dictionary")
    if components.shape[1] != X.shape[1]:
        raise ValueError(
            f"dictionary must have X's number of features, {X.shape[1]}, got shape "
            f"{components.shape}."
        )
    return components
