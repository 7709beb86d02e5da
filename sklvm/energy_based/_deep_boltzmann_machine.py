"""The deep Boltzmann machine as an estimator."""

from functools import partial
from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.base import binary_rows, generator_from
from sklvm.diagnostics import Diagnosis
from sklvm.energies import BernoulliRBMEnergy, DeepBoltzmannMachineEnergy, GaussianRBMEnergy
from sklvm.energy_based._base import LatentEnergyBasedModel
from sklvm.energy_based._hidden_layers import (
    DEAD_SPREAD,
    OUTPUT_LAYER,
    STEPS_TO_LIVE,
    check_output_layer,
    check_stack,
    layer_spreads,
)
from sklvm.energy_based._mean_field_model import MeanFieldModel
from sklvm.energy_based._pretrained_training import PretrainedTraining
from sklvm.energy_based._tied_copies import TiedCopies
from sklvm.objectives import PersistentContrastiveDivergence, missing_capabilities
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.rows import as_dense, starting_rows
from sklvm.training.links import Centring, CompletedGaps, DrawnBits

__all__ = ["DeepBoltzmannMachine"]

DEFAULT_OPTIMIZER = partial(Adam, 0.01, schedule="linear", max_gradient_norm=10.0)


class DeepBoltzmannMachine(MeanFieldModel):
    """Restricted Boltzmann machine with further layers of hidden units above it.

    ::

        log p(x, h¹, …, h^L) = aᵀx + Σ_l (h^lᵀ W_l h^(l−1) + b_lᵀ h^l) − log Z,   h⁰ = x,

    all units binary [1]_; or with real x, the first layers being those of ``GaussianRBM``. Every
    layer depends on both layers beside it, so that the posterior of the hidden units is not known.
    Mean field stands for it, in training as in ``transform``, and what ``score_samples`` gives is a
    lower bound of log p(x). Chains visit the odd layers and then the even ones, and log Z is found
    by annealing that sums out the odd layers, or exactly where these have 20 units at most.

    Takes missing entries (NaN), which are drawn from the model given the observed ones while it
    trains, and for binary x CSR data, made dense a batch at a time.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Numbers of units of the hidden layers, from the data upwards. One layer makes a restricted
        Boltzmann machine.
    visible : {"binary", "gaussian"}, default="binary"
        What x is: bits, or real numbers with normal noise.
    sigma : float, "learn" or "learn_diagonal", default="learn"
        σ, in the units of x. "learn" trains one for all features, "learn_diagonal" one for each.
        Of real x only.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    binarize : float, "dynamic" or None, default=None
        What is made of data that are not binary. A float is a threshold: entries above it are 1,
        the others 0, in all data. "dynamic" is for probabilities in [0, 1], such as grey levels:
        every training step takes bits drawn with them, so that no two epochs see the same data;
        all other methods take them as they are. None takes binary data, or probabilities, as they
        are.
    pretrain : bool, default=False
        Whether the first half of the epochs trains a stack of restricted machines, one layer after
        the other, from whose weights the deep machine then starts. In them weights are doubled
        where the deep machine has a layer on the other side as well [1]_. Upper layers are then
        more alive; but where steps are centred and layers have up to a hundred units, all layers
        together from the start make more of the same number of epochs.
    n_mean_field : int, default=10
        Sweeps of mean field over the layers in a step of training, from a pass from the bottom up.
    output_layer : {"last", "all"} or int, default="last"
        The hidden layer that ``transform`` returns, by its number from 1; "all" puts all layers
        side by side.
    objective : {"pcd", "cd", "parallel_tempering", "mle", "variational_bound", "vnce"} or \
Objective, default="pcd"
        Training criterion; "mle" and "variational_bound" for at most 20 units in the odd layers.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="linear",
        max_gradient_norm=10)``; "lbfgs" wants a deterministic criterion and takes all rows at once.
    centered : bool, default=True
        Whether steps are taken in centred parameters, with the running means of the data's visible
        and hidden units as offsets [2]_. Without it upper layers hardly learn.
    weight_decay : float, default=0.0
        λ of the penalty ½λ‖W‖² on all weights, biases apart, which is added to the criterion.
    max_iter : int or "auto", default="auto"
        Epochs (iterations of L-BFGS). 0 leaves the model at its start. "auto" suits the rows: 20
        passes over them, but no fewer than 2,000 steps, and no more than 20,000 unless that is less
        than one pass; the fit is cut short where the criterion comes to a plateau, and an epoch has
        25 steps at least, of several passes over few rows. Of L-BFGS it is 1,000 iterations.
    batch_size : int, default=100
        Rows a step; the last batch of an epoch may be smaller.
    shuffle : bool, default=True
        Whether to draw a new order of the rows for each epoch.
    tol : float, default=0.0
        Stop after ``n_iter_no_change`` epochs that improve the criterion by less; for criteria that
        have a value. 0 runs all epochs, unless there is early stopping.
    early_stopping : bool, default=False
        Hold out rows, stop by the criterion on them, and return to the epoch that was best on them.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs that may pass without such an improvement before training stops.
    partition : {"auto", "exact", "ais", "none"} or AnnealedImportanceSampling, default="auto"
        How log Z is found when a score is first asked for. "auto": exactly where that is a sum over
        the states of at most 20 units, else by annealed importance sampling. An object sets the
        budget; "none" leaves log Z out, and ``score_samples`` is then log p̃.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch, and how far an estimate of log Z is.

    Attributes
    ----------
    coefs_ : list of ndarray
        W₁ of shape (hidden_layer_sizes[0], n_features), and for every further layer W_l of shape
        (hidden_layer_sizes[l], hidden_layer_sizes[l − 1]).
    intercepts_ : list of ndarray
        b_l of each hidden layer.
    intercept_visible_ : ndarray of shape (n_features,)
        a.
    sigma_ : float, or ndarray of shape (n_features,)
        σ of real x; an array with "learn_diagonal".
    log_partition_, log_partition_std_err_ : float
        log Z and its standard error (0 where exact), in nats. These and the next two are there once
        ``score_samples`` or ``estimate_log_partition`` has estimated log Z.
    log_partition_effective_sample_size_ : float
        Of the annealing's weights; infinite where exact. Where it is far below the number of
        chains, log Z is too low.
    log_partition_bracket_ : tuple of float, or None
        Stochastic bounds of log Z from below and above, in nats, by annealing there and back; with
        ``AnnealedImportanceSampling(bracket=True)``.
    score_normalized_ : bool
        Whether ``score_samples`` is in nats: log Z is not left out.
    score_is_bound_ : bool
        Whether ``score_samples`` is a lower bound of log p(x): with two layers or more.
    fitted_energy_ : FittedEnergy
        The energy of ``sklvm.energies`` and its parameters θ, as ``energy`` and ``theta``.
    history_ : dict of str to ndarray
        One value an epoch: ``gradient_norm``; ``stage``, the layer that is pretrained, or L + 1
        where all are trained; ``spread_1``, …, ``spread_L``, the standard deviation over the data
        of the means of a layer's units, averaged over these: of a dead layer it is 0;
        ``objective`` where the criterion has a value, ``validation_objective`` where asked for.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``dead_layers`` (the least spread of a layer above the first), with Gaussian visible units
        ``unscaled_features`` and ``collapsed_scale`` (a learned σ at its floor), and
        ``convergence``.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Salakhutdinov, Hinton, "Deep Boltzmann machines", AISTATS 2009.
    .. [2] Melchior, Fischer, Wiskott, "How to center deep Boltzmann machines", JMLR 17 (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import DeepBoltzmannMachine
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 100, axis=0)
    >>> model = DeepBoltzmannMachine((3, 2), max_iter=200, random_state=0).fit(X)
    >>> model.transform(X).shape
    (200, 2)
    >>> bounds = model.score_samples([[1, 1, 0, 0], [1, 0, 1, 0]])
    >>> bool(bounds[0] > bounds[1] + 2)
    True
    """

    _validation = {"ensure_all_finite": "allow-nan"}
    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER}}
    _parameter_constraints: dict = {
        "hidden_layer_sizes": [tuple, list],
        "visible": [StrOptions({"binary", "gaussian"})],
        "sigma": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"learn", "learn_diagonal"}),
        ],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
        "binarize": [Interval(Real, None, None, closed="neither"), StrOptions({"dynamic"}), None],
        "pretrain": ["boolean"],
        "n_mean_field": [Interval(Integral, 1, None, closed="left")],
        "output_layer": OUTPUT_LAYER,
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
        "centered": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes=(64, 64),
        *,
        visible="binary",
        sigma="learn",
        sigma_floor=1e-3,
        binarize=None,
        pretrain=False,
        n_mean_field=10,
        output_layer="last",
        objective="pcd",
        optimizer="auto",
        centered=True,
        weight_decay=0.0,
        max_iter="auto",
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        partition="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.binarize = binarize
        self.pretrain = pretrain
        self.n_mean_field = n_mean_field
        self.output_layer = output_layer
        self.objective = objective
        self.optimizer = optimizer
        self.centered = centered
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.partition = partition
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting ----------------------------------------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        sizes = check_stack(self.hidden_layer_sizes)
        check_output_layer(self.output_layer, len(sizes))
        if self.visible == "gaussian" and self.binarize is not None:
            raise ValueError(
                f"binarize={self.binarize!r} makes bits of the data, and visible='gaussian' is for "
                "real numbers. Set binarize=None, or visible='binary'."
            )

    def _make_energy(self, n_features):
        sizes = check_stack(self.hidden_layer_sizes)
        bottom = self._machine(1)(n_features, sizes[0])
        return DeepBoltzmannMachineEnergy(bottom, sizes[1:], self.n_mean_field)

    def _machine(self, layer):
        """(n_features, n_components) → the energy of a restricted machine below this layer."""
        if layer > 1 or self.visible == "binary":
            return BernoulliRBMEnergy
        return partial(GaussianRBMEnergy, sigma=self.sigma, sigma_floor=self.sigma_floor)

    def _links(self, energy, objective, optimizer):
        links = super()._links(energy, objective, optimizer)
        if not optimizer.full_batch:
            links = [CompletedGaps(energy), *[Centring(energy)] * self.centered, *links]
        return [*[DrawnBits()] * (self.binarize == "dynamic"), *links]

    def _start(self, X, weights):
        (energy, objective, optimizer), links = self._checked_parts(X)
        stack = []
        if self.pretrain and energy.n_layers > 1 and not optimizer.full_batch:
            stack = [self._layer_alone(energy, n, objective) for n in range(energy.n_layers)]
        rng = generator_from(self.random_state)
        start = starting_rows(X, weights, rng)
        return PretrainedTraining(
            energy, objective, optimizer, *start, rng, links=links, stack=stack, share=0.5
        )

    def _layer_alone(self, energy, below, objective):
        """Energy, objective and links of the machine of a layer and the one below it."""
        widths = energy.n_features, *energy.sizes
        n_copies = 1 if below == energy.n_layers - 1 else 2, 1 if below == 0 else 2
        layer = TiedCopies(self._machine(below + 1), *widths[below : below + 2], *n_copies)
        if missing_capabilities(objective, layer):
            objective = PersistentContrastiveDivergence()
        is_drawn = below > 0 or self.binarize == "dynamic"
        links = [*[DrawnBits()] * is_drawn, CompletedGaps(layer.machine)]
        links += [Centring(layer)] * self.centered
        return layer, objective, [*links, *LatentEnergyBasedModel._links(self, layer, objective, 0)]

    def _check_streamable(self):
        if self.pretrain:
            raise AttributeError(
                "pretrain=True divides the epochs of a fit: there is no partial_fit. Set "
                "pretrain=False."
            )
        return super()._check_streamable()

    def _diagnosis(self, training, X, weights, rows, held_out):
        some = X[rows[:: max(1, len(rows) // 100)]]
        some = np.where(np.isnan(some := as_dense(some)), training.visible_mean, some)
        return lambda: layer_spreads(training.energy.infer(training.energy_theta, some)[1:])

    def _diagnoses(self, monitor, X, weights):
        found = super()._diagnoses(monitor, X, weights)
        if not monitor.records or self._training.n_steps < STEPS_TO_LIVE:
            return found
        n_layers = self._training.energy.n_layers
        spreads = {n: monitor.records[-1][f"spread_{n}"] for n in range(2, n_layers + 1)}
        if spreads:
            layer = min(spreads, key=spreads.get)
            found["dead_layers"] = Diagnosis.of(
                spreads[layer],
                spreads[layer] < DEAD_SPREAD,
                f"Layer {layer} of {n_layers} is dead: the means of its units vary by "
                f"{spreads[layer]:.2g} over the data. It adds nothing: use fewer layers, "
                "pretrain=True, centered=True, or more epochs.",
            )
        return found

    def _prepared(self, X, params):
        if params["visible"] == "gaussian":
            return X
        return binary_rows(X, params["binarize"], "or visible='gaussian', or scale the data")

    def _check_rows(self, X, *, reset=False, **options):
        accepted = "csr" if self._visible() == "binary" else False
        return super()._check_rows(X, reset=reset, **{"accept_sparse": accepted, **options})

    def _visible(self):
        return self._fitted_params["visible"] if self.__sklearn_is_fitted__() else self.visible

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        upper = range(2, energy.n_layers + 1)
        attributes = {
            "coefs_": [views["weights"], *(views[f"weights_{layer}"] for layer in upper)],
            "intercepts_": [views["hidden_bias"], *(views[f"bias_{layer}"] for layer in upper)],
            "intercept_visible_": views["visible_bias"],
        }
        if energy.scale is not None:
            bottom = theta[: energy.bottom.layout.size]
            sigma = np.sqrt(energy.bottom.variances(bottom)).astype(theta.dtype)
            is_diagonal = energy.scale.sigma == "learn_diagonal"
            attributes["sigma_"] = sigma if is_diagonal else float(sigma[0])
        return attributes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = not self._is_full_batch()
        tags.input_tags.sparse = self._visible() == "binary"
        return tags
