"""Greedy training of a deep belief network, and its fine-tuning."""

import copy

from sklvm.base import map_row_blocks
from sklvm.energy_based._belief_layers import BeliefLayers
from sklvm.energy_based._up_down import UpDownTraining

__all__ = ["BeliefTraining"]


class BeliefTraining:
    """A learner each of whose first epochs fits a layer, and each later one fine-tunes them all.

    Parameters
    ----------
    models : list of RestrictedBoltzmannMachine
        Not fitted yet, from the bottom up.
    fine_tune : UpDown or None
    is_drawn : bool
        Whether data are probabilities of bits.
    rng : Generator

    Attributes
    ----------
    fitted : list of RestrictedBoltzmannMachine
        Those that are.
    recognition : list of ndarray
        The parameters of q of all layers but the last; those of p themselves before fine-tuning.
    """

    drives_epochs, can_hasten, converged = False, False, None

    def __init__(self, models, fine_tune, is_drawn, rng):
        self.shuffle_rng, self._rng = rng.spawn(2)
        self._models, self._fine_tune, self._is_drawn = list(models), fine_tune, is_drawn
        self.fitted, self.n_fine_tuned, self._recognition = [], 0, None
        self._features = self._up_down = None

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        self._features = X

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        """The next layer, or an epoch of fine-tuning; which one is in the record's ``stage``."""
        if self._models:
            return self._fit_layer(weights)
        if self._up_down is None:
            self._up_down = UpDownTraining(
                self.layers, self._fine_tune, len(rows), self._is_drawn, self._rng
            )
            self._recognition = self._up_down.layers.recognition
        norm, n_steps = self._up_down.epoch(X, weights, rows)
        self.n_fine_tuned += 1
        for model in self.fitted:
            # log Z is to be estimated anew.
            model._training.n_steps += n_steps
            model._training.keep()
        return {"gradient_norm": norm, "stage": float(len(self.fitted) + 1)}

    def _fit_layer(self, weights):
        model = self._models.pop(0)
        self.fitted.append(model)
        try:
            model.fit(self._features, sample_weight=weights)
        except BaseException:
            if not model.__sklearn_is_fitted__():
                self.fitted.pop()
            raise
        means = map_row_blocks(
            lambda rows: model.transform(self._features[rows]),
            self._features.shape[0],
            max(self._features.shape[1], model.n_components),
        )
        self._features = means if self._models else None
        record = {name: values[-1] for name, values in model.history_.items() if len(values)}
        spread = float(means.std(axis=0, dtype=float).mean())
        return {**record, "stage": float(len(self.fitted)), "spread": spread}

    @property
    def layers(self):
        """``BeliefLayers`` of what is fitted so far."""
        trainings = [model._training for model in self.fitted]
        generative = [training.energy_theta for training in trainings]
        recognition = generative[:-1] if self._recognition is None else self._recognition
        return BeliefLayers([training.energy for training in trainings], generative, recognition)

    def keep(self):
        """Layers keep themselves."""

    def restore(self):
        """Likewise."""

    def __getstate__(self):
        return {**vars(self), "_features": None, "_up_down": None}

    def __deepcopy__(self, memo):
        other = copy.copy(self)
        vars(other).update(copy.deepcopy(self.__getstate__(), memo))
        return other
