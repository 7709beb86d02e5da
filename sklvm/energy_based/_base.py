"""What the energy-based estimators share: fit, partial_fit, scores and log Z."""

import copy
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sklvm._compat import Interval, StrOptions, _fit_context
from sklvm.base import LatentVariableModel
from sklvm.exceptions import MissingLogPartitionError
from sklvm.objectives import OBJECTIVES, Objective, check_capabilities
from sklvm.optimizers import LBFGS, OPTIMIZERS, StochasticOptimizer
from sklvm.parameter_objects import resolve
from sklvm.partition import (
    AnnealedImportanceSampling,
    anneal,
    annealing_path,
    fit_reference,
    log_partition,
)
from sklvm.training import (
    EpochCallbacks,
    Monitor,
    Training,
    check_compatible,
    run_epochs,
    run_stream,
    split_rows,
)

__all__ = ["EnergyBasedModel"]

BUDGETS = {"auto": AnnealedImportanceSampling, "ais": AnnealedImportanceSampling}


class EnergyBasedModel(LatentVariableModel):
    """Base of the estimators whose density is exp(−E(x; θ))/Z(θ).

    A subclass gives ``_make_energy(n_features)``, ``_model_attributes(energy, theta)`` (fitted attributes
    by name), its parameters and its docstring.
    """

    _shorthands = {"objective": OBJECTIVES, "optimizer": OPTIMIZERS, "partition": BUDGETS}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "objective": [StrOptions(set(OBJECTIVES)), Objective],
        "optimizer": [StrOptions(set(OPTIMIZERS)), StochasticOptimizer, LBFGS],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "partition": [StrOptions({"auto", "exact", "ais", "none"}), AnnealedImportanceSampling],
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
            For bad data or parameters, and where the objective does not fit the model.
        DivergenceError
            Where training left the finite numbers; the last finite parameters are kept.
        """
        is_continued = self.warm_start and hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=not is_continued)
        if not is_continued:
            self._start(X, weights)
        training = self._training
        rows, validation_rows = split_rows(
            len(X), self.validation_fraction if self.early_stopping else 0, training.shuffle_rng
        )
        monitor = Monitor(
            tol=self.tol,
            patience=self.n_iter_no_change,
            verbose=self.verbose,
            owner=type(self).__name__,
            max_iter=self.max_iter,
        )
        callbacks = EpochCallbacks(
            self, X, self.max_iter, lambda: self._fitted_attributes(copy.deepcopy(training))
        )
        try:
            run_epochs(
                training,
                X,
                weights,
                monitor,
                callbacks,
                rows=rows,
                validation_rows=validation_rows,
                max_iter=self.max_iter,
                batch_size=self.batch_size,
                shuffle=self.shuffle,
            )
        finally:
            self.history_ = monitor.history()
            self.n_iter_ = len(monitor.records)
            self._publish()
        self._warn_unconverged(monitor)
        self._reference = fit_reference(training.energy, X, weights)
        if self.partition != "none":
            self._estimate_log_partition(X.size, training.rng)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train on the rows of X once, in their order and in batches of ``batch_size``.

        From the same start and over the same batches it does what ``fit`` does. ``log_partition_``
        becomes stale and is deleted: call ``estimate_log_partition`` before ``score_samples``.

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
        is_first = not hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=is_first)
        if is_first:
            self._start(X, weights)
            self._reference = fit_reference(self._training.energy, X, weights)
            self.history_, self.n_iter_ = {}, 0
        try:
            values = run_stream(self._training, X, weights, batch_size=self.batch_size)
        finally:
            self._forget_log_partition()
            self._publish()
        self.n_iter_ += 1
        for name, value in values.items():
            if not np.isnan(value):
                self.history_[name] = np.append(self.history_.get(name, []), value)
        return self

    def _check_data(self, X, sample_weight, *, reset):
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], order="C", reset=reset, ensure_min_samples=2
        )
        if sample_weight is None:
            return X, np.ones(len(X), dtype=X.dtype)
        weights = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True, copy=True
        )
        positive = weights > 0
        if positive.sum() < 2:
            raise ValueError(
                f"sample_weight has {positive.sum()} positive entries; at least 2 are needed."
            )
        return (X, weights) if positive.all() else (X[positive], weights[positive])

    def _start(self, X, weights):
        """A fresh ``Training``, after all that can be wrong with the parameters has been checked."""
        owner = type(self).__name__
        objective = resolve(self.objective, OBJECTIVES, "objective", owner)
        optimizer = resolve(self.optimizer, OPTIMIZERS, "optimizer", owner)
        energy = self._make_energy(X.shape[1])
        check_capabilities(objective, energy, OBJECTIVES, owner)
        check_compatible(objective, optimizer)
        if self.early_stopping and not objective.has_value:
            raise ValueError(
                f"early_stopping=True watches the criterion on held-out rows, and "
                f"{type(objective).__name__} has no value to watch."
            )
        rng = _generator(self.random_state)
        self._training = Training(energy, objective, optimizer, X, weights, rng)

    def _warn_unconverged(self, monitor):
        training = self._training
        if training.optimizer.full_batch:
            unconverged = not (monitor.converged or getattr(training, "optimizer_converged", True))
        else:
            unconverged = self.tol > 0 and not monitor.converged
        if unconverged and self.max_iter > 0:
            warnings.warn(
                f"{type(self).__name__} did not converge in max_iter={self.max_iter} iterations. "
                "Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )

    # -- fitted attributes ------------------------------------------------------------------------

    def _fitted_attributes(self, training):
        return {
            "_training": training,
            "n_features_in_": training.energy.n_features,
            **self._model_attributes(training.energy, training.energy_theta),
        }

    def _publish(self):
        for name, value in self._fitted_attributes(self._training).items():
            setattr(self, name, value)

    @property
    def _n_features_out(self):
        return self._training.energy.n_components

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_training")

    # -- log Z ------------------------------------------------------------------------------------

    @property
    def score_normalized_(self):
        """Whether ``score_samples`` is a log-density; False with ``partition="none"``."""
        return self.partition != "none" or hasattr(self, "log_partition_")

    def estimate_log_partition(self, X=None, *, random_state=None):
        """Estimate log Z of the current parameters, with the budget that ``partition`` sets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Data to fit the annealing's reference to; None: that of ``fit``, or of the first chunk.
        random_state : int, RandomState instance or None, default=None
            None: the estimator's own stream of random numbers goes on.

        Returns
        -------
        self : object
            With ``log_partition_``, ``log_partition_std_err_`` and
            ``log_partition_effective_sample_size_``.
        """
        check_is_fitted(self)
        n_entries = None
        if X is not None:
            X = self._check_X(X)
            self._reference = fit_reference(self._training.energy, X)
            n_entries = X.size
        rng = self._training.rng if random_state is None else _generator(random_state)
        return self._estimate_log_partition(n_entries, rng)

    def _estimate_log_partition(self, n_entries, rng):
        method, budget = self._partition_method_and_budget(n_entries)
        estimate = log_partition(
            self._training.energy,
            self._training.energy_theta,
            self._reference,
            method=method,
            budget=budget,
            rng=rng,
        )
        self.log_partition_ = estimate.value
        self.log_partition_std_err_ = estimate.std_err
        self.log_partition_effective_sample_size_ = estimate.effective_sample_size
        return self

    def _partition_method_and_budget(self, n_entries=None):
        is_budget = isinstance(self.partition, AnnealedImportanceSampling)
        budget = self.partition.validate() if is_budget else AnnealedImportanceSampling()
        if n_entries is not None:
            budget = budget.for_data(n_entries)
        return ("ais" if is_budget else self.partition.replace("none", "auto")), budget

    def _forget_log_partition(self):
        for name in ("value", "std_err", "effective_sample_size"):
            suffix = "" if name == "value" else f"{name}_"
            self.__dict__.pop(f"log_partition_{suffix}", None)

    # -- using the model --------------------------------------------------------------------------

    def transform(self, X):
        """Posterior means of the hidden units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(z_k = 1 | x).
        """
        check_is_fitted(self)
        X = self._check_X(X)
        return self._training.energy.posterior(self._training.energy_theta, X)

    def energy(self, X):
        """E(x; θ) = −log p̃(x), in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            The energies; lower is more probable.
        """
        check_is_fitted(self)
        X = self._check_X(X)
        return self._training.energy.evaluate(self._training.energy_theta, X)[0]

    def score_samples(self, X):
        """Log-density of each row, log p̃(x) − log Z, in nats.

        Comparable across hyper-parameters, and with any other density on the same space, up to the
        error of log Z. With ``partition="none"`` it is log p̃(x), not normalised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.

        Raises
        ------
        MissingLogPartitionError
            After ``partial_fit``, until ``estimate_log_partition`` has been called.
        """
        check_is_fitted(self)
        if self.score_normalized_ and not hasattr(self, "log_partition_"):
            raise MissingLogPartitionError(
                f"This {type(self).__name__} has changed since log Z was known. Call "
                "estimate_log_partition() first, or set partition='none' to score without it."
            )
        energy = self.energy(X)
        return -energy - energy.dtype.type(getattr(self, "log_partition_", 0.0))

    def sample(self, n_samples=1, *, n_steps=100, random_state=None):
        """Draw from the model, by annealing and then its own sampler.

        Every draw is the end of a chain of its own: from the reference density through intermediate
        temperatures to the model, and `n_steps` transitions on. Exact in the limit of many steps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        n_steps : int, default=100
            Transitions at the model's own temperature.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws.
        """
        check_is_fitted(self)
        for name, value, least in (("n_samples", n_samples, 1), ("n_steps", n_steps, 0)):
            if not isinstance(value, Integral) or value < least:
                raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")
        _, budget = self._partition_method_and_budget()
        training = self._training
        path = annealing_path(
            training.energy,
            training.energy_theta,
            self._reference,
            n_leapfrog_steps=budget.n_leapfrog_steps,
        )
        particles, _ = anneal(path, 200, n_samples, _generator(random_state), n_last_moves=n_steps)
        return path.positions(particles)

    def _check_X(self, X):
        return validate_data(self, X, dtype=[np.float64, np.float32], order="C", reset=False)


def _generator(random_state):
    """A ``Generator`` from scikit-learn's kind of ``random_state``."""
    seed = check_random_state(random_state).randint(2**32, size=4, dtype=np.uint32)
    return np.random.default_rng(seed)
