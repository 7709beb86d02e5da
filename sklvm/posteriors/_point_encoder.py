"""A perceptron that maps x to one value of the latent variables: the encoder of an auto-encoder."""

import numpy as np

from sklvm.networks import MultiLayerPerceptron, gradient_norms
from sklvm.posteriors._gaussian_encoder import fill_missing
from sklvm.statistics import column_moments

__all__ = ["PointEncoder", "PointPosterior"]


class PointPosterior:
    """q(z|x) = δ(z − f(x)) of n rows: all its mass is at one point. It has no density.

    Attributes
    ----------
    outputs, mean : ndarray of shape (n, K)
        f(x).
    """

    def __init__(self, encoder, views, passed):
        self._network, self._layout = encoder.network, encoder.layout
        self._views, self._passed = views, passed
        self.outputs = self.mean = passed.output

    def jacobian_norms(self):
        """‖∂f/∂x‖²_F = Σ_k f_L′(u_k)² ‖∇ₓ u_k‖², shape (n,), u the last layer's inputs.

        Returns
        -------
        norms : ndarray of shape (n,)
        pull : callable
            ``pull(w)`` for ``pullback``'s `norms_pulled`: w is their cotangent.
        """
        network, last = self._network, self._network.n_layers - 1
        coefs = network.coefs(self._views)
        f = [network.derivatives(self._passed, layer, 2) for layer in range(network.n_layers)]
        squares, squares_pullback = gradient_norms(coefs, [first for first, _ in f[:-1]])
        first, second = f[last]

        def pull(w):
            w = w[:, np.newaxis]
            squares_bar = [np.zeros_like(outputs) for outputs in self._passed.outputs]
            squares_bar[last] = w * first**2
            coefs_bar, firsts_bar = squares_pullback(squares_bar)
            seconds = [second for _, second in f[:-1]]
            u_bars = [b * s for b, s in zip(firsts_bar, seconds, strict=True)]
            return coefs_bar, [*u_bars, 2 * w * first * second * squares[last]]

        return (first**2 * squares[last]).sum(axis=1), pull

    def pullback(self, outputs_bar, out, norms_pulled=None):
        """Write the encoder's gradient to the vector `out`.

        `norms_pulled` is what the pull of ``jacobian_norms`` returned; None: nothing.
        """
        network, passed, out = self._network, self._passed, self._layout.views(out)
        if norms_pulled is None:
            network.vjp(self._views, passed, outputs_bar, out)
            return
        coefs_bar, u_bars = norms_pulled
        h_bar = outputs_bar
        for layer in reversed(range(network.n_layers)):
            (first,) = network.derivatives(passed, layer, 1)
            u_bar = first * h_bar + u_bars[layer]
            out[f"coefs_{layer}"][...] = u_bar.T @ passed.input_of(layer) + coefs_bar[layer]
            out[f"intercepts_{layer}"][...] = u_bar.sum(axis=0)
            h_bar = u_bar @ self._views[f"coefs_{layer}"]


class PointEncoder:
    """z = f(x), f a perceptron.

    Parameters
    ----------
    n_features : int
        Width of x.
    n_components : int
        Width K of z.
    hidden_layer_sizes : tuple of int, default=()
    activation : str, default="relu"
        Of the hidden layers.
    mask_channel : bool, default=False
        Whether x may have missing entries (NaN). They are filled with zeros, and the perceptron
        sees behind x the d indicators of what is missing.
    output_activation : str, default="identity"
        Of the last layer.

    Attributes
    ----------
    layout : ParameterLayout
        The perceptron's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.posteriors import PointEncoder
    >>> encoder, X = PointEncoder(n_features=3, n_components=2), np.eye(3)
    >>> encoder.encode(encoder.init_parameters(X, np.random.default_rng(0)), X).mean.shape
    (3, 2)
    """

    def __init__(
        self,
        n_features,
        n_components,
        hidden_layer_sizes=(),
        activation="relu",
        mask_channel=False,
        output_activation="identity",
    ):
        self.n_components, self.mask_channel = n_components, mask_channel
        self.network = MultiLayerPerceptron(
            ((1 + mask_channel) * n_features, *hidden_layer_sizes, n_components),
            (activation,) * len(hidden_layer_sizes) + (output_activation,),
            skip_zeros=True,
        )
        self.layout = self.network.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """First-layer units of mean 0 and variance 1 over X."""
        inputs = fill_missing(X) if self.mask_channel else X
        mean, variances = column_moments(inputs, sample_weight)
        phi = np.empty(self.layout.size)
        self.network.draw_parameters(self.layout.views(phi), rng, mean, float(variances.mean()))
        return phi.astype(X.dtype)

    def encode(self, phi, X):
        """The ``PointPosterior`` of the rows of X."""
        views = self.layout.views(phi)
        inputs = fill_missing(X) if self.mask_channel else X
        return PointPosterior(self, views, self.network.forward(views, inputs))
