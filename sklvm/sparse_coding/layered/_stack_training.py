"""Training of a stack: one layer after the other, and then, on demand, all together."""

from contextlib import contextmanager

import numpy as np

from sklvm.exceptions import DivergenceError
from sklvm.sparse_coding.layered._greedy_layers import GreedyLayer, as_dictionary

__all__ = ["StackTraining"]


class StackTraining:
    """A learner whose epochs are passes over one layer after the other; see ``Learner``.

    A layer is done with the pass that gains less than `tol` times the objective of zero codes, or
    after `max_passes`. Records of layers with something after them have no ``objective``, so that
    the stopping rule of the fit watches the last stage only.

    Parameters
    ----------
    plans : list of LayerPlan
    options : GreedyOptions
    rng : Generator
    max_passes : int
    tol : float
    refinement : callable, default=None
        (components, alphas, X, weights, codes of the last layer) → what refines all layers
        together, with ``epoch()``, ``objective`` and ``components``. None: nothing does.

    Attributes
    ----------
    components : list of ndarray
        Of the layers so far.
    plans : list of LayerPlan
        Those of layers that have begun have their α.
    """

    drives_epochs, converged = False, None

    def __init__(self, plans, options, rng, *, max_passes, tol, refinement=None):
        self.plans, self.options = list(plans), options
        self.shuffle_rng, self._rng = rng.spawn(2)
        self._max_passes, self._tol, self._refinement = max_passes, tol, refinement
        self.components, self.is_interrupted = [], False
        self._forget()

    @property
    def n_layers(self):
        return len(self.components)

    @property
    def n_stages(self):
        return len(self.plans) + (self._refinement is not None)

    @property
    def alphas(self):
        return np.array([plan.alpha for plan in self.plans[: self.n_layers]])

    def dictionaries(self, components=None):
        components = self.components if components is None else components
        return [as_dictionary(D, plan) for D, plan in zip(components, self.plans, strict=False)]

    # -- a fit ------------------------------------------------------------------------------------

    @contextmanager
    def working(self):
        """What belongs to the rows is let go of when the context ends."""
        try:
            yield
        finally:
            self._forget()

    def _forget(self):
        self._layer = self._joint = None

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        self._forget()
        self._n_done = self._n_passes = 0
        if self.n_layers == len(self.plans) and self._refinement is not None:
            return  # a warm start refines what there is
        self.components = []
        self._start_layer(X, X, weights)

    def continued(self, plans, options, *, max_passes, tol, refinement):
        """The same dictionaries under other settings."""
        other = StackTraining(
            plans, options, self._rng, max_passes=max_passes, tol=tol, refinement=refinement
        )
        other.components = self.components
        return other

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        if self._layer is None:
            if self._joint is None:
                self._start_joint(X, weights, np.zeros((len(X), self._width_of_codes())))
            objective = self._finite(self._joint.epoch())
            self.components = self._joint.components
            return {"objective": objective}
        layer, index = self._layer, self._n_done
        before, objective = self._objective, self._finite(layer.epoch())
        self.components[index] = layer.components
        self._objective, self._n_passes = objective, self._n_passes + 1
        is_last = index == len(self.plans) - 1
        if is_last and self._refinement is None:
            return {"layer": index + 1, "objective": objective}
        gain = before - objective
        if self._n_passes >= self._max_passes or not gain >= self._tol * layer.scale:
            codes, self._layer = layer.codes(), None
            self._n_done, self._n_passes = index + 1, 0
            if is_last:
                self._start_joint(X, weights, codes)
            else:
                self._start_layer(X, codes, weights)
        return {"layer": index + 1, f"objective_{index + 1}": objective}

    def _make_layer(self, plan, X, below, weights, rng):
        return GreedyLayer(plan, self.options, below, weights, rng)

    def _start_layer(self, X, below, weights):
        (rng,) = self._rng.spawn(1)
        self._layer = self._make_layer(self.plans[self._n_done], X, below, weights, rng)
        self.plans[self._n_done] = self._layer.plan
        self.components.append(self._layer.components)
        self._objective = np.inf

    def _start_joint(self, X, weights, codes):
        self._joint = self._refinement(
            self.components, self.dictionaries, self.alphas, X, weights, codes
        )

    def _width_of_codes(self):
        return self.dictionaries()[-1].n_components

    def _finite(self, objective):
        if not np.isfinite(objective):
            raise DivergenceError(f"The criterion is {objective}. Scale the data.")
        return objective

    # -- what else a learner has ------------------------------------------------------------------

    def keep(self):
        """The dictionaries are their own copy: a pass makes new ones."""

    def restore(self):
        """Nothing is held out, to which to return."""

    def __getstate__(self):
        return {**self.__dict__, "_layer": None, "_joint": None}
