"""What estimators of convolutional codes share: all but where the filters come from."""

from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import (
    FLOATS,
    LatentVariableModel,
    check_data,
    check_latent_rows,
    has_finite_squares,
)
from sklvm.kernels import FilterBank, FilteredImage
from sklvm.settings import resolve
from sklvm.sparse_coding._coding_model import CodingInfo, warn_of_unfinished
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._image_coding import IMAGE_SOLVERS, encode_images, image_solver
from sklvm.sparse_coding._image_shape import checked_image_shape
from sklvm.sparse_coding.dictionaries import (
    BOUNDARIES,
    ConvolutionalDictionary,
    ConvolutionGeometry,
)
from sklvm.sparse_coding.penalties import PENALTIES, PowerPenalty

__all__ = ["ConvolutionalModel"]


class ConvolutionalModel(LatentVariableModel):
    """Base of the estimators that code images by J = ½‖x − Σ_k d_k ∗ z_k‖² + α penalty(z).

    A subclass has a ``fit`` that sets ``components_``, ``_geometry`` and ``_coding``.
    """

    _tol_names = ("tol", "max_iter")
    _shorthands = {"penalty": PENALTIES}
    _parameter_constraints: dict = {
        "image_shape": ["array-like", None],
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions(set(PENALTIES)), PowerPenalty],
        "positive": ["boolean"],
        "boundary": [StrOptions(set(BOUNDARIES))],
        "solver": [StrOptions(set(IMAGE_SOLVERS))],
        "sparse_output": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def transform(self, X):
        """Codes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing.

        Returns
        -------
        Z : ndarray or CSR array of shape (n_samples, n_components * n_places)
            Map after map: ``Z.reshape(n_samples, n_components, *map_shape_)`` where it is dense.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        return self.encode(X)

    def encode(self, X, *, codes=None, return_info=False):
        """Codes of X, from given codes if there are some, and how good they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing.
        codes : array-like or sparse matrix of shape (n_samples, n_components * n_places), \
                default=None
            Codes to start from.
        return_info : bool, default=False
            Whether to return the certificates too.

        Returns
        -------
        Z : ndarray or CSR array of shape (n_samples, n_components * n_places)
        info : CodingInfo
            If `return_info`.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        check_is_fitted(self)
        X = self._check_images(X)
        if codes is not None:
            codes = sparse.csr_array(self._check_codes(codes, "codes"))
            if codes.shape[0] != len(X):
                raise ValueError(
                    f"codes must have one row for each of X's {len(X)}, got {codes.shape[0]}."
                )
        results = self._encode(X, codes)
        Z = results.codes.astype(X.dtype)
        if not self._coding.sparse_output:
            Z = Z.toarray()
        if not return_info:
            return Z
        return Z, CodingInfo(results.certificates, results.objectives, results.n_iter)

    def inverse_transform(self, Z):
        """Images of codes: Σ_k d_k ∗ z_k.

        What was taken from the images before, such as a low-pass part, does not come back; see
        ``reconstruct``.

        Parameters
        ----------
        Z : array-like or sparse matrix of shape (n_samples, n_components * n_places)
            Codes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        Z = self._check_codes(Z, "Z")
        return self._synthesize(Z).astype(Z.dtype, copy=False)

    def reconstruct(self, X, *, detail=None):
        """Images as their codes have them, missing values filled in.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing.
        detail : TikhonovDetail, default=None
            Fitted. Only the detail of X is coded then, and the smooth part added to what the codes
            say of it.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        X = self._check_images(X)
        smooth = 0 if detail is None else detail.smooth(X)
        results = self._encode(X - smooth, None)
        return (self._synthesize(results.codes) + smooth).astype(X.dtype, copy=False)

    def score_samples(self, X):
        """−min_z J(x, z) of each row: greater where a few atoms explain it.

        That is the logarithm of an unnormalised density, at the most probable code. It is **not
        comparable across** `alpha`, penalties or filters, whose normalisers differ.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing, and J has the known values only.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            −∞ for a row so far away that its squares overflow.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        check_is_fitted(self)
        X = self._check_images(X)
        scores = np.full(len(X), -np.inf, dtype=X.dtype)
        if (near := has_finite_squares(X)).any():
            scores[near] = -self._encode(X if near.all() else X[near], None).objectives
        return scores

    def alpha_max(self, X):
        """The least α from which on all codes are zero, under an l1 penalty or an elastic net.

        It is max |corr(x, d_k)| / w_k, without the absolute value for non-negative codes. Useful
        strengths are parts of it, a tenth or a hundredth.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last; NaN: missing.

        Returns
        -------
        alphas : ndarray of shape (n_samples,)
            One for each image.

        Raises
        ------
        ValueError
            If the penalty is not convex, or leaves some filters without an l1 penalty.
        """
        check_is_fitted(self)
        X, coding = self._check_images(X), self._coding
        bound, _ = coding.penalty.bounds(1.0, len(self.components_))
        if not coding.penalty.convex or not (bound > 0).all():
            raise ValueError(f"There is no such alpha for penalty={coding.penalty!r}.")
        bank = FilterBank(self._geometry.filters(self.components_), bound, positive=coding.positive)
        circular = self._geometry.boundary == "circular"
        alphas = []
        for row in X.astype(np.float64):
            image = FilteredImage(
                bank, *self._geometry.image(row), circular=circular, n_threads=self._n_threads()
            )
            alphas.append(image.scan(np.inf)[2])
        return np.array(alphas, dtype=X.dtype)

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-density, and ranks the rows by one model only."""
        check_is_fitted(self)
        return False

    @property
    def filter_shape_(self):
        check_is_fitted(self)
        return self._geometry.filter_shape

    @property
    def map_shape_(self):
        check_is_fitted(self)
        return self._geometry.map_shape

    def _encode(self, X, codes):
        results = encode_images(
            self.components_, self._geometry, self._coding, X, codes, n_threads=self._n_threads()
        )
        warn_of_unfinished(results, self._coding, self._tol_names)
        return results

    def _synthesize(self, Z):
        return ConvolutionalDictionary(self.components_, self._geometry).synthesize(Z)

    def _n_threads(self):
        n_jobs = self._coding.n_jobs
        return None if n_jobs is None else effective_n_jobs(n_jobs)

    def _check_images(self, X, reset=False):
        return check_data(
            self, X, squares="float64", dtype=FLOATS, reset=reset, ensure_all_finite="allow-nan"
        )

    def _check_codes(self, Z, name):
        return check_latent_rows(self, Z, self._n_features_out, name=name, accept_sparse="csr")

    def _image_shape(self, n_features):
        return checked_image_shape(self.image_shape, self.n_channels, n_features)

    def _make_geometry(self, image_shape, filter_shape):
        if len(filter_shape) != len(image_shape) or min(filter_shape) < 1:
            raise ValueError(
                f"Filters must have {len(image_shape)} axes, as images of {image_shape} have, got "
                f"shape {filter_shape}."
            )
        if any(width > n for width, n in zip(filter_shape, image_shape, strict=True)):
            raise ValueError(f"Filters of {filter_shape} are larger than images of {image_shape}.")
        return ConvolutionGeometry(image_shape, self.n_channels, filter_shape, self.boundary)

    def _make_coding(self, n_filters, *, tol, max_iter):
        penalty = resolve(self.penalty, PENALTIES, "penalty", type(self).__name__)
        image_solver(self.solver, penalty, self.alpha, n_filters)
        return CodingOptions(
            penalty,
            self.alpha,
            self.positive,
            self.solver,
            tol,
            max_iter,
            self.sparse_output,
            self.n_jobs,
        )

    @property
    def _n_features_out(self):
        return len(self.components_) * self._geometry.n_places

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
