"""The skeleton of every iterative fit: check data, learn in epochs, publish, warn."""

import copy
from contextlib import nullcontext
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import available_if

from sklvm._compat import CallbackSupportMixin, Interval, _check_sample_weight, _fit_context
from sklvm._warnings import warn
from sklvm.base._checks import FLOATS
from sklvm.base._data import check_data
from sklvm.diagnostics import convergence
from sklvm.exceptions import FitWarning
from sklvm.settings import Settings, StringShorthandMixin
from sklvm.training import Budget, EpochCallbacks, Monitor, run_epochs, run_stream, split_rows

__all__ = ["IterativeModel"]


class IterativeModel(StringShorthandMixin, CallbackSupportMixin, BaseEstimator):
    """Base of all models that learn in epochs: their ``fit`` and ``partial_fit``.

    A subclass has the parameters that are constrained here, and ``batch_size``, ``shuffle`` and
    ``tol``. It implements

    - ``_start(X, weights)``, which checks all parameters and then returns a new
      :class:`~sklvm.training.Learner`; this is kept as ``_training``;
    - ``_fitted_attributes(learner)``, which returns the fitted attributes by name.

    It may also say how a warm start goes on (``_continue``), what other data than dense finite ones
    it takes (``_validation``, ``_min_rows``) and what it makes of them (``_prepared``), how long
    the fit may be and when to stop (``_budget``, ``_stopping_rule``), which part of the rows is
    held out and whether they decide the end (``_held_out_fraction``, ``_validates``), what else to
    record (``_diagnosis``) and to look at in the end (``_diagnoses``), what is to be in force
    around the epochs (``_resources``), and whether it learns from streams (``_check_streamable``).

    Three more hooks compose: a mix-in that overrides one stands to the left of this class and calls
    ``super()``. ``_companions`` makes what is kept beside the learner, such as log Z; ``_show``
    shows it the training data; ``_check_parameters`` refuses parameters that are wrong for any
    data.
    """

    _validation: dict = {}
    # Rows of positive weight that ``fit`` needs, and a chunk of ``partial_fit``.
    _min_rows = {"fit": 2, "partial_fit": 2}
    _parameter_constraints: dict = {
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # -- fitting ----------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model to X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the criterion.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For bad data or parameters, and where the two do not go together.
        DivergenceError
            Where parameters or criterion became infinite or NaN; the last finite parameters are
            kept.

        Warns
        -----
        FitWarning
            A ``ConvergenceWarning``: once a fit, where one of its ``diagnostics_`` is a problem,
            such as a criterion that was still falling when ``max_iter`` ended the fit.
        """
        self._check_parameters()
        is_continued = self.warm_start and self.__sklearn_is_fitted__()
        X, weights = self._check_data(
            X,
            sample_weight,
            reset=not is_continued,
            min_rows=self._min_rows["fit"],
            params=self.get_params(deep=False),
        )
        learner = (
            self._continue(self._training, X, weights) if is_continued else self._start(X, weights)
        )
        rows, held_out = split_rows(len(weights), self._held_out_fraction(), learner.shuffle_rng)
        diagnose = self._diagnosis(learner, X, weights, rows, held_out)
        budget = self._budget(learner, len(rows))
        tol, patience = self._stopping_rule(X, weights)
        companions = self._companions(learner)
        self._show(companions, X, weights)
        monitor = Monitor(
            tol=tol,
            patience=patience,
            verbose=self.verbose,
            owner=type(self).__name__,
            max_iter=budget.max_iter,
        )
        callbacks = EpochCallbacks(
            self,
            X,
            y,
            budget.max_iter,
            lambda: {**self._fitted_attributes(copy.deepcopy(learner)), **companions},
        )
        vars(self).update(companions, _training=learner)
        try:
            with self._resources():
                run_epochs(
                    learner,
                    X,
                    weights,
                    monitor,
                    callbacks,
                    rows=rows,
                    validation_rows=held_out if self._validates() else None,
                    budget=budget,
                    batch_size=self.batch_size,
                    shuffle=self.shuffle,
                    diagnose=diagnose,
                )
        finally:
            # After Ctrl-C and divergence, too: what has been learned is there to be used.
            self.history_ = monitor.history()
            self.n_iter_ = len(monitor.records)
            self._publish()
        self._report(monitor, X, weights)
        return self

    @available_if(lambda self: self._check_streamable())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train on the rows of X once, in their order and in batches of ``batch_size``.

        Over the same batches, and from the same start, the result is that of ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next chunk of data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the criterion.

        Returns
        -------
        self : object
            The estimator.
        """
        self._check_parameters()
        is_first = not self.__sklearn_is_fitted__()
        X, weights = self._check_data(
            X,
            sample_weight,
            reset=is_first,
            min_rows=self._min_rows["partial_fit"],
            params=self.get_params(deep=False) if is_first else self._fitted_params,
        )
        learner = self._start(X, weights) if is_first else self._training
        companions = self._companions(learner) if is_first else vars(self)
        self._show(companions, X, weights)
        if is_first:
            vars(self).update(companions, _training=learner, history_={}, n_iter_=0)
        try:
            with self._resources():
                values = run_stream(learner, X, weights, batch_size=self.batch_size)
        finally:
            vars(self).pop("diagnostics_", None)
            self._publish()
        self.n_iter_ += 1
        for name, value in values.items():
            if not np.isnan(value):
                self.history_[name] = np.append(self.history_.get(name, []), value)
        return self

    def _check_data(self, X, sample_weight, *, reset, min_rows, params):
        """X and positive weights of its dtype, rows of weight 0 left out."""
        X = self._check_X(X, reset=reset, params=params, ensure_min_samples=min_rows)
        if sample_weight is None:
            return X, np.ones(X.shape[0], dtype=X.dtype)
        weights = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True, copy=True
        )
        positive = weights > 0
        if positive.sum() < min_rows:
            raise ValueError(
                f"sample_weight has {positive.sum()} positive entries; at least {min_rows} are "
                "needed."
            )
        return (X, weights) if positive.all() else (X[positive], weights[positive])

    def _check_X(self, X, *, reset=False, params=None, **options):
        """Valid rows as the model takes them, by the parameters of the fit or by those given."""
        X = self._check_rows(X, reset=reset, **options)
        return self._prepared(X, self._fitted_params if params is None else params)

    def _prepared(self, X, params):
        """Valid rows in the model's own units."""
        return X

    def _check_rows(self, X, *, reset=False, **options):
        """Valid rows as they are given."""
        options = {**self._validation, **options}
        return check_data(self, X, dtype=FLOATS, order="C", reset=reset, **options)

    def _report(self, monitor, X, weights):
        """Look at a fit that has ended: ``diagnostics_``, and one warning of all that is wrong."""
        found = {**self._diagnoses(monitor, X, weights), **self._convergence(monitor)}
        self.diagnostics_ = found
        problems = {name: found[name] for name in found if found[name].is_problem}
        if "tied_rows" in problems:
            # More epochs would only let the criterion fall further.
            problems.pop("convergence")
        messages = [problem.message for problem in problems.values()]
        if messages:
            warn(f"{type(self).__name__}: {' '.join(messages)}", FitWarning)

    def _convergence(self, monitor):
        found = convergence(monitor, self._training, tol=self.tol)
        return {} if found is None else {"convergence": found}

    def _publish(self):
        vars(self).update(self._fitted_attributes(self._training))

    def __getstate__(self):
        # Fitted attributes are views of what the learner has, and would pickle as copies.
        state = dict(super().__getstate__())
        if self.__sklearn_is_fitted__():
            for name in self._fitted_attributes(self._training).keys() - {"_training"}:
                state.pop(name, None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if self.__sklearn_is_fitted__():
            self._publish()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_training")

    # -- what a subclass gives --------------------------------------------------------------------

    def _start(self, X, weights):
        raise NotImplementedError

    def _fitted_attributes(self, learner):
        return {"_training": learner}

    # -- what it may add --------------------------------------------------------------------------

    def _continue(self, learner, X, weights):
        """The learner of a warm start: θ of the last fit, and what parameters say now."""
        return learner

    def _check_streamable(self):
        """Raise an ``AttributeError`` where there can be no ``partial_fit``; else True."""
        return True

    def _budget(self, learner, n_rows):
        """How many epochs the fit of so many rows may have."""
        return Budget(self.max_iter)

    def _stopping_rule(self, X, weights):
        """By how much an epoch has to improve, and how many may fail to."""
        return self.tol, 1

    def _held_out_fraction(self):
        """Which part of the rows is not trained on."""
        return 0

    def _validates(self):
        """Whether the rows that are held out say when to stop."""
        return False

    def _diagnosis(self, learner, X, weights, rows, held_out):
        """A function () → what else ``history_`` is to hold of an epoch, floats by name."""
        return dict

    def _resources(self):
        """A context in which the epochs run: workers, limits on threads."""
        return nullcontext()

    def _diagnoses(self, monitor, X, weights):
        """What else there is to see at the end of a fit: ``Diagnosis`` by name."""
        return {}

    # -- these compose ----------------------------------------------------------------------------

    def _check_parameters(self):
        """Raise where parameters are wrong whatever the data are; before any work."""

    def _companions(self, learner):
        """What is kept beside the learner of a fit or a stream that begins: attributes by name.

        The parameters of the fit are: whatever is asked of the fitted model, ``_fitted_params`` are
        asked, for ``set_params`` changes nothing before the next fit.
        """
        params = self.get_params(deep=False)
        settings = {
            name: clone(value) for name, value in params.items() if isinstance(value, Settings)
        }
        return {"_fitted_params": {**params, **settings}}

    def _show(self, companions, X, weights):
        """Show the companions rows that are to be learned from next."""
