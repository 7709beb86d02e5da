"""The deep belief network as an estimator."""

import inspect
from numbers import Integral, Real

from sklearn.base import clone

from sklvm._compat import Interval, StrOptions
from sklvm.base import IterativeModel, binary_rows, generator_from
from sklvm.diagnostics import Diagnosis
from sklvm.energy_based._belief_model import BeliefModel
from sklvm.energy_based._belief_training import BeliefTraining
from sklvm.energy_based._bernoulli_rbm import BernoulliRBM
from sklvm.energy_based._gaussian_rbm import GaussianRBM
from sklvm.energy_based._hidden_layers import (
    DEAD_SPREAD,
    OUTPUT_LAYER,
    STEPS_TO_LIVE,
    check_output_layer,
    check_stack,
)
from sklvm.energy_based._restricted_boltzmann_machine import RestrictedBoltzmannMachine
from sklvm.energy_based._up_down import UpDown
from sklvm.objectives import OBJECTIVES, check_capabilities
from sklvm.settings import resolve
from sklvm.training import Budget

__all__ = ["DeepBeliefNetwork"]

LAYERS = {"bernoulli": BernoulliRBM, "gaussian": GaussianRBM}
FINE_TUNING = {"up_down": UpDown}


class DeepBeliefNetwork(IterativeModel, BeliefModel):
    """Directed layers of binary units under a restricted Boltzmann machine.

    ::

        p(x) = Σ p(x | h¹) p(h¹ | h²) … p(h^(L−2) | h^(L−1)) p_top(h^(L−1)).

    Training is greedy: each layer is a restricted machine, trained on what the layer below makes of
    the data, and what it learns takes the place of the part of the machine below that made its
    hidden units [1]_. The more layers, the better the model can be, for the bound that this raises
    [1]_. A pass upwards draws hidden units of data, q(h | x), and importance sampling by it
    estimates log p(x), for which ``score_samples`` is a lower bound in expectation; it is exact
    where the layers below the top are small.

    Takes CSR data where x is binary, made dense some rows at a time.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Numbers of units of the hidden layers, from the data upwards. One layer makes a restricted
        Boltzmann machine.
    layer : {"bernoulli", "gaussian"}, BernoulliRBM, GaussianRBM or list, default="bernoulli"
        The machine that each layer is a copy of, with its own objective, optimiser and budget; of
        a "gaussian" one only the first layer, for real x, the others being binary with the same
        settings. A list has one for each layer.
    fine_tune : {"up_down"}, UpDown or None, default=None
        What follows the greedy training: the up–down algorithm, in which all layers learn together
        [1]_, or nothing.
    binarize : float, "dynamic" or None, default=None
        What is made of data that are not binary. A float is a threshold: entries above it are 1,
        the others 0, in all data. "dynamic" is for probabilities in [0, 1], such as grey levels:
        every training step takes bits drawn with them, so that no two epochs see the same data;
        all other methods take them as they are. None takes binary data, or probabilities, as they
        are.
    output_layer : {"last", "all"} or int, default="last"
        The hidden layer that ``transform`` returns, by its number from 1; "all" puts all layers
        side by side.
    n_importance_samples : int, default=100
        Draws of the hidden layers for each row of ``score_samples``, where it is not exact.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch, and how far an estimate of log Z is.

    Attributes
    ----------
    layers_ : list of BernoulliRBM, or of GaussianRBM and then BernoulliRBM
        The fitted machines; the last one is p_top, and the others give p(h^(l−1) | h^l).
    coefs_ : list of ndarray
        W_l of each machine, of shape (hidden_layer_sizes[l], width of the layer below).
    intercepts_ : list of ndarray
        Biases of the hidden units of each layer, as the pass upwards has them.
    recognition_coefs_ : list of ndarray
        Weights of the pass upwards, of all layers: W_l, unless fine-tuning has parted them.
    log_partition_, log_partition_std_err_ : float
        log Z of the machine on top and its standard error (0 where exact), in nats. These and the
        next two are there once ``score_samples`` or ``estimate_log_partition`` has estimated it.
    log_partition_effective_sample_size_ : float
        Of the annealing's weights; infinite where exact.
    log_partition_bracket_ : tuple of float, or None
        Stochastic bounds of log Z from below and above, in nats, by annealing there and back; with
        ``AnnealedImportanceSampling(bracket=True)``.
    score_is_bound_ : bool
        Whether ``score_samples`` is an estimate by importance sampling.
    history_ : dict of str to ndarray
        One value a layer and an epoch of fine-tuning: ``stage``, the layer, or one more than there
        are; ``spread``, the standard deviation over the data of the means of a layer's units,
        averaged over these; and what the machine's own ``history_`` ends with.
    diagnostics_ : dict of str to Diagnosis
        ``dead_layers``, the least spread of a layer, with ``value``, ``is_problem`` and
        ``message``. Each of ``layers_`` has its own.
    n_iter_ : int
        Layers and epochs of fine-tuning made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Hinton, Osindero, Teh, "A fast learning algorithm for deep belief nets", Neural
       Computation 18 (2006).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import BernoulliRBM, DeepBeliefNetwork
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 100, axis=0)
    >>> network = DeepBeliefNetwork((3, 2), BernoulliRBM(max_iter=300), random_state=0).fit(X)
    >>> network.transform(X).shape
    (200, 2)
    >>> scores = network.score_samples([[1, 1, 0, 0], [1, 0, 1, 0]])
    >>> bool(scores[0] > scores[1] + 1)
    True
    >>> network.set_params(layer="bernoulli", layer__objective="cd").layer
    BernoulliRBM(objective='cd')
    """

    # Layers have budgets of their own.
    warm_start, shuffle, batch_size, tol = False, True, None, 0.0
    _shorthands = {"layer": LAYERS, "fine_tune": FINE_TUNING}
    _parameter_constraints: dict = {
        "hidden_layer_sizes": [tuple, list],
        "layer": [StrOptions(set(LAYERS)), RestrictedBoltzmannMachine, list, tuple],
        "fine_tune": [StrOptions(set(FINE_TUNING)), UpDown, None],
        "binarize": [Interval(Real, None, None, closed="neither"), StrOptions({"dynamic"}), None],
        "output_layer": OUTPUT_LAYER,
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(64, 64),
        layer="bernoulli",
        *,
        fine_tune=None,
        binarize=None,
        output_layer="last",
        n_importance_samples=100,
        random_state=None,
        verbose=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.layer = layer
        self.fine_tune = fine_tune
        self.binarize = binarize
        self.output_layer = output_layer
        self.n_importance_samples = n_importance_samples
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting ----------------------------------------------------------------------------------

    def _check_parameters(self):
        sizes = check_stack(self.hidden_layer_sizes)
        check_output_layer(self.output_layer, len(sizes))
        bottom = self._machines(sizes)[0]
        if isinstance(bottom, GaussianRBM) and self.binarize is not None:
            raise ValueError(
                f"binarize={self.binarize!r} makes bits of the data, and the first layer is "
                "gaussian, for real numbers. Set binarize=None, or layer='bernoulli'."
            )

    def _machines(self, sizes):
        """A machine for each layer, not fitted, with all but its seed."""
        given = self.layer
        if isinstance(given, list | tuple):
            if len(given) != len(sizes):
                raise ValueError(
                    f"layer must hold one machine for each of the {len(sizes)} layers of "
                    f"hidden_layer_sizes={self.hidden_layer_sizes!r}, got {len(given)}."
                )
        else:
            given = [given] + [_made_binary(given)] * (len(sizes) - 1)
        machines = [self._machine(*pair) for pair in enumerate(zip(given, sizes, strict=True))]
        for number, machine in enumerate(machines[1:], start=2):
            if not isinstance(machine, BernoulliRBM):
                raise ValueError(
                    f"Layer {number} must be a BernoulliRBM: the units below it are binary, got "
                    f"{machine!r}. Only the first layer may be gaussian."
                )
        return machines

    def _machine(self, number, pair):
        given, size = pair
        if isinstance(given, str) and given in LAYERS:
            given = LAYERS[given]()
        if not isinstance(given, RestrictedBoltzmannMachine):
            raise ValueError(
                f"layer must be 'bernoulli', 'gaussian', a BernoulliRBM, a GaussianRBM or a list "
                f"of these, got {given!r} for layer {number + 1}."
            )
        machine = clone(given).set_params(n_components=size, warm_start=False)
        if self.verbose:
            machine.set_params(verbose=self.verbose)
        if number > 0 and isinstance(machine, BernoulliRBM):
            # Bits are drawn from the means of the layer below.
            machine.set_params(binarize="dynamic")
        return machine

    def _start(self, X, weights):
        machines = self._machines(check_stack(self.hidden_layer_sizes))
        threshold = self._binarize(machines[0])
        if isinstance(machines[0], BernoulliRBM):
            machines[0].set_params(binarize="dynamic" if threshold == "dynamic" else None)
        rng, width = generator_from(self.random_state), X.shape[1]
        for number, machine in enumerate(machines, start=1):
            machine.set_params(random_state=int(rng.integers(2**31)))
            owner = f"layer {number}, a {type(machine).__name__}"
            objective = resolve(machine.objective, OBJECTIVES, "objective", owner)
            check_capabilities(objective, machine._make_energy(width), OBJECTIVES, owner)
            width = machine.n_components
        fine_tune = self._fine_tuning()
        return BeliefTraining(machines, fine_tune, threshold == "dynamic", rng)

    def _fine_tuning(self):
        if self.fine_tune is None:
            return None
        return resolve(self.fine_tune, FINE_TUNING, "fine_tune", type(self).__name__)

    def _binarize(self, bottom):
        """What is made of the data: this model's word, or else that of the first layer."""
        own = self.binarize
        return getattr(bottom, "binarize", None) if own is None else own

    def _budget(self, learner, n_rows):
        fine_tune = self._fine_tuning()
        n_layers = len(self.hidden_layer_sizes)
        return Budget(n_layers + (0 if fine_tune is None else fine_tune.max_iter))

    def _check_streamable(self):
        raise AttributeError("A layer is trained when the one below it is: no partial_fit.")

    def _diagnoses(self, monitor, X, weights):
        records = zip(self.layers_, monitor.records, strict=False)
        spreads = {
            number: record["spread"]
            for number, (model, record) in enumerate(records, start=1)
            if model._training.n_steps >= STEPS_TO_LIVE
        }
        if not spreads:
            return {}
        layer = min(spreads, key=spreads.get)
        found = Diagnosis.of(
            spreads[layer],
            spreads[layer] < DEAD_SPREAD,
            f"Layer {layer} of {len(self.layers_)} is dead: the means of its units vary by "
            f"{spreads[layer]:.2g} over the data, and layers above it have nothing to learn. Use "
            "more epochs, or fewer layers.",
        )
        return {"dead_layers": found}

    def _convergence(self, monitor):
        # Its machines have looked at theirs.
        return {}

    def _prepared(self, X, params):
        bottom = params["layer"]
        bottom = bottom[0] if isinstance(bottom, list | tuple) else bottom
        if bottom == "gaussian" or isinstance(bottom, GaussianRBM):
            return X
        threshold = params["binarize"]
        if threshold is None:
            threshold = getattr(bottom, "binarize", None)
        return binary_rows(X, threshold, "or layer='gaussian', or scale the data")

    def _check_rows(self, X, *, reset=False, **options):
        accepted = "csr" if self._is_binary() else False
        return super()._check_rows(X, reset=reset, **{"accept_sparse": accepted, **options})

    def _is_binary(self):
        layer = self._fitted_params["layer"] if self.__sklearn_is_fitted__() else self.layer
        layer = layer[0] if isinstance(layer, list | tuple) and layer else layer
        return layer == "bernoulli" or isinstance(layer, BernoulliRBM)

    def _companions(self, learner):
        companions = super()._companions(learner)
        params = companions["_fitted_params"]
        if not isinstance(params["layer"], str):
            params["layer"] = clone(params["layer"], safe=False)
        return companions

    def _fitted_attributes(self, learner):
        attributes = {**super()._fitted_attributes(learner), "layers_": learner.fitted}
        if learner.fitted:
            layers = learner.layers
            upwards = [
                energy.layout.views(theta)
                for energy, theta in zip(layers.energies, layers._upwards, strict=True)
            ]
            attributes |= {
                "coefs_": [model.components_ for model in learner.fitted],
                "intercepts_": [views["hidden_bias"] for views in upwards],
                "recognition_coefs_": [views["weights"] for views in upwards],
            }
        return attributes

    def __sklearn_is_fitted__(self):
        return super().__sklearn_is_fitted__() and len(self._training.fitted) > 0

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._is_binary()
        return tags


def _made_binary(layer):
    """A binary machine with the settings of a gaussian one; any other is what it is."""
    if not isinstance(layer, GaussianRBM):
        return "bernoulli" if layer == "gaussian" else layer
    known = inspect.signature(BernoulliRBM.__init__).parameters
    settings = {k: v for k, v in layer.get_params(deep=False).items() if k in known}
    return BernoulliRBM(**settings)
