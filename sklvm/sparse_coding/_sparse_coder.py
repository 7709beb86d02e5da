"""Sparse codes on a given dictionary."""

from numbers import Integral, Real

from sklvm._compat import Interval, _fit_context
from sklvm._warnings import warn
from sklvm.base import check_data
from sklvm.exceptions import FitWarning
from sklvm.sparse_coding._coding_model import CodingModel
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._dictionary_model import FLOATS, given_dictionary
from sklvm.sparse_coding.dictionaries import DenseDictionary

__all__ = ["SparseCoder"]


class SparseCoder(CodingModel):
    """Sparse codes z(x) = argmin_z J(x, z), J = ½‖x − zD‖² + α · penalty(z), on a given dictionary.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features), default=None
        D, its rows the atoms, of any norm; None: the identity of the data's width, for which codes
        are shrunken data.
    alpha : float, "auto" or RelativeAlpha, default="auto"
        α, the strength of the penalty. With l1, codes are zero from max |x Dᵀ| on. "auto" is
        ``RelativeAlpha(0.1)``, which scales with the data: a tenth of the α with which the code of
        an ordinary row would be empty.
    penalty : {"l1", "l0", "lq", "elastic_net", "at_most_nonzero", "at_most_residual", \
            "basis_pursuit"} or object, default="l1"
        A short name, or an object such as ``Lq(2 / 3)`` or ``L1(weights=...)``. The last three are
        constraints, in which `alpha` does not enter.
    positive : bool, default=False
        Whether z ≥ 0. Not with the constraints of matching pursuit.
    solver : {"auto", "active_set", "coordinate_descent", "fista", "ista", "omp"}, default="auto"
        "active_set" (for convex penalties and basis pursuit, and their default) minimises directly
        over a support that violators join in blocks. "coordinate_descent" is the default of
        non-convex penalties. "fista" and "ista" take one matrix product an iteration for all rows,
        and suit dense codes. "omp" is orthogonal matching pursuit, for the other constraints.
    tol : float, default=1e-6
        Greatest certificate with which a sample is done; see :class:`CodingInfo`.
    max_iter : int, default=10000
        Greatest number of iterations a sample: rounds, epochs or steps of the solver.
    sparse_output : bool, default=False
        Whether ``transform`` returns a CSR array.
    n_jobs : int, default=None
        Number of threads, −1 for all CPUs; None: what OpenMP and joblib allow. Codes are the same.

    Attributes
    ----------
    alpha_ : float
        α as a number.
    components_ : ndarray of shape (n_components, n_features)
        D.
    diagnostics_ : dict of str to Diagnosis
        ``empty_codes`` of some rows of the data of ``fit``, with ``value``, ``is_problem`` and
        ``message``; of penalties, not of constraints.
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    sklearn.decomposition.SparseCoder : Codes by LARS, coordinate descent and matching pursuit.

    Notes
    -----
    NaN is a missing entry: such a sample is coded on the features that are known, and
    ``inverse_transform`` fills in the others. Samples that lack the same features share their work.

    Penalties that are not convex have many local solutions. Their solvers start from the best code
    of the orthogonal matching pursuit path and never end at a worse one.

    Data of float32 give codes of float32. All solvers compute in double; the active-set solver
    looks for violators in single precision, with a bound of its error, and settles in double what
    that leaves in doubt: its certificates hold for either.

    References
    ----------
    Chen, Donoho and Saunders (1998), "Atomic decomposition by basis pursuit". Lee, Battle, Raina
    and Ng (2007), "Efficient sparse coding algorithms". Beck and Teboulle (2009), "A fast iterative
    shrinkage-thresholding algorithm for linear inverse problems". Rubinstein, Zibulevsky and Elad
    (2008), "Efficient implementation of the K-SVD algorithm using batch orthogonal matching
    pursuit".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import SparseCoder
    >>> D = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> coder = SparseCoder(D, alpha=0.1).fit(D)
    >>> coder.transform([[0.6, 0.8]]).round(3)
    array([[0. , 0. , 0.9]])
    >>> Z, info = coder.encode([[0.6, 0.8]], return_info=True)
    >>> bool(info.dual_gap_.max() <= 1e-6)
    True
    """

    _parameter_constraints: dict = {
        "dictionary": ["array-like", None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        dictionary=None,
        *,
        alpha="auto",
        penalty="l1",
        positive=False,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        sparse_output=False,
        n_jobs=None,
    ):
        self.dictionary = dictionary
        self.alpha = alpha
        self.penalty = penalty
        self.positive = positive
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Check the dictionary against the data; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, of which only the width and names of the features matter.
        y : None
            Ignored.

        Returns
        -------
        self : SparseCoder

        Raises
        ------
        ValueError
            If the dictionary has another number of features, or penalty, solver and `positive` do
            not go together.
        """
        X = check_data(self, X, squares="float64", dtype=FLOATS, ensure_all_finite="allow-nan")
        components = given_dictionary(self.dictionary, X)
        coding = CodingOptions.of(
            self, tol=self.tol, max_iter=self.max_iter, X=X, dictionary=components
        )
        coding.problem(DenseDictionary(components))
        self.components_, self._coding, self.alpha_ = components, coding, coding.alpha
        self.diagnostics_ = self._code_diagnoses(X)
        for diagnosis in self.diagnostics_.values():
            if diagnosis.is_problem:
                warn(f"{type(self).__name__}: {diagnosis.message}", FitWarning)
        return self
