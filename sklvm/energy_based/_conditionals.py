"""Draws and densities of some visible units given the others."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklvm.base import generator_from
from sklvm.rows import as_dense
from sklvm.samplers import BlockGibbs

__all__ = ["ConditionalMixin"]

N_ANNEALING_SWEEPS = 100


class ConditionalMixin:
    """For models with block Gibbs sampling: clamped draws, imputation, conditional densities."""

    def sample(self, n_samples=1, *, n_steps=100, init="reference", given=None, random_state=None):
        """Draw from the model, or from its law given some of the visible units.

        Every draw is the end of a chain of its own; all chains take their sweeps of block Gibbs
        sampling in parallel. Exact in the limit of many steps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        n_steps : int, default=100
            Sweeps at the model's own temperature.
        init : "reference" or array-like of shape (n_features,) or (n_samples, n_features), \
default="reference"
            Where the chains start. "reference" is independent draws with the means of the training
            data, and 100 sweeps of annealing from them to the model come first.
        given : array-like of shape (n_features,) or (n_samples, n_features), default=None
            Values at which units are held; NaN where they are free. None: all are free.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws.

        Raises
        ------
        ValueError
            For bad numbers, shapes or values.
        """
        check_is_fitted(self)
        _check_count("n_samples", n_samples, 1)
        _check_count("n_steps", n_steps, 0)
        if given is not None:
            given = self._check_rows("given", given, n_samples, allow_nan=True)
        rng = generator_from(random_state)
        if isinstance(init, str) and init == "reference":
            gibbs, theta, state = self._annealed_chains(n_samples, given, rng)
        elif isinstance(init, str):
            raise ValueError(f"init must be 'reference' or an array, got {init!r}.")
        else:
            start = self._check_rows("init", init, n_samples, allow_nan=False)
            gibbs, theta, state = self._chains(start, given, rng)
        return gibbs.step(theta, state, n_steps).visible

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries from the law of the model given the observed ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, NaN where missing.
        method : {"mean", "draw"}, default="mean"
            "mean" fills in E[x_missing | x_observed], the average of E[x_missing | z] over the
            last `n_steps` sweeps of a clamped chain; "draw" a draw from p(x_missing | x_observed).
        n_steps : int, default=100
            Sweeps before the draw or the average, after 100 of annealing.
        random_state : int, RandomState instance or None, default=None
            Seed of the chains.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The data without NaN; observed entries are as they were.
        """
        check_is_fitted(self)
        if method not in ("mean", "draw"):
            raise ValueError(f"method must be 'mean' or 'draw', got {method!r}.")
        _check_count("n_steps", n_steps, 1)
        X = as_dense(self._check_X(X))
        incomplete = np.isnan(X).any(axis=1)
        if not incomplete.any():
            return X.copy()
        given = X[incomplete].astype(self._training.theta.dtype)
        gibbs, theta, state = self._annealed_chains(len(given), given, generator_from(random_state))
        state = gibbs.step(theta, state, n_steps)
        filling = state.visible
        if method == "mean":
            filling = np.zeros_like(given)
            energy = self._training.energy
            for _ in range(n_steps):
                # The hidden units that the coming sweep draws.
                Z = energy.sample_hidden(theta, state.visible, state.seed, state.sweep)
                filling += energy.visible_mean(theta, Z)
                state = gibbs.step(theta, state)
            filling /= n_steps
        X = X.copy()
        X[incomplete] = np.where(np.isnan(given), filling, given)
        return X

    def conditional_log_proba(self, X, free):
        """log p(x_free | x_others), in nats, exactly.

        Free of log Z: it is a difference of free energies, with the free units summed out in one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Complete data.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features)
            Which units' law is asked for; the others are given.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,)
            A log-density for real data.

        Raises
        ------
        ValueError
            For a mask of another shape, and where the sum has more than 2²⁰ terms.
        """
        check_is_fitted(self)
        X, free = as_dense(self._check_X(X)), np.asarray(free)
        if free.dtype != np.bool_ or free.shape not in (X.shape, X.shape[1:]):
            raise ValueError(
                f"free must be a mask of shape {X.shape[1:]} or {X.shape}, got shape {free.shape} "
                f"and dtype {free.dtype}."
            )
        if np.isnan(X).any():
            raise ValueError("X contains NaN; the density is that of complete rows.")
        return self._energy_rows(np.where(free, np.nan, X)) - self._energy_rows(X)

    # -- chains -----------------------------------------------------------------------------------

    def _chains(self, start, given, rng):
        """The sampler, θ, and chains at `start`, held at the values of `given` that are numbers."""
        free = None if given is None else np.isnan(given)
        start = start if given is None else np.where(free, start, given)
        gibbs = BlockGibbs(self._training.energy, free)
        return gibbs, self._training.energy_theta, gibbs.init(start, int(rng.integers(2**63)))

    def _annealed_chains(self, n_chains, given, rng):
        """The same, carried from the reference to the model through its tempered versions."""
        energy = self._training.energy
        seed = int(rng.integers(2**63))
        reference = self._log_partition.reference
        start = energy.sample_start(reference, n_chains, seed)
        gibbs, theta, state = self._chains(start, given, rng)
        for beta in np.linspace(0, 1, N_ANNEALING_SWEEPS, dtype=theta.dtype):
            state = gibbs.step(energy.temper(reference, theta, beta), state)
        return gibbs, theta, state

    def _check_rows(self, name, rows, n_rows, *, allow_nan):
        theta = self._training.energy_theta
        rows = check_array(
            rows,
            dtype=theta.dtype,
            ensure_2d=False,
            ensure_all_finite="allow-nan" if allow_nan else True,
            input_name=name,
        )
        shapes = [(self.n_features_in_,), (n_rows, self.n_features_in_)]
        if rows.shape not in shapes:
            raise ValueError(
                f"{name} must have shape {shapes[0]} or {shapes[1]}, got {rows.shape}."
            )
        return self._prepared(np.broadcast_to(rows, shapes[1]), self._fitted_params)


def _check_count(name, value, least):
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")
