"""What the restricted Boltzmann machines share."""

from functools import partial
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import check_latent_rows
from sklvm.energy_based._base import LatentEnergyBasedModel
from sklvm.energy_based._conditionals import ConditionalMixin
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.rows import as_dense
from sklvm.training import EnergyGap, check_complete
from sklvm.training.links import Centring, CompletedGaps, SparsityTarget

__all__ = ["RestrictedBoltzmannMachine"]

DEFAULT_OPTIMIZER = partial(Adam, 0.01, schedule="linear", max_gradient_norm=10.0)

# Of the mean-field equations, for missing entries.
N_MEAN_FIELD_SWEEPS = 50

# Rows whose reconstruction error is recorded where the criterion has no value.
N_WATCHED = 200


class RestrictedBoltzmannMachine(ConditionalMixin, LatentEnergyBasedModel):
    """Base of the models with a layer of visible and a layer of binary hidden units."""

    _shorthands = {
        "optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER},
    }
    _validation = {"ensure_all_finite": "allow-nan"}
    _parameter_constraints: dict = {
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
        "centered": ["boolean"],
        "sparsity_target": [Interval(Real, 0, 1, closed="neither"), None],
        "sparsity_cost": [Interval(Real, 0, None, closed="left")],
        "free_energy_gap": ["boolean"],
    }

    def _links(self, energy, objective, optimizer):
        links = super()._links(energy, objective, optimizer)
        if not optimizer.full_batch:
            # L-BFGS has no need of centred parameters, and refuses missing entries.
            links = [CompletedGaps(energy), *[Centring(energy)] * self.centered, *links]
        if self.sparsity_target is not None:
            links.append(SparsityTarget(energy, self.sparsity_target, self.sparsity_cost))
        return links

    def _holds_out(self):
        return self.early_stopping or self.free_energy_gap

    def _what_to_watch(self):
        return (
            "free_energy_gap=True records in history_ how much worse held-out rows fit than "
            "training rows, and a callback may stop by it; or use an objective that has a value, "
            "such as 'mle', 'nce' or 'pseudo_likelihood' of bits."
        )

    def _diagnosis(self, training, X, weights, rows, held_out):
        measures = {}
        if not training.objective.has_value:
            some = X[rows[np.linspace(0, len(rows) - 1, min(len(rows), N_WATCHED)).astype(int)]]
            measures["reconstruction_error"] = lambda: _reconstruction_error(training, some)
        if self.free_energy_gap:
            gap = EnergyGap(X, weights, rows, held_out, self.batch_size, training.shuffle_rng)
            measures["free_energy_gap"] = lambda: gap.measure(training)
        return lambda: {name: measure() for name, measure in measures.items()}

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        return {
            "components_": views["weights"],
            "intercept_visible_": views["visible_bias"],
            "intercept_hidden_": views["hidden_bias"],
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = not self._is_full_batch()
        return tags

    # -- using the model --------------------------------------------------------------------------

    def transform(self, X):
        """Probabilities of the hidden units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Missing entries (NaN) stand at their mean-field value: a fixed point of x = E[x |
            z], z = p(z = 1 | x) in those entries.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(z_k = 1 | x).

        Raises
        ------
        ValueError
            For missing entries after a fit by L-BFGS, which takes complete rows only; ``impute``
            fills them.
        """
        return self._by_rows(self._transform_rows, X)

    def _transform_rows(self, energy, theta, X):
        missing = np.isnan(X)
        if not missing.any():
            return energy.posterior(theta, X)
        check_complete(self._training.optimizer, X)
        X = np.where(missing, self._training.visible_mean, X)
        for _ in range(N_MEAN_FIELD_SWEEPS):
            mean = energy.visible_mean(theta, energy.posterior(theta, X))
            X = np.where(missing, mean, X)
        return energy.posterior(theta, X)

    def inverse_transform(self, Z):
        """Means of the visible units given the hidden ones.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            States of the hidden units, or their probabilities.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            E[x | z].

        Raises
        ------
        ValueError
            For another number of columns.
        """
        check_is_fitted(self)
        Z = check_latent_rows(self, Z, len(self.components_))
        return self._training.energy.visible_mean(self._training.energy_theta, Z)

    def energy(self, X):
        """The free energy E(x; θ) = −log p̃(x), hidden units summed out, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Missing entries (NaN) are summed out as well, exactly, and the energy is that of
            the observed ones.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            The energies; lower is more probable.

        Raises
        ------
        ValueError
            For a row with missing entries whose sum has more than 2²⁰ terms.
        """
        return self._by_rows(self._energy_rows, X)

    def free_energy(self, X):
        """The free energy −log p̃(x), in nats: another name of ``energy``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            The energies; lower is more probable.
        """
        return self.energy(X)


def _reconstruction_error(training, X):
    """Mean of (x − E[x | E[z | x]])² over the observed entries of some rows."""
    energy, theta = training.energy, training.energy_theta
    X = as_dense(X)
    observed = ~np.isnan(X)
    filled = X if observed.all() else np.where(observed, X, training.visible_mean)
    errors = energy.visible_mean(theta, energy.posterior(theta, filled)) - filled
    return float(
        np.square(errors, where=observed, out=np.zeros_like(errors)).sum() / observed.sum()
    )
