"""The variational auto-encoder as an estimator."""

from functools import partial
from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.base import binary_rows
from sklvm.energies import BernoulliLikelihood, DecoderEnergy, GaussianLikelihood
from sklvm.networks import ACTIVATIONS, check_layer_sizes
from sklvm.objectives import EncoderObjective, EvidenceLowerBound
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.posteriors import GaussianEncoder, PointEncoder
from sklvm.training.links import DrawnBits
from sklvm.variational._encoder_decoder import EncoderDecoderModel

__all__ = ["VAETransformer"]

DEFAULT_OPTIMIZER = partial(Adam, 0.003, schedule="cosine", max_gradient_norm=10.0)


class VAETransformer(EncoderDecoderModel):
    """Variational auto-encoder with Gaussian latent variables.

    ::

        p(x, z) = p(x | g(z)) N(z; 0, I),        q(z|x) = N(μ(x), L(x)L(x)ᵀ),
        log p(x) ≥ E_q[log p(x|z)] − KL(q(z|x) ‖ N(0, I)),

    g, the decoder, and (μ, L), the encoder, multi-layer perceptrons trained together to raise the
    lower bound [1]_, [2]_. With β ≠ 1 they raise E_q[log p(x|z)] − β KL instead [3]_. Without
    hidden layers and with a learned σ the optimum is probabilistic PCA. The bound may be another:
    the importance-weighted one, or the variational form of noise-contrastive estimation; and with
    the "autoencoder" objective there is none, but a deterministic encoder.

    Missing values: entries of X that are NaN have no part in the likelihood; the encoder sees them
    as zeros, and d indicators of what is missing behind x. A model that is to take NaN has to see
    some when its fit starts.

    Parameters
    ----------
    n_components : int, default=20
        Number K of latent variables.
    hidden_layer_sizes : tuple of int, default=(128,)
        Widths of the encoder's hidden layers, from x to z.
    decoder_layer_sizes : tuple of int, default=None
        Widths of the decoder's hidden layers, from z to x. None: the encoder's in reverse.
    activation : {"identity", "relu", "sigmoid", "softplus", "tanh"}, default="relu"
        Of the hidden layers.
    likelihood : {"gaussian", "bernoulli"}, default="gaussian"
        p(x|z): N(m(z), Σ) with a diagonal Σ, or independent bits of which the decoder gives the
        log-odds. The latter takes X in [0, 1]; where X is not binary, scores are lower bounds of
        the expected log-probability of bits that are 1 with the probabilities X: to get
        log-probabilities, give them bits.
    binarize : float, "dynamic" or None, default=None
        What is made of data that are not binary. A float is a threshold: entries above it are 1,
        the others 0, in all data. "dynamic" is for probabilities in [0, 1], such as grey levels:
        every training step takes bits drawn with them, so that no two epochs see the same data;
        all other methods take them as they are. None takes binary data, or probabilities, as they
        are.
    sigma : float or {"learn", "learn_diagonal", "predict"}, default="learn"
        Standard deviation of the Gaussian likelihood, in the units of x: given, one learned, one
        learned for each feature, or given by the decoder for each feature as a function of z.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    posterior : {"diagonal", "full"}, default="diagonal"
        Whether L has entries below its diagonal.
    objective : str or Objective, default="elbo"
        The training criterion: an object from :mod:`sklvm.objectives`, or its short name, for
        default settings. "elbo" is :class:`~sklvm.objectives.EvidenceLowerBound`, with warm-up,
        free bits, several draws, and two estimators of its gradient; "importance_weighted"
        :class:`~sklvm.objectives.ImportanceWeightedBound`; "vnce"
        :class:`~sklvm.objectives.VariationalNoiseContrastiveEstimation`; "autoencoder"
        :class:`~sklvm.objectives.AutoencoderLoss`, which leaves no density: ``score_samples`` is
        then minus the loss.
    beta : float, default=None
        β of the "elbo", as a short way to set it. None: what the objective says, by default 1.
    n_importance_samples : int, default=100
        Draws of z for each row of ``score_samples`` and ``elbo``.
    optimizer : {"auto", "adam", "sgd"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.003, schedule="cosine",
        max_gradient_norm=10)``.
    weight_decay : float, default=0.0
        λ of the penalty ½λ‖W‖² on all weights, biases apart, which is added to the criterion.
    max_iter : int or "auto", default="auto"
        Epochs. 0 leaves the model at its start. "auto" suits the rows: 20
        passes over them, but no fewer than 2,000 steps, and no more than 20,000 unless that is less
        than one pass; the fit is cut short where the criterion comes to a plateau, and an epoch has
        25 steps at least, of several passes over few rows.
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
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch.

    Attributes
    ----------
    encoder_coefs_, encoder_intercepts_ : list of ndarray
        Of the encoder's layers, coefs of shape (width, width of the layer below). The last layer's
        outputs are μ, the logarithms of L's diagonal, and the rows of L below it.
    decoder_coefs_, decoder_intercepts_ : list of ndarray
        Of the decoder's.
    components_ : ndarray of shape (n_components, n_features)
        The linear decoder's directions; only without hidden layers.
    sigma_ : float or ndarray of shape (n_features,)
        σ; not with ``sigma="predict"`` or the Bernoulli likelihood.
    fitted_energy_ : FittedEnergy
        The energy of ``sklvm.energies`` and its parameters θ, as ``energy`` and ``theta``.
    history_ : dict of ndarray
        Values an epoch: ``objective``, ``gradient_norm``, and ``validation_objective`` with early
        stopping; of the "elbo" also ``reconstruction_error`` (−E_q log p(x|z)) and ``divergence``
        (KL), in nats a row.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``unscaled_features``, ``collapsed_scale`` (a learned σ at its floor),
        ``collapsed_latents``, ``noise_coverage`` (of "vnce"), and ``convergence``.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Kingma, Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [2] Rezende, Mohamed, Wierstra, "Stochastic backpropagation and approximate inference in deep
       generative models", ICML 2014.
    .. [3] Higgins et al., "β-VAE: Learning basic visual concepts with a constrained variational
       framework", ICLR 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklvm import VAETransformer
    >>> X = load_digits().data / 16
    >>> vae = VAETransformer(2, hidden_layer_sizes=(32,), max_iter=5, random_state=0).fit(X)
    >>> vae.transform(X).shape
    (1797, 2)
    >>> vae.sample(3, random_state=0).shape
    (3, 64)
    >>> bool((vae.elbo(X) <= vae.score_samples(X)).all())
    True
    """

    _validation = {"ensure_all_finite": "allow-nan"}
    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER}}
    _parameter_constraints: dict = {
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
        "hidden_layer_sizes": [tuple, list, Interval(Integral, 1, None, closed="left")],
        "decoder_layer_sizes": [tuple, list, Interval(Integral, 1, None, closed="left"), None],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "likelihood": [StrOptions({"gaussian", "bernoulli"})],
        "binarize": [Interval(Real, None, None, closed="neither"), StrOptions({"dynamic"}), None],
        "sigma": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"learn", "learn_diagonal", "predict"}),
        ],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
        "posterior": [StrOptions({"diagonal", "full"})],
        "beta": [*EvidenceLowerBound._parameter_constraints["beta"], None],
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components=20,
        *,
        hidden_layer_sizes=(128,),
        decoder_layer_sizes=None,
        activation="relu",
        likelihood="gaussian",
        binarize=None,
        sigma="learn",
        sigma_floor=1e-3,
        posterior="diagonal",
        objective="elbo",
        beta=None,
        n_importance_samples=100,
        optimizer="auto",
        weight_decay=0.0,
        max_iter="auto",
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.decoder_layer_sizes = decoder_layer_sizes
        self.activation = activation
        self.likelihood = likelihood
        self.binarize = binarize
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.posterior = posterior
        self.objective = objective
        self.beta = beta
        self.n_importance_samples = n_importance_samples
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting ----------------------------------------------------------------------------------

    def _links(self, energy, objective, optimizer):
        bits = [DrawnBits()] if self.binarize == "dynamic" else []
        return [*bits, *super()._links(energy, objective, optimizer)]

    def _make_model(self, X):
        if self.binarize is not None and self.likelihood != "bernoulli":
            raise ValueError(
                f"binarize={self.binarize!r} is for bits, which likelihood={self.likelihood!r} "
                "is not for. Use likelihood='bernoulli'."
            )
        hidden = check_layer_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        decoder_hidden = hidden[::-1]
        if self.decoder_layer_sizes is not None:
            decoder_hidden = check_layer_sizes(self.decoder_layer_sizes, "decoder_layer_sizes")
        n_features = X.shape[1]
        if self.likelihood == "bernoulli":
            likelihood = BernoulliLikelihood(n_features)
        else:
            likelihood = GaussianLikelihood(n_features, self.sigma, self.sigma_floor)
        energy = DecoderEnergy(likelihood, self.n_components, decoder_hidden, self.activation)
        objective = self._resolve_objective(energy)
        if not isinstance(objective, EncoderObjective):
            raise ValueError(
                f"{type(self).__name__} has an encoder, which {type(objective).__name__} does not "
                "train. Use objective='elbo', 'importance_weighted', 'vnce' or 'autoencoder'."
            )
        has_gaps = self._sees_gaps(X)
        if has_gaps and not objective.takes_missing:
            raise ValueError(
                f"X contains NaN, and {objective!r} is for complete data. Use objective='elbo' or "
                "'importance_weighted'."
            )
        shape = n_features, self.n_components, hidden, self.activation
        if objective.fits_density:
            full = self.posterior == "full"
            encoder = GaussianEncoder(*shape, full=full, mask_channel=has_gaps)
        else:
            encoder = PointEncoder(*shape, mask_channel=has_gaps)
        return energy, objective.with_encoder(encoder)

    def _resolve_objective(self, energy):
        objective = super()._resolve_objective(energy)
        if self.beta is None:
            return objective
        if not isinstance(objective, EvidenceLowerBound):
            raise ValueError(
                f"beta={self.beta} weighs the divergence of objective='elbo', which "
                f"{type(objective).__name__} does not have. Use beta=None."
            )
        return objective.set_params(beta=self.beta)

    def _fitted_attributes(self, training):
        encoder = training.objective.encoder(training.energy)
        phi = training.parameters.own_part("encoder_")
        coefs, intercepts = _layers(encoder.network, encoder.layout, phi)
        return {
            **super()._fitted_attributes(training),
            "encoder_coefs_": coefs,
            "encoder_intercepts_": intercepts,
        }

    def _model_attributes(self, energy, theta):
        coefs, intercepts = _layers(energy.network, energy.layout, theta)
        attributes = {"decoder_coefs_": coefs, "decoder_intercepts_": intercepts}
        if len(coefs) == 1:
            attributes["components_"] = coefs[0][: energy.n_features].T
        likelihood = energy.likelihood
        if isinstance(likelihood, GaussianLikelihood) and not likelihood.is_predicted:
            sigma = np.sqrt(likelihood.scale.variance(energy.layout.views(theta)))
            attributes["sigma_"] = sigma if sigma.ndim else float(sigma)
        return attributes

    def _sees_gaps(self, X):
        """Whether the encoder is told what is missing: that is settled when a model is new."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            return bool(np.isnan(X).any())
        self._check_gaps(X)
        return self._encoder_and_parameters()[0].mask_channel

    def _check_gaps(self, X):
        if not self._encoder_and_parameters()[0].mask_channel and np.isnan(X).any():
            raise ValueError(
                f"X contains NaN, and this {type(self).__name__} was fitted to complete data. Give "
                "fit, or the first partial_fit, data with missing entries."
            )

    def _prepared(self, X, params):
        if getattr(self, "_fitted_params", None) is params:
            self._check_gaps(X)
        if params["likelihood"] == "bernoulli":
            X = binary_rows(X, params["binarize"], "scale X, or use likelihood='gaussian'")
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _layers(network, layout, theta):
    """Views of the network's coefs and intercepts."""
    views = layout.views(theta)
    intercepts = [views[f"intercepts_{layer}"] for layer in range(network.n_layers)]
    return network.coefs(views), intercepts
