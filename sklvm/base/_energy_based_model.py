"""Bases of the models with the density exp(−E)/Z: a choice of objectives, scores, log Z."""

from sklvm.base._normalized_score import NormalizedScoreMixin
from sklvm.base._trained_model import TrainedLatentVariableModel, TrainedModel
from sklvm.objectives import OBJECTIVES, Objective, check_capabilities, suitable_objectives
from sklvm.settings import resolve

__all__ = ["EnergyBasedModel", "LatentEnergyBasedModel"]


class EnergyBasedModel(NormalizedScoreMixin, TrainedModel):
    """Base of the estimators whose density is exp(−E(x; θ))/Z(θ).

    A subclass gives ``_make_energy(n_features)``, ``_model_attributes(energy, theta)`` (the
    fitted attributes by name), its parameters and its docstring. ``TrainedModel`` lists what else
    it may override.
    """

    _shorthands = {"objective": OBJECTIVES}
    _parameter_constraints: dict = {
        "objective": [str, Objective],  # which names fit depends on the energy
    }

    # -- fitting ----------------------------------------------------------------------------------

    def _make_model(self, X):
        owner = type(self).__name__
        energy = self._make_energy(X.shape[1])
        known = OBJECTIVES
        if isinstance(self.objective, str) and self.objective not in known:
            # The message has those that the model could take.
            known = {name: known[name] for name in suitable_objectives(energy, known)}
        objective = resolve(self.objective, known, "objective", owner)
        check_capabilities(objective, energy, OBJECTIVES, owner)
        return energy, objective

    # -- using the model --------------------------------------------------------------------------

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
        return self._by_rows(lambda energy, theta, X: energy.evaluate(theta, X)[0], X)


class LatentEnergyBasedModel(EnergyBasedModel, TrainedLatentVariableModel):
    """Base of the energy-based models with hidden units, whose energy has a ``posterior``."""

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
        return self._by_rows(lambda energy, theta, X: energy.posterior(theta, X), X)
