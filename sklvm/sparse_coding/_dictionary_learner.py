"""Dictionaries learned from data."""

import copy
import math
import warnings
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array
from threadpoolctl import threadpool_limits

from sklvm._compat import Interval, StrOptions, _check_sample_weight, _fit_context
from sklvm.base import check_data, generator_from
from sklvm.sparse_coding._coding_model import CodingModel
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._dictionary_model import FLOATS
from sklvm.sparse_coding._dictionary_training import DictionaryTraining
from sklvm.sparse_coding._initial_dictionary import initial_dictionary
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.training import EpochCallbacks, Monitor, slices

__all__ = ["DictionaryLearner"]


class DictionaryLearner(CodingModel):
    """Dictionary learning: the atoms that give the data sparse codes, ::

        min over D and z of  Σᵢ wᵢ [½‖xᵢ − zᵢD‖² + α · penalty(zᵢ)]   subject to  ‖d_k‖₂ ≤ 1.

    All rows are coded and then all atoms updated, in turns, or online [1]_: a batch is coded, its
    statistics are added to those of the past, and the atoms updated from both. An update is block
    coordinate descent, atom by atom in closed form.

    Parameters
    ----------
    n_components : int, default=64
        Number K of atoms.
    alpha : float, default=1.0
        α, the strength of the penalty. With l1, a code is zero from max |x Dᵀ| ≤ ‖x‖ on.
    penalty : {"l1", "l0", "lq", "elastic_net", "at_most_nonzero", "at_most_residual"} or object, \
            default="l1"
        As of :class:`SparseCoder`.
    positive, positive_dict : bool, default=False
        Whether z ≥ 0, and whether D ≥ 0; both, on data that are not negative, gives parts.
    batch_size : int, default=None
        Rows that are coded between two updates; None: all of them.
    forgetting : float, default=5.0
        ρ ≥ 0 of online learning: after rows of total weight t, those at weight s count (s / t)^ρ,
        for their codes are those of an older dictionary. 0 forgets nothing.
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
        As of :class:`SparseCoder`.
    code_tol, code_max_iter : float, default=1e-6 and int, default=10000
        `tol` and `max_iter` of :class:`SparseCoder`.
    shuffle : bool, default=True
        Whether each pass of online learning takes the rows in a new order.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the dictionary of the last call.
    sparse_output : bool, default=False
        Whether ``transform`` returns a CSR array.
    random_state : int, RandomState instance or None, default=None
        Seed of the start and the order of the rows.
    n_jobs : int, default=None
        Workers among which the rows of a batch are divided, −1 for all CPUs: threads, unless
        ``joblib.parallel_config`` says otherwise, such as loky or the processes of a dask cluster.
        The dictionary is the same up to rounding. None: that of joblib's configuration, and without
        one the threads that OpenMP allows.
    verbose : int, default=0
        1 prints a line an iteration.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        D.
    history_ : dict of str to ndarray
        One value a pass: ``"objective"``, the weighted mean of the objective of the rows, and
        ``"restarts"``, how many dead atoms were replaced. Without batches that is the objective at
        the dictionary of the pass, and never increases, but for the constraint "at_most_residual".
        Online, each batch counts by the dictionary that it met.
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
        **CodingModel._parameter_constraints,
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
        alpha=1.0,
        penalty="l1",
        positive=False,
        positive_dict=False,
        batch_size=None,
        forgetting=5.0,
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

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the dictionary.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the objective.

        Returns
        -------
        self : DictionaryLearner

        Raises
        ------
        ValueError
            For bad data, and for parameters out of range or that do not go together.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` ends the passes, or codes of the last one do not reach `code_tol`.
        """
        coding = self._coding_options()
        is_continued = self.warm_start and hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=not is_continued, minimum=2)
        training = self._training if is_continued else self._start(X, weights)
        known = np.where(np.isnan(X), 0, X)
        scale = 0.5 * float(weights @ np.einsum("ij,ij->i", known, known)) / float(weights.sum())
        monitor = Monitor(
            tol=self.tol * scale,
            patience=1 if self.batch_size is None else 3,
            verbose=self.verbose,
            owner=type(self).__name__,
            max_iter=self.max_iter,
        )
        callbacks = EpochCallbacks(
            self, X, y, self.max_iter, lambda: self._fitted_attributes(copy.deepcopy(training))
        )
        self._coding = coding
        run = self._run_passes if self.batch_size is None else self._run_online
        try:
            with self._thread_limits():
                run(training, X, weights, coding, monitor, callbacks)
        finally:
            self._publish(training)
            self.history_, self.n_iter_ = monitor.history(), len(monitor.records)
        callbacks.end()
        if self.tol > 0 and not (monitor.converged or monitor.was_interrupted):
            warnings.warn(
                f"{type(self).__name__} did not converge in max_iter={self.max_iter} iterations. "
                "Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _run_passes(self, training, X, weights, coding, monitor, callbacks):
        """Update the dictionary, then code everything, from the codes before."""
        coded = training.code(X, weights, coding)
        for _ in range(self.max_iter):
            callbacks.begin_epoch()
            n_restarts = training.n_restarts
            training.update(coded, forgetting=math.inf)
            coded = training.code(X, weights, coding, coded.results.codes)
            monitor.record(
                objective=coded.objective / coded.statistics.weight,
                restarts=training.n_restarts - n_restarts,
            )
            monitor.was_interrupted = callbacks.end_epoch()
            if monitor.was_interrupted or monitor.converged:
                break
        self._warn_of_unfinished(coded.results, coding)

    def _run_online(self, training, X, weights, coding, monitor, callbacks):
        for _ in range(self.max_iter):
            callbacks.begin_epoch()
            order = np.arange(len(X))
            if self.shuffle:
                training.shuffle_rng.shuffle(order)
            monitor.record(**self._run_batches(training, X, weights, coding, order))
            monitor.was_interrupted = callbacks.end_epoch()
            if monitor.was_interrupted or monitor.converged:
                break

    def _run_batches(self, training, X, weights, coding, order):
        """Code a batch, then update the dictionary; the pass's values for the history."""
        n_restarts, objective, weight = training.n_restarts, 0.0, 0.0
        for batch in slices(len(order), self.batch_size or len(order)):
            rows = order[batch]
            coded = training.code(X[rows], weights[rows], coding)
            training.update(coded, self.forgetting)
            objective += coded.objective
            weight += coded.statistics.weight
        return {"objective": objective / weight, "restarts": training.n_restarts - n_restarts}

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn online from the rows of X, once, in their order and in batches of `batch_size`.

        From the same start and over the same batches it does what ``fit`` does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next chunk of data; NaN: missing. `init` looks at the first one.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the objective.

        Returns
        -------
        self : DictionaryLearner
        """
        coding = self._coding_options()
        is_first = not hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=is_first, minimum=1)
        if is_first:
            training = self._start(X, weights)
            self.history_, self.n_iter_ = {}, 0
        else:
            training = self._training
        with self._thread_limits():
            values = self._run_batches(training, X, weights, coding, np.arange(len(X)))
        self._coding = coding
        self._publish(training)
        self.n_iter_ += 1
        for name, value in values.items():
            self.history_[name] = np.append(self.history_.get(name, []), value)
        return self

    def _coding_options(self):
        """Checks that the parameters of the coding go together, too."""
        coding = CodingOptions.of(self, tol=self.code_tol, max_iter=self.code_max_iter)
        coding.problem(DenseDictionary(np.zeros((self.n_components, 1))))
        return coding

    def _check_data(self, X, sample_weight, *, reset, minimum):
        X = check_data(
            self,
            X,
            dtype=FLOATS,
            order="C",
            ensure_all_finite="allow-nan",
            ensure_min_samples=minimum,
            reset=reset,
        )
        if sample_weight is None:
            return X, np.ones(len(X), dtype=X.dtype)
        weights = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True, copy=True
        )
        positive = weights > 0
        if positive.sum() < minimum:
            raise ValueError(
                f"sample_weight has {positive.sum()} positive entries; at least {minimum} are "
                "needed."
            )
        return (X, weights) if positive.all() else (X[positive], weights[positive])

    def _start(self, X, weights):
        init = self.init
        if not isinstance(init, str):
            init = check_array(init, dtype=np.float64, input_name="init")
        rng = generator_from(self.random_state)
        dictionary = initial_dictionary(
            init, self.n_components, X, weights, positive=self.positive_dict, rng=rng
        )
        return DictionaryTraining(dictionary, positive=self.positive_dict, dtype=X.dtype, rng=rng)

    def _thread_limits(self):
        """Workers that are threads share the CPUs; products of matrices then take one each."""
        limit = None if effective_n_jobs(self.n_jobs) == 1 else 1
        return threadpool_limits(limit, user_api="blas")

    def _fitted_attributes(self, training):
        return {
            "_training": training,
            "n_features_in_": training.dictionary.shape[1],
            "components_": training.components,
        }

    def _publish(self, training):
        for name, value in self._fitted_attributes(training).items():
            setattr(self, name, value)
