"""The gated restricted Boltzmann machine as an estimator."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import binary_rows
from sklvm.energies import GatedGaussianRBMEnergy, GatedRBMEnergy
from sklvm.energy_based._base import LatentEnergyBasedModel
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.training.links import DrawnBits, FrozenParameters

__all__ = ["GatedRBM"]

DEFAULT_OPTIMIZER = partial(Adam, 0.01, schedule="linear", max_gradient_norm=10.0)
FROZEN = ("input_bias", "input_offset", "output_offset")


class GatedRBM(LatentEnergyBasedModel):
    """Gated restricted Boltzmann machine: how the second part of a row comes from the first.

    Rows are [x, y], a pair of images for instance, and the model is that of y given x ::

        log p(y | x) = bᵀy/σ² − h(y) + Σ_k S(u_k) − log Z(x),   S(u) = log(1 + eᵘ),
        u_k = c_k + Σ_f G_kf (A(x − μ))_f (B(y − ν))_f / σ²,

    with h(y) = ‖y‖²/(2σ²) for real y, and h = 0 and σ = 1 for bits [1]_. Hidden units see products
    of inputs and outputs: they code what is done to x, and not what x is. Given x it is a
    restricted Boltzmann machine in y with the weights G diag(A(x − μ)) B. What the hidden units
    find in one pair, ``transfer`` does to other images.

    Only p(y | x) is learned. As a density of x and y together, the machine over real data has a
    normaliser for few parameters only, and over bits an intractable one.

    Parameters
    ----------
    n_components : int, default=64
        Number K of hidden units.
    n_factors : int, default=None
        Number F of factors, rows of A and B. None: the products have a full tensor of weights T,
        of shape (n_components, n_inputs, n_outputs), in the place of factors.
    n_inputs : int, default=None
        Width of x, the first part of a row. None: half of a row's width, rounded down.
    visible : {"gaussian", "binary"}, default="gaussian"
        Whether x and y are real, or bits.
    binarize : float, "dynamic" or None, default=None
        What is made of data that are not binary. A float is a threshold: entries above it are 1,
        the others 0, in all data. "dynamic" is for probabilities in [0, 1], such as grey levels:
        every training step takes bits drawn with them, so that no two epochs see the same data;
        all other methods take them as they are. None takes binary data, or probabilities, as they
        are.
    sigma : float or "learn", default="learn"
        σ, in the units of y; "learn" learns it. For real data.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    centered : bool, default=True
        Whether μ and ν are the means of the data, and not 0: the products are then those of
        deviations from them, and learn far faster.
    objective : {"cd", "cnce", "mle", "pseudo_likelihood", "ratio_matching", \
"minimum_probability_flow", "score_matching", "sliced_score_matching", \
"denoising_score_matching"} or Objective, default="cd"
        Training criterion, of y given x. Those with "score" in their names are for real data,
        "pseudo_likelihood", "ratio_matching" and "minimum_probability_flow" for bits; "mle" is for
        at most 20 hidden units. Criteria for which log Z is one number, or whose chains go on from
        row to row, are refused.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="linear",
        max_gradient_norm=10)``; "lbfgs" wants a deterministic criterion and takes all rows at once.
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
    input_factors_ : ndarray of shape (n_factors, n_inputs)
        A; where there are factors.
    output_factors_ : ndarray of shape (n_factors, n_outputs)
        B; where there are factors.
    hidden_factors_ : ndarray of shape (n_components, n_factors)
        G; where there are factors.
    tensor_ : ndarray of shape (n_components, n_inputs, n_outputs)
        T; where there are none.
    intercept_input_ : ndarray of shape (n_inputs,)
        a, by which x given y and z has the mean of the data where z says nothing; not trained.
    intercept_output_ : ndarray of shape (n_outputs,)
        b.
    intercept_hidden_ : ndarray of shape (n_components,)
        c.
    input_offset_ : ndarray of shape (n_inputs,)
        μ.
    output_offset_ : ndarray of shape (n_outputs,)
        ν.
    sigma_ : float
        σ; for real data.
    n_inputs_ : int
        Width of x.
    score_normalized_ : bool
        Whether ``score_samples`` is a log-density: log Z is not left out.
    fitted_energy_ : FittedEnergy
        The energy of ``sklvm.energies`` and its parameters θ, as ``energy`` and ``theta``.
    history_ : dict of str to ndarray
        One value an epoch: ``gradient_norm``, ``objective`` where the criterion has a value, and
        ``validation_objective`` where asked for.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Memisevic, Hinton, "Learning to represent spatial transformations with factored
       higher-order Boltzmann machines", Neural Computation 22 (2010).

    Examples
    --------
    y is x or its complement, and hidden units say which:

    >>> import numpy as np
    >>> from sklvm import GatedRBM
    >>> rng = np.random.default_rng(0)
    >>> x = rng.integers(0, 2, (1000, 6))
    >>> y = np.where(rng.random((1000, 1)) < 0.5, x, 1 - x)
    >>> model = GatedRBM(4, 12, visible="binary", max_iter=100, random_state=0)
    >>> pair = [[0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0]]
    >>> model.fit(np.hstack([x, y])).transfer(pair, [[0, 1, 1, 1, 0, 0]]).round()
    array([[1., 0., 0., 0., 1., 1.]])
    """

    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER}}
    _parameter_constraints: dict = {
        "n_factors": [Interval(Integral, 1, None, closed="left"), None],
        "n_inputs": [Interval(Integral, 1, None, closed="left"), None],
        "visible": [StrOptions({"gaussian", "binary"})],
        "binarize": [Interval(Real, None, None, closed="neither"), StrOptions({"dynamic"}), None],
        "sigma": [Interval(Real, 0, None, closed="neither"), StrOptions({"learn"})],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
        "centered": ["boolean"],
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
    }

    def __init__(
        self,
        n_components=64,
        n_factors=None,
        *,
        n_inputs=None,
        visible="gaussian",
        binarize=None,
        sigma="learn",
        sigma_floor=1e-3,
        centered=True,
        objective="cd",
        optimizer="auto",
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
        self.n_components = n_components
        self.n_factors = n_factors
        self.n_inputs = n_inputs
        self.visible = visible
        self.binarize = binarize
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.centered = centered
        self.objective = objective
        self.optimizer = optimizer
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

    # -- using the model --------------------------------------------------------------------------

    def transform(self, X):
        """Probabilities of the hidden units: what is done to x so that it becomes y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows [x, y].

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(z_k = 1 | x, y).
        """
        return super().transform(X)

    def reconstruct(self, X):
        """Rows [x, E[y | x, z]] at the z that ``transform`` finds in X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows [x, y].

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """

        def rebuilt(energy, theta, X):
            Y = energy.output_mean(theta, X, energy.posterior(theta, X))
            return np.hstack([X[:, : energy.n_inputs], Y])

        return self._by_rows(rebuilt, X)

    def transfer(self, X, inputs, *, direction="output"):
        """Do to other images what the hidden units see in pairs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Pairs [x, y], whose hidden units z are inferred.
        inputs : array-like of shape (n_samples, width) or (1, width)
            New x, of width ``n_inputs_``, one for each pair or one for all; or new y, of the width
            of the outputs.
        direction : {"output", "input"}, default="output"
            "output" gives the new y of each new x, "input" the new x of each new y.

        Returns
        -------
        means : ndarray of shape (n_samples, width of the other part)
            E[y | x = inputs, z], or E[x | y = inputs, z], z at its posterior means.

        Raises
        ------
        ValueError
            For another width or number of `inputs`, and for another `direction`.
        """
        check_is_fitted(self)
        if direction not in ("output", "input"):
            raise ValueError(f"direction must be 'output' or 'input', got {direction!r}.")
        X = self._check_X(X)
        energy, theta = self._training.energy, self._training.energy_theta
        widths = energy.n_inputs, energy.n_outputs
        width, other = widths if direction == "output" else widths[::-1]
        inputs = check_array(inputs, dtype=theta.dtype, input_name="inputs")
        if inputs.shape[1] != width or len(inputs) not in (1, len(X)):
            raise ValueError(
                f"inputs must have the shape ({len(X)}, {width}) or (1, {width}) to be transferred "
                f"with direction={direction!r}, got {inputs.shape}."
            )
        inputs = np.broadcast_to(self._prepared(inputs, self._fitted_params), (len(X), width))
        nothing = np.zeros((len(X), other), dtype=theta.dtype)
        parts = [inputs, nothing] if direction == "output" else [nothing, inputs]
        mean = energy.output_mean if direction == "output" else energy.input_mean
        return mean(theta, np.hstack(parts), energy.posterior(theta, X))

    # -- fitting ----------------------------------------------------------------------------------

    def _prepared(self, X, params):
        if params["visible"] == "gaussian":
            return X
        return binary_rows(X, params["binarize"], "scale X, or use visible='gaussian'")

    def _check_parameters(self):
        super()._check_parameters()
        if self.binarize is not None and self.visible != "binary":
            raise ValueError(
                f"binarize={self.binarize!r} is for bits, which visible={self.visible!r} does not "
                "model. Use visible='binary', or binarize=None."
            )

    def _make_energy(self, n_features):
        n_inputs = n_features // 2 if self.n_inputs is None else self.n_inputs
        if not 0 < n_inputs < n_features:
            raise ValueError(
                f"n_inputs={self.n_inputs!r} must be from 1 to n_features − 1, for inputs and "
                f"outputs, and X has {n_features} feature(s): n_features = {n_features}."
            )
        shape = n_features, self.n_components, self.n_factors, n_inputs
        if self.visible == "binary":
            return GatedRBMEnergy(*shape, centered=self.centered)
        return GatedGaussianRBMEnergy(*shape, self.sigma, self.sigma_floor, centered=self.centered)

    def _links(self, energy, objective, optimizer):
        bits = [DrawnBits()] if self.binarize == "dynamic" else []
        layout = energy.layout + objective.own_layout(energy)
        frozen = FrozenParameters(layout, FROZEN, "a model of y given x")
        return [*bits, *super()._links(energy, objective, optimizer), frozen]

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        attributes = {f"{name}_": views[name] for name in energy.interaction.layout}
        if energy.scale is not None:
            attributes["sigma_"] = float(np.sqrt(energy.scale.variance(views)))
        return {
            **attributes,
            "intercept_input_": views["input_bias"],
            "intercept_output_": views["output_bias"],
            "intercept_hidden_": views["hidden_bias"],
            "input_offset_": views["input_offset"],
            "output_offset_": views["output_offset"],
            "n_inputs_": energy.n_inputs,
        }
