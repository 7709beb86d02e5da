"""From latent variables to data."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import StrOptions
from sklvm.base import (
    TrainedLatentVariableModel,
    check_count,
    check_latent_rows,
    generator_from,
    map_row_blocks,
)
from sklvm.objectives import (
    OBJECTIVES,
    RECONSTRUCTION_OBJECTIVES,
    Objective,
    check_capabilities,
)
from sklvm.settings import resolve

__all__ = ["AutoencodingModel", "needs_density"]

ALL_OBJECTIVES = {**OBJECTIVES, **RECONSTRUCTION_OBJECTIVES}


def needs_density(estimator):
    """For ``available_if``: what is there only after an objective that fits a density."""
    if not estimator._fits_density():
        raise AttributeError(
            f"This {type(estimator).__name__} is no density: its objective aims at reconstructions."
        )
    return True


class AutoencodingModel(TrainedLatentVariableModel):
    """Base of the estimators whose energy has E[x|z] and draws.

    The energy gives ``visible_mean(theta, Z)`` and ``sample(theta, n_samples, rng)``. Objectives
    may be those that fit densities, and those that only make auto-encoders.
    """

    _shorthands = {"objective": ALL_OBJECTIVES}
    _parameter_constraints: dict = {
        "objective": [StrOptions(set(ALL_OBJECTIVES)), Objective],
    }

    def _resolve_objective(self, energy):
        """The objective that the parameter stands for; it fits the energy."""
        owner = type(self).__name__
        objective = resolve(self.objective, ALL_OBJECTIVES, "objective", owner)
        check_capabilities(objective, energy, ALL_OBJECTIVES, owner)
        return objective

    def _fits_density(self):
        """Whether the model is a density, by the fit or else by the parameter."""
        if self.__sklearn_is_fitted__():
            return self._training.objective.fits_density
        objective = self.objective
        if isinstance(objective, str):
            objective = ALL_OBJECTIVES.get(objective)
        return getattr(objective, "fits_density", True)

    def inverse_transform(self, Z):
        """The decoder's means E[x|z].

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent variables.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The means; probabilities where x is binary.
        """
        check_is_fitted(self)
        training = self._training
        Z = check_latent_rows(self, Z, training.energy.n_components)
        return map_row_blocks(
            lambda rows: training.energy.visible_mean(training.energy_theta, Z[rows]),
            len(Z),
            self._widest_layer(),
        )

    @available_if(needs_density)
    def sample(self, n_samples=1, *, mean=False, random_state=None):
        """Draw from the model: z from the prior, x from p(x|z).

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        mean : bool, default=False
            Give E[x | z] at the draws of z in place of a draw of x: grey levels in place of bits,
            for pictures. These are no draws of the model.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws, or the means.

        Raises
        ------
        ValueError
            With `mean` where z is not drawn from a prior.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        training, rng = self._training, generator_from(random_state)
        if mean and not hasattr(training.energy, "sample_means"):
            raise ValueError(
                f"This {type(self).__name__} draws no z for mean=True to give E[x | z]."
            )
        draw = training.energy.sample_means if mean else training.energy.sample
        return map_row_blocks(
            lambda rows: draw(training.energy_theta, rows.stop - rows.start, rng),
            n_samples,
            self._widest_layer(),
        )
