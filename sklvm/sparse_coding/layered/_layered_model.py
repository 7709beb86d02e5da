"""What estimators of layered codes share: all but where the dictionaries come from."""

from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm._warnings import warn
from sklvm.base import (
    FLOATS,
    LatentVariableModel,
    check_data,
    check_latent_rows,
    has_finite_squares,
)
from sklvm.sparse_coding.dictionaries import BOUNDARIES, synthesize_filters
from sklvm.sparse_coding.layered._holistic_solvers import HOLISTIC_SOLVERS
from sklvm.sparse_coding.layered._layer_stack import filters_of, geometry_of
from sklvm.sparse_coding.layered._layered_coding import METHODS, encode_layers

__all__ = ["LayeredModel"]


class LayeredModel(LatentVariableModel):
    """Base of the estimators that code data on one dictionary after the other.

    A subclass has a ``fit`` that sets ``components_``, ``_chain`` and ``_options``.
    """

    _tol_names = ("tol", "max_iter")
    _parameter_constraints: dict = {
        "image_shape": ["array-like", None],
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "positive": ["boolean"],
        "boundary": [StrOptions(set(BOUNDARIES))],
        "method": [StrOptions(set(METHODS))],
        "solver": [StrOptions(set(HOLISTIC_SOLVERS))],
        "output": [StrOptions({"last", "all"})],
        "n_jobs": [Integral, None],
    }

    def transform(self, X, *, layer=None):
        """Codes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        layer : int, default=None
            The layer whose codes are wanted, from 1; None: those that `output` said.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components of the layer or of all)
            Of a layer of filters map after map.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        codes, _ = self._encode(X)
        if layer is None and self._options.output == "all":
            return np.concatenate(codes, axis=1)
        return codes[self._layer_index(layer)]

    def encode(self, X, *, return_info=False):
        """Codes of X on all layers, and how good they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        return_info : bool, default=False
            Whether to return the norms, certificates and bounds too.

        Returns
        -------
        codes : list of ndarray of shape (n_samples, n_components of a layer)
        info : LayeredCodingInfo
            If `return_info`.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        codes, info = self._encode(X)
        return (codes, info) if return_info else codes

    def inverse_transform(self, Z, *, layer=None):
        """Reconstruct through the stack: z D_l … D_1.

        Parameters
        ----------
        Z : array-like or sparse matrix of shape (n_samples, n_components of the layer or of all)
            Codes, as ``transform`` returns them. Of those of all layers the last count.
        layer : int, default=None
            The layer that they are codes of, from 1; None: the last.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        index = self._layer_index(layer)
        width = self._chain.layers[index].n_components
        expected = self._n_features_out if layer is None else width
        Z = check_latent_rows(self, Z, expected, accept_sparse="csr")
        dtype, Z = Z.dtype, Z[:, expected - width :]
        for dictionary in self._chain.layers[index::-1]:
            Z = dictionary.synthesize(Z)
        return Z.astype(dtype, copy=False)

    def score_samples(self, X):
        """Minus the objective of each row: greater where a few atoms explain it.

        The objective is that of :class:`LayeredCodingInfo`. Scores are **not comparable across**
        `alpha`, methods or dictionaries.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            −∞ for a row so far away that its squares overflow; for learned filters also where the
            first layer's α is lost in the rounding of its entries.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        check_is_fitted(self)
        X = self._check_rows(X)
        scores = np.full(len(X), -np.inf, dtype=X.dtype)
        if (near := self._are_near(X)).any():
            _, info = self._encode_rows(X if near.all() else X[near])
            scores[near] = -info.objective_
        return scores

    def projections(self, *, layer=None):
        """What one unit of each component stands for in data.

        Parameters
        ----------
        layer : int, default=None
            The layer whose components are wanted, from 1; None: the last.

        Returns
        -------
        projections : ndarray
            Of a dense layer of shape (n_components, n_features). Of filters of shape
            (n_components, *support, n_channels): the filters of all layers, one convolved with the
            other, on all that they cover.
        """
        check_is_fitted(self)
        *below, layer = self._chain.layers[: self._layer_index(layer) + 1]
        geometry = geometry_of(layer)
        if geometry is None:
            images = layer.atoms
            for dictionary in below[::-1]:
                images = dictionary.synthesize(images)
        else:
            images = filters_of(layer)
            for dictionary in below[::-1]:
                images = synthesize_filters(images, filters_of(dictionary))
            if len(geometry.filter_shape) == 1:
                images = images[:, 0]
        return images.astype(self.components_[0].dtype)

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-density, and ranks the rows by one model only."""
        check_is_fitted(self)
        return False

    @property
    def n_layers_(self):
        check_is_fitted(self)
        return len(self._chain.layers)

    @property
    def map_shapes_(self):
        check_is_fitted(self)
        geometries = map(geometry_of, self._chain.layers)
        return [None if geometry is None else geometry.map_shape for geometry in geometries]

    def _are_near(self, X):
        """Which rows are near enough for a score."""
        return has_finite_squares(X)

    def _encode(self, X):
        check_is_fitted(self)
        X = self._check_rows(X)
        codes, info = self._encode_rows(X)
        return [code.astype(X.dtype, copy=False) for code in codes], info

    def _encode_rows(self, X):
        options = self._options
        codes, info, is_unfinished = encode_layers(
            self._chain, options, np.asarray(X, dtype=np.float64)
        )
        if options.tol > 0 and is_unfinished.any():
            tol, max_iter = self._tol_names
            warn(
                f"{is_unfinished.sum()} of {len(X)} samples did not reach {tol}={options.tol} in "
                f"{max_iter}={options.max_iter} iterations.",
                ConvergenceWarning,
            )
        return codes, info

    def _check_rows(self, X, *, reset=False, **options):
        squares = None if reset else "float64"
        return check_data(self, X, squares=squares, dtype=FLOATS, reset=reset, **options)

    def _layer_index(self, layer):
        n_layers = len(self._chain.layers)
        if layer is None:
            return n_layers - 1
        if not isinstance(layer, Integral) or isinstance(layer, bool) or not 1 <= layer <= n_layers:
            raise ValueError(f"layer must be an integer from 1 to {n_layers}, got {layer!r}.")
        return int(layer) - 1

    @property
    def _n_features_out(self):
        widths = [layer.n_components for layer in self._chain.layers]
        return sum(widths) if self._options.output == "all" else widths[-1]
