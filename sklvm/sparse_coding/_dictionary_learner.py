"""Dictionaries learned from data."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_array

from sklvm._compat import Interval, StrOptions
from sklvm.base import generator_from
from sklvm.sparse_coding._coding_model import CodingModel
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._dictionary_expectation import DictionaryExpectation
from sklvm.sparse_coding._initial_dictionary import initial_dictionary
from sklvm.sparse_coding._learned_dictionary_model import LearnedDictionaryModel
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.training import StatisticsTraining

__all__ = ["DictionaryLearner"]


class DictionaryLearner(LearnedDictionaryModel, CodingModel):
    """Dictionary learning: the atoms that give the data sparse codes.

    ::

        min over D and z of  Σᵢ wᵢ [½‖xᵢ − zᵢD‖² + α · penalty(zᵢ)]   subject to  ‖d_k‖₂ ≤ 1.

    All rows are coded and then all atoms updated, in turns, or online [1]_: a batch is coded, its
    statistics are added to those of the past, and the atoms updated from both. An update is block
    coordinate descent, atom by atom in closed form.

    Parameters
    ----------
    n_components : int, default=64
        Number K of atoms.
    alpha : float, "auto" or RelativeAlpha, default="auto"
        α, the strength of the penalty. With l1, a code is zero from max |x Dᵀ| ≤ ‖x‖ on. "auto" is
        ``RelativeAlpha(0.1)``, which scales with the data: a tenth of the α with which the code of
        an ordinary row would be empty.
    penalty : {"l1", "l0", "lq", "elastic_net", "at_most_nonzero", "at_most_residual"} or object, \
            default="l1"
        See :class:`SparseCoder`.
    positive, positive_dict : bool, default=False
        Whether z ≥ 0, and whether D ≥ 0; both, on data that are not negative, gives parts.
    batch_size : int, default=None
        Rows that are coded between two updates; None: all of them.
    forgetting : float, default=20.0
        ρ ≥ 0 of online learning: after rows of total weight t, those at weight s count (s / t)^ρ,
        for their codes are those of an older dictionary. 0 forgets nothing. About t / (ρ + 1) rows
        count: where they are few for so many atoms, a smaller ρ is better.
    init : {"data", "svd"} or array-like of shape (n_components, n_features), default="data"
        Where D starts: at rows of the data drawn at random, at their leading singular vectors (and
        rows, where K exceeds their number), or at these atoms.
    max_iter : int, default=100
        Greatest number of passes over the data.
    tol : float, default=1e-4
        Passes end with one that lowers the mean objective by less than this part of that of zero
        codes, the mean of ½‖x‖²; online with the third of them in a row. 0: only `max_iter` ends
        them.
    solver : {"auto", "active_set", "coordinate_descent", "fista", "ista", "omp"}, default="auto"
        See :class:`SparseCoder`.
    code_tol, code_max_iter : float, default=1e-6 and int, default=10000
        `tol` and `max_iter` of :class:`SparseCoder`.
    shuffle : bool, default=True
        Whether each pass of online learning takes the rows in a new order.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    sparse_output : bool, default=False
        Whether ``transform`` returns a CSR array.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    n_jobs : int, default=None
        Blocks of rows at a time, −1 for as many as there are CPUs: on threads, unless
        ``joblib.parallel_config`` says otherwise, such as loky or the workers of a dask cluster.
        Blocks do not depend on the number of workers, and so the dictionary is the same to the last
        bit. None: the workers of joblib's configuration, and without one a single worker with the
        threads that OpenMP allows.
    verbose : int, default=0
        1 prints a line an iteration.

    Attributes
    ----------
    alpha_ : float
        α as a number.
    components_ : ndarray of shape (n_components, n_features)
        D.
    history_ : dict of str to ndarray
        One value a pass: ``"objective"``, the weighted mean of the objective of the rows, and
        ``"restarts"``, how many dead atoms were replaced. Without batches that is the objective at
        the dictionary of the pass, and never increases, but for the constraint "at_most_residual".
        Online, each batch counts by the dictionary that it met.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``certificates`` (of the codes of the last full pass), ``empty_codes``, and
        ``convergence``.
    n_iter_ : int
        Passes over the data.
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    SparseCoder : Codes on a given dictionary.
    sklearn.decomposition.MiniBatchDictionaryLearning : The same problem with l1.

    Notes
    -----
    NaN is a missing entry: codes and objective know the known features only, and for an update the
    reconstruction stands in for the others, which never raises the objective.

    An atom that no code uses is dead. It restarts at the sample of greatest objective.

    Online learning of a few passes comes close to the best dictionary long before the passes
    without batches do, and generalises as well.

    References
    ----------
    .. [1] Mairal, Bach, Ponce and Sapiro (2010), "Online learning for matrix factorization and
       sparse coding", algorithms 1 and 2, and section 3.4 on the weight of the past. Olshausen and
       Field (1996), "Emergence of simple-cell receptive field properties by learning a sparse code
       for natural images".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import DictionaryLearner
    >>> rng = np.random.default_rng(0)
    >>> atoms = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    >>> X = (rng.standard_normal((300, 6)) * (rng.random((300, 6)) < 0.2)) @ atoms
    >>> learner = DictionaryLearner(6, alpha=0.2, random_state=0).fit(X)
    >>> np.abs(learner.components_ @ atoms.T).max(axis=0).round(2)
    array([1., 1., 1., 1., 1., 1.])
    """

    _tol_names = ("code_tol", "code_max_iter")
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "positive_dict": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "forgetting": [Interval(Real, 0, None, closed="left")],
        "init": [StrOptions({"data", "svd"}), "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "code_tol": [Interval(Real, 0, None, closed="left")],
        "code_max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=64,
        *,
        alpha="auto",
        penalty="l1",
        positive=False,
        positive_dict=False,
        batch_size=None,
        forgetting=20.0,
        init="data",
        max_iter=100,
        tol=1e-4,
        solver="auto",
        code_tol=1e-6,
        code_max_iter=10_000,
        shuffle=True,
        warm_start=False,
        sparse_output=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.alpha = alpha
        self.penalty = penalty
        self.positive = positive
        self.positive_dict = positive_dict
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

    def _coding_options(self, X=None):
        """Checks that the parameters of the coding go together, too."""
        coding = CodingOptions.of(self, tol=self.code_tol, max_iter=self.code_max_iter, X=X)
        coding.problem(DenseDictionary(np.zeros((self.n_components, 1))))
        return coding

    def _expectation(self, X):
        return DictionaryExpectation(
            n_components=self.n_components,
            coding=self._coding_options(X),
            positive=self.positive_dict,
            max_passes=DictionaryExpectation.passes_for(self.batch_size or len(X)),
            dtype=X.dtype,
        )

    def _start(self, X, weights):
        init = self.init
        if not isinstance(init, str):
            init = check_array(init, dtype=np.float64, input_name="init")
        rng = generator_from(self.random_state)
        dictionary = initial_dictionary(
            init, self.n_components, X, weights, positive=self.positive_dict, rng=rng
        )
        return StatisticsTraining(
            self._expectation(X), dictionary, rng, forgetting=self.forgetting, n_jobs=self.n_jobs
        )

    def _continue(self, learner, X, weights):
        if self.n_components != learner.model.n_components:
            raise ValueError(
                f"n_components={self.n_components} does not go with warm_start=True after a fit of "
                f"{learner.model.n_components} atoms. Set warm_start=False to start anew."
            )
        dictionary = learner.theta
        return learner.continued(
            self._expectation(X),
            np.maximum(dictionary, 0) if self.positive_dict else dictionary,
            forgetting=self.forgetting,
            n_jobs=self.n_jobs,
        )

    def _results_of(self, local):
        return local

    def _diagnoses(self, monitor, X, weights):
        found = super()._diagnoses(monitor, X, weights)
        return {**found, **self._code_diagnoses(X)} if monitor.records else found

    def _fitted_attributes(self, learner):
        return {
            **super()._fitted_attributes(learner),
            "n_features_in_": learner.theta.shape[1],
            "components_": learner.theta.astype(learner.model.dtype),
            "_coding": learner.model.coding,
            "alpha_": learner.model.coding.alpha,
        }
