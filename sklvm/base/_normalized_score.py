"""Estimators with the density exp(−E)/Z: scores in nats, log Z, draws."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import StrOptions
from sklvm.base._conditional_log_partition import ConditionalLogPartition
from sklvm.base._constant_log_partition import ConstantLogPartition
from sklvm.base._random_state import generator_from
from sklvm.base._sampling import SamplingMixin
from sklvm.partition import AnnealedImportanceSampling, check_partition

__all__ = ["NormalizedScoreMixin"]


def _estimated(name, meaning):
    """A fitted attribute that exists once log Z is estimated; reading it starts no estimate."""

    def read(self):
        check_is_fitted(self)
        training, log_partition = self._training, self._log_partition
        known = log_partition and log_partition.known(training.n_steps)
        if not known:
            advice = "yet. score_samples and estimate_log_partition estimate it."
            if isinstance(log_partition, ConditionalLogPartition):
                advice = "but one for each row: ask conditional_log_partition."
            raise AttributeError(f"This {type(self).__name__} has no log_partition_{name} {advice}")
        return getattr(known, name.rstrip("_") or "value")

    return property(read, doc=meaning)


def _is_conditional(estimator):
    is_fitted = estimator.__sklearn_is_fitted__()
    return is_fitted and isinstance(estimator._log_partition, ConditionalLogPartition)


def _has_one_log_partition(estimator):
    if _is_conditional(estimator):
        raise AttributeError("log Z depends on the inputs in a row: ask conditional_log_partition.")
    return True


def _has_conditional_log_partition(estimator):
    if not _is_conditional(estimator):
        raise AttributeError("log Z is one number: ask estimate_log_partition.")
    return True


class NormalizedScoreMixin(SamplingMixin):
    """Scores in nats and draws, for a ``TrainedModel`` with a ``partition`` parameter.

    The model has an ``energy`` method, and its log Z as ``_log_partition``: a ``LogPartition``, or
    None where ``_has_density`` says that the fit's objective leaves no density.
    """

    _shorthands = {
        "partition": {"auto": AnnealedImportanceSampling, "ais": AnnealedImportanceSampling}
    }
    _parameter_constraints: dict = {
        "partition": [StrOptions({"auto", "exact", "ais", "none"}), AnnealedImportanceSampling],
    }

    log_partition_ = _estimated("", "log Z, in nats.")
    log_partition_std_err_ = _estimated("std_err_", "Its standard error, in nats; 0 where exact.")
    log_partition_effective_sample_size_ = _estimated(
        "effective_sample_size_", "Of the annealing's weights; infinite where exact."
    )
    log_partition_bracket_ = _estimated(
        "bracket_", "Stochastic bounds of log Z from below and above, in nats, or None."
    )

    @property
    def score_normalized_(self):
        """Whether ``score_samples`` is a log-density.

        False with ``partition="none"``, until ``estimate_log_partition`` is called.
        """
        check_is_fitted(self)
        log_partition = self._log_partition
        return log_partition is not None and (
            log_partition.is_normalizing or log_partition.known(self._training.n_steps) is not None
        )

    def _check_model(self, energy, objective):
        super()._check_model(energy, objective)
        if self._has_density(objective):
            check_partition(energy, self.partition)

    def _companions(self, learner):
        log_partition = None
        if self._has_density(learner.objective):
            is_conditional = getattr(learner.energy, "n_inputs", 0) > 0
            kind = ConditionalLogPartition if is_conditional else ConstantLogPartition
            log_partition = kind(
                learner.energy,
                self.partition,
                learner.seed,
                owner=type(self).__name__,
                verbose=self.verbose,
            )
        return {**super()._companions(learner), "_log_partition": log_partition}

    def _show(self, companions, X, weights):
        super()._show(companions, X, weights)
        if companions["_log_partition"] is not None:
            companions["_log_partition"].show(X, weights)

    def _has_density(self, objective):
        """Whether `objective` fits the density exp(−E)/Z."""
        return True

    @available_if(_has_one_log_partition)
    def estimate_log_partition(self, X=None, *, partition=None, random_state=None, verbose=None):
        """Estimate log Z of the current parameters.

        Without arguments this is what the first call of ``score_samples`` does, and an estimate
        that is known already stays. With any argument log Z is estimated anew, and scores use the
        new value.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Data to which the reference of annealing is fitted. None: the training data, or the
            first chunk given to ``partial_fit``.
        partition : {"auto", "exact", "ais"} or AnnealedImportanceSampling, default=None
            How log Z is found. None: as the ``partition`` parameter said when the fit began.
        random_state : int, RandomState instance or None, default=None
            Seed of annealing. None: it follows from the fit's seed and number of training steps.
        verbose : int, default=None
            1 prints how annealing goes. None: as in the fit.

        Returns
        -------
        self : object
            With ``log_partition_``, ``log_partition_std_err_``,
            ``log_partition_effective_sample_size_`` and ``log_partition_bracket_``.

        Raises
        ------
        ValueError
            Where the model does not allow `partition`.

        Warns
        -----
        ConvergenceWarning
            Where the estimate rests on few chains, or the bracket is wide.
        """
        check_is_fitted(self)
        training = self._training
        theta, n_steps = training.energy_theta, training.n_steps
        if X is None and partition is None and random_state is None and verbose is None:
            self._log_partition.estimate(theta, n_steps)
            return self
        self._log_partition.estimate_anew(
            theta,
            n_steps,
            X=None if X is None else self._check_X(X),
            partition=partition,
            rng=None if random_state is None else generator_from(random_state),
            verbose=verbose,
        )
        return self

    @available_if(_has_conditional_log_partition)
    def conditional_log_partition(self, X, *, partition=None, random_state=None, verbose=None):
        """log Z(x) of each row, for a model of some entries y given the others x.

        The density of a row [x, y] is p(y | x) = exp(−E(x, y))/Z(x). By annealing, every row has
        chains of its own, and the same value whatever other rows come with it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows [x, y]; y does not matter.
        partition : {"auto", "exact", "ais"} or AnnealedImportanceSampling, default=None
            How log Z is found. None: as the ``partition`` parameter said when the fit began.
        random_state : int, RandomState instance or None, default=None
            Seed of annealing. None: the seed that ``score_samples`` uses.
        verbose : int, default=None
            1 prints how annealing goes. None: as in the fit.

        Returns
        -------
        log_partition : ndarray of shape (n_samples,)
            In nats.
        std_err : ndarray of shape (n_samples,)
            Standard errors; 0 where exact.
        """
        check_is_fitted(self)
        training = self._training
        seed = None
        if random_state is not None:
            seed = int(generator_from(random_state).integers(2**63))
        estimate = self._log_partition.estimate_rows(
            training.energy_theta,
            training.n_steps,
            self._check_X(X),
            partition=partition,
            seed=seed,
            verbose=verbose,
        )
        return estimate.value, estimate.std_err

    def score_samples(self, X):
        """Log-density of each row, log p̃(x) − log Z, in nats.

        Comparable across hyper-parameters, and with any other density on the same space, up to the
        error of log Z. The first call after a fit estimates log Z, within the budget that
        ``partition`` set. With ``partition="none"`` it is log p̃(x), not normalised.

        For a conditional model it is log p(y | x), and log Z(x) is estimated for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.

        Warns
        -----
        ConvergenceWarning
            Where the estimate of log Z is unreliable.
        """
        energy = self.energy(X)
        if not self.score_normalized_:
            return -energy
        training, log_partition = self._training, self._log_partition
        rows = self._check_X(X) if isinstance(log_partition, ConditionalLogPartition) else X
        values = log_partition.values(training.energy_theta, training.n_steps, rows)
        return -energy - np.asarray(values).astype(energy.dtype)
