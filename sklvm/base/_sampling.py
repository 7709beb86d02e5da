"""Draws from a model, and from its conditional distributions."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklvm.base._checks import check_count
from sklvm.base._random_state import generator_from
from sklvm.energies import ExpectedVisible
from sklvm.partition import anneal
from sklvm.rows import as_dense
from sklvm.samplers import chains_for

__all__ = ["SamplingMixin"]

# Temperatures between the reference and the model.
N_ANNEALING_TEMPERATURES = 100


class SamplingMixin:
    """``sample`` and ``impute``, for a ``TrainedModel`` that keeps its ``_log_partition``.

    Chains start at independent draws of the reference, pass through intermediate temperatures to
    the model, and move on there: by the energy's own Gibbs sampling, or by Hamiltonian Monte Carlo
    with latent units summed out. Given entries keep their values
    throughout.
    """

    _imputations = ("mean", "draw")

    def sample(
        self,
        n_samples=1,
        *,
        n_steps=100,
        init="reference",
        given=None,
        mean=False,
        random_state=None,
    ):
        """Draw from the model, or from its distribution given some of the features.

        Every draw is the end of a chain of its own; all chains move in parallel. Exact in the limit
        of many steps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        n_steps : int, default=100
            Transitions at the model's own temperature.
        init : "reference" or array-like of shape (n_features,) or (n_samples, n_features), \
default="reference"
            Where the chains start. "reference" is independent draws of a simple density fitted to
            the training data, and annealing from there to the model comes first.
        given : array-like of shape (n_features,) or (n_samples, n_features), default=None
            Values at which features are held; NaN where they are free. None: all are free.
        mean : bool, default=False
            Return E[x | z] at the final hidden states z of the chains instead of draws of x: grey
            levels instead of bits, for pictures. They are not draws from the model.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws, or the means.

        Raises
        ------
        ValueError
            For bad numbers, shapes or values.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        check_count("n_steps", n_steps, 0)
        free = None
        if given is not None:
            given = self._check_start("given", given, n_samples, allow_nan=True)
            free = np.isnan(given)
        n_inputs = getattr(self._training.energy, "n_inputs", 0)
        if n_inputs and (free is None or free[:, :n_inputs].any()):
            raise ValueError(
                f"This {type(self).__name__} is a model of some features given the first "
                f"{n_inputs}: pass the values of these, and NaN for the others, as given=..."
            )
        if isinstance(init, str) and init != "reference":
            raise ValueError(f"init must be 'reference' or an array, got {init!r}.")
        energy, theta = self._training.energy, self._training.energy_theta
        if mean and (n_steps == 0 or not isinstance(energy, ExpectedVisible)):
            raise ValueError(
                "mean=True needs a last sweep of Gibbs sampling through the hidden units, and this "
                f"{type(self).__name__} makes none with n_steps={n_steps}."
            )

        def ends(state, draws):
            means = energy.expected_visible(theta, state) if mean else draws
            return means if free is None or not mean else np.where(free, means, given)

        if not isinstance(init, str):
            start = self._check_start("init", init, n_samples, allow_nan=False)
            start = start if free is None else np.where(free, start, given)
            rng, chains = generator_from(random_state), chains_for(energy)
            state = chains.start(energy, theta, start, int(rng.integers(2**63)))
            state = chains.run(energy, theta, state, n_steps, free=free)[0]
            return ends(state, state.visible)
        path = self._log_partition.path(theta, free=free, current=given)
        rng = generator_from(random_state)
        state, _ = anneal(
            path, N_ANNEALING_TEMPERATURES, n_samples, rng, n_last_moves=n_steps, weighted=False
        )
        return ends(state, path.positions(state))

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries from the distribution of the model given the observed ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, NaN where missing.
        method : {"mean", "draw"}, default="mean"
            "mean" fills in an estimate of E[x_missing | x_observed], the average over the last
            `n_steps` transitions of a chain with the observed entries clamped; "draw" a draw from
            p(x_missing | x_observed).
        n_steps : int, default=100
            Transitions before the draw or the average, after annealing.
        random_state : int, RandomState instance or None, default=None
            Seed of the chains.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The data without NaN, of X's dtype; observed entries are as they were.

        Raises
        ------
        ValueError
            For bad data, and for another `method`.
        """
        check_is_fitted(self)
        if method not in self._imputations:
            allowed = " or ".join(map(repr, self._imputations))
            raise ValueError(f"method must be {allowed}, got {method!r}.")
        check_count("n_steps", n_steps)
        X = as_dense(self._check_rows(X, ensure_all_finite="allow-nan")).copy()
        missing = np.isnan(X)
        incomplete = missing.any(axis=1)
        if not incomplete.any():
            return X
        n_inputs = getattr(self._training.energy, "n_inputs", 0)
        if missing[:, :n_inputs].any():
            raise ValueError(
                f"This {type(self).__name__} is a model of some features given the first "
                f"{n_inputs}, and X contains NaN among these: it cannot fill them."
            )
        free = missing[incomplete]
        given = self._prepared(X[incomplete], self._fitted_params)
        given = given.astype(self._training.energy_theta.dtype)
        filling = self._filling(given, free, method, n_steps, generator_from(random_state))
        X[missing] = filling[free]
        return X

    def _filling(self, given, free, method, n_steps, rng):
        energy, theta = self._training.energy, self._training.energy_theta
        path = self._log_partition.path(theta, free=free, current=given)
        total, n_seen = np.zeros_like(given), 0

        def observe(state):
            nonlocal total, n_seen
            n_seen += 1
            if n_seen <= n_steps:
                return
            if isinstance(energy, ExpectedVisible):
                total += energy.expected_visible(theta, state)
            else:
                total += path.positions(state)

        state, _ = anneal(
            path,
            N_ANNEALING_TEMPERATURES,
            len(given),
            rng,
            n_last_moves=n_steps if method == "draw" else 2 * n_steps,
            observe=observe,
            weighted=False,
        )
        return path.positions(state) if method == "draw" else total / n_steps

    def _check_start(self, name, rows, n_rows, *, allow_nan):
        """Rows of the model's width and dtype: a single one, or one for each chain."""
        rows = check_array(
            rows,
            dtype=self._training.energy_theta.dtype,
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
