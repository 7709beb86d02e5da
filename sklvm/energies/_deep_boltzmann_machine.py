"""The energy of the deep Boltzmann machine."""

import numpy as np

from sklvm.energies._chain_state import ChainState, block_masks
from sklvm.energies._layer_means import LayerMeans
from sklvm.energies._layer_sums import LayerSums
from sklvm.energies._two_layers import LinearTempering
from sklvm.kernels import draw_bernoulli, sample_bernoulli, sigmoid, softplus
from sklvm.layouts import ParameterLayout

__all__ = ["DeepBoltzmannMachineEnergy"]

# Sweep of the random numbers with which chains start: none gets so far.
START = 2**32 - 1


class DeepBoltzmannMachineEnergy(LayerMeans, LayerSums, LinearTempering):
    """−log p̃ of a restricted Boltzmann machine with further layers of hidden units above it.

    ::

        log p̃(x, h¹, …, h^L) = log p̃₁(x, h¹) + Σ_{l ≥ 2} (h^lᵀ W_l h^(l−1) + b_lᵀ h^l),

    all h^l binary and p̃₁ that of the restricted machine, with binary or real x [1]_. Given the odd
    layers, the units of x and of the even layers are independent, and the other way round: it is a
    restricted machine of (x, h², h⁴, …) and (h¹, h³, …) most of whose weights are 0.

    Capabilities: joint, positive phase by mean field, bound, Gibbs, tempered (annealing sums out
    the odd layers), exact partition and exact marginal by the states of the odd layers, centred.

    Parameters
    ----------
    bottom : BernoulliRBMEnergy or GaussianRBMEnergy
        p̃₁, whose hidden units are h¹.
    upper_sizes : sequence of int
        Numbers of units of h², …, h^L. Without any it is the restricted machine.
    n_mean_field : int, default=10
        Sweeps of mean field in the positive phase; ``bound`` makes as many as each row needs.

    Attributes
    ----------
    sizes : tuple of int
        Numbers of units of h¹, …, h^L.
    n_components : int
        Hidden units of all layers together.
    layout : ParameterLayout
        That of the restricted machine (``weights``, ``visible_bias``, ``hidden_bias``, …), then
        ``weights_2`` (W₂, of shape (K₂, K₁)), ``bias_2`` (b₂), and so on.

    References
    ----------
    .. [1] Salakhutdinov, Hinton, "Deep Boltzmann machines", AISTATS 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy, DeepBoltzmannMachineEnergy
    >>> energy = DeepBoltzmannMachineEnergy(BernoulliRBMEnergy(4, 3), (2,))
    >>> list(energy.layout)
    ['weights', 'visible_bias', 'hidden_bias', 'weights_2', 'bias_2']
    >>> float(np.round(energy.log_partition(np.zeros(energy.layout.size)) / np.log(2), 6))
    9.0
    """

    def __init__(self, bottom, upper_sizes=(), n_mean_field=10):
        self.bottom, self.n_mean_field = bottom, n_mean_field
        self.n_features = bottom.n_features
        self.sizes = (bottom.n_components, *upper_sizes)
        self.n_components = sum(self.sizes)
        self.n_terms = self.n_latent_terms = 2 ** sum(self.sizes[::2])
        shapes = {}
        for layer in self._upper_layers:
            width, below = self.sizes[layer - 1], self.sizes[layer - 2]
            shapes |= {f"weights_{layer}": (width, below), f"bias_{layer}": (width,)}
        decayed = [name for name in shapes if name.startswith("weights")]
        self.layout = bottom.layout + ParameterLayout(shapes, decayed=decayed)

    @property
    def n_layers(self):
        """Layers of hidden units, L."""
        return len(self.sizes)

    @property
    def scale(self):
        """That of the visible units; None where they are binary."""
        return getattr(self.bottom, "scale", None)

    @property
    def _upper_layers(self):
        return range(2, self.n_layers + 1)

    def init_parameters(self, X, rng, sample_weight=None):
        """The restricted machine's start, W_l ~ N(0, 0.1²) above it, and b_l = 0."""
        theta = np.zeros(self.layout.size, dtype=X.dtype)
        self._of_bottom(theta)[...] = self.bottom.init_parameters(X, rng, sample_weight)
        views = self.layout.views(theta)
        for layer in self._upper_layers:
            weights = views[f"weights_{layer}"]
            weights[...] = 0.1 * rng.standard_normal(weights.shape)
        return theta

    def _of_bottom(self, vector):
        """The restricted machine's share of a vector of θ's size."""
        return vector[: self.bottom.layout.size]

    # -- the joint energy -------------------------------------------------------------------------

    def evaluate_joint(self, theta, X, Z):
        """E(x, z) with z = (h¹, …, h^L) side by side, and ``pullback(w)``."""
        hidden = self.split(Z)
        energy, bottom_pullback = self.bottom.evaluate_joint(self._of_bottom(theta), X, hidden[0])
        energy = energy - self._upper_terms(theta, hidden)

        def pullback(w):
            gradient = np.empty_like(theta)
            self._of_bottom(gradient)[...] = bottom_pullback(w)
            flat = [H.reshape(-1, H.shape[-1]) for H in hidden]
            self._pull_upper(self.layout.views(gradient), flat, w.ravel())
            return gradient

        return energy, pullback

    def split(self, Z):
        """The layers h¹, …, h^L of rows that hold them side by side."""
        return np.split(Z, np.cumsum(self.sizes)[:-1], axis=-1)

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E/∂θ at the blocks (x, h¹, …, h^L) of each row, states or means."""
        X, *hidden = blocks
        gradient = np.empty_like(theta)
        bottom = self._of_bottom(theta)
        self._of_bottom(gradient)[...] = self.bottom.joint_gradient(bottom, (X, hidden[0]), w)
        self._pull_upper(self.layout.views(gradient), hidden, w)
        return gradient

    def _upper_terms(self, theta, hidden):
        """Σ_{l ≥ 2} h^lᵀ W_l h^(l−1) + b_lᵀ h^l."""
        views, total = self.layout.views(theta), 0.0
        for layer in self._upper_layers:
            below, units = hidden[layer - 2 : layer]
            pull = below @ views[f"weights_{layer}"].T + views[f"bias_{layer}"]
            total = total + (pull * units).sum(axis=-1)
        return total

    def _pull_upper(self, out, hidden, w):
        """Write Σᵢ wᵢ ∂E/∂(W_l, b_l) for l ≥ 2 to `out`, by name."""
        for layer in self._upper_layers:
            below, units = hidden[layer - 2 : layer]
            weighted = -w[:, np.newaxis] * units
            np.matmul(weighted.T, below, out=out[f"weights_{layer}"])
            weighted.sum(axis=0, out=out[f"bias_{layer}"])

    # -- one layer given those beside it ----------------------------------------------------------

    def _inputs(self, theta, blocks, layer, drive=None):
        """The logits of h^l given the other blocks; `drive` is that of h¹ by x, where known."""
        views = self.layout.views(theta)
        if layer > 1:
            inputs = blocks[layer - 1] @ views[f"weights_{layer}"].T
            inputs += views[f"bias_{layer}"]
        else:
            inputs = drive
            if drive is None:
                inputs = self.bottom.posterior_logits(self._of_bottom(theta), blocks[0])
        if layer < self.n_layers:
            from_above = blocks[layer + 1] @ views[f"weights_{layer + 1}"]
            from_above += inputs
            return from_above
        return inputs

    def _odd_inputs(self, theta, blocks, drive=None):
        return [self._inputs(theta, blocks, layer, drive) for layer in self._odd_layers]

    @property
    def _odd_layers(self):
        return range(1, self.n_layers + 1, 2)

    @property
    def _even_layers(self):
        return range(2, self.n_layers + 1, 2)

    def _hidden_biases(self, theta):
        views = self.layout.views(theta)
        return [views["hidden_bias"], *(views[f"bias_{layer}"] for layer in self._upper_layers)]

    # -- chains: the odd layers given the others, then x and the even layers ----------------------

    def start(self, theta, X, seed):
        """Chains at the rows of X, their even layers drawn as a pass from the bottom up says.

        Their cache holds the inputs of the odd layers, with which the first sweep begins.
        """
        blocks = [X, *self.bottom_up(theta, X)]
        for layer in self._odd_layers:
            blocks[layer] = np.zeros_like(blocks[layer])
        for layer in self._even_layers:
            blocks[layer] = draw_bernoulli(blocks[layer], int(seed), sweep=START, layer=layer)
        cache = self._odd_inputs(theta, blocks)
        return ChainState(tuple(blocks), int(seed), cache=cache)

    def sweep(self, theta, state, *, free=None, tempering=None):
        """A ``ChainState`` after one draw of the odd layers, and one of x and the even layers."""
        if tempering is None:
            blocks = self._swept(theta, state, state.cache, free)
            return state.moved(blocks, self._odd_inputs(theta, blocks)), {}
        tempered = _Tempered(self, theta, *tempering)
        if not tempered.is_linear:
            return state.moved(self._swept(tempered.theta, state, None, free)), {}
        inputs = self._odd_inputs(theta, state.blocks) if state.cache is None else state.cache
        blocks = self._swept(theta, state, tempered.inputs(inputs), free, tempered)
        return state.moved(blocks, self._odd_inputs(theta, blocks)), {}

    def _swept(self, theta, state, odd_inputs, free, tempered=None):
        blocks, masks = list(state.blocks), block_masks(free, len(state.blocks))
        if odd_inputs is None:
            odd_inputs = self._odd_inputs(theta, blocks)
        for layer, inputs in zip(self._odd_layers, odd_inputs, strict=True):
            current = blocks[layer]
            blocks[layer] = _draw(inputs, state.seed, state.sweep, layer, masks[layer], current)
        first, bias = blocks[1], None
        if tempered is not None:
            first, bias = tempered.beta * first, tempered.visible_bias()
        blocks[0] = self.bottom.sample_visible(
            self._of_bottom(theta),
            first,
            state.seed,
            state.sweep,
            free=masks[0],
            current=blocks[0],
            bias=bias,
        )
        for layer in self._even_layers:
            inputs = self._inputs(theta, blocks, layer)
            if tempered is not None:
                inputs = tempered.even_inputs(inputs, layer)
            current = blocks[layer]
            blocks[layer] = _draw(inputs, state.seed, state.sweep, layer, masks[layer], current)
        return tuple(blocks)

    def expected_blocks(self, theta, state):
        """The blocks, the odd layers by their means given the others."""
        blocks = list(state.blocks)
        inputs = self._odd_inputs(theta, blocks) if state.cache is None else state.cache
        for layer, each in zip(self._odd_layers, inputs, strict=True):
            blocks[layer] = sigmoid(each)
        return tuple(blocks)

    def expected_visible(self, theta, state):
        """E[x | h¹] at the h¹ of which the last sweep drew x."""
        return self.bottom.visible_mean(self._of_bottom(theta), state.blocks[1])

    # -- temperatures: E(x, h², h⁴, …), the odd layers summed out ---------------------------------

    def tempered_start(self, X, sample_weight=None):
        """That of the restricted machine, and no weights or biases above it."""
        theta = np.zeros(self.layout.size, dtype=X.dtype)
        self._of_bottom(theta)[...] = self.bottom.tempered_start(X, sample_weight)
        return theta

    def start_log_partition(self, theta_0, X=None, free=None):
        """log Z where no unit depends on another; given units have their energy in it."""
        upper = self._hidden_biases(theta_0)[1:]
        bottom = self.bottom.start_log_partition(self._of_bottom(theta_0), X, free)
        return bottom + sum(float(softplus(b.astype(np.float64)).sum()) for b in upper)

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""
        return self.bottom.sample_start(self._of_bottom(theta_0), n_samples, seed)

    def tempered_energies(self, theta_0, theta, betas, state):
        """E(x, h², h⁴, …) at each inverse temperature, shape (len(betas), n)."""
        inputs, energies = state.cache, []
        for beta in betas:
            tempered = _Tempered(self, theta, theta_0, beta)
            if not tempered.is_linear:
                odd_inputs = self._odd_inputs(tempered.theta, state.blocks)
            else:
                inputs = self._odd_inputs(theta, state.blocks) if inputs is None else inputs
                odd_inputs = tempered.inputs(inputs)
            bottom, bias = self._of_bottom(tempered.theta), tempered.visible_bias()
            energy = self.bottom.visible_energy(bottom, state.visible, bias)
            for layer in self._even_layers:
                energy -= state.blocks[layer] @ tempered.biases()[layer - 1]
            for each in odd_inputs:
                energy -= softplus(each, out=each).sum(axis=1)
            energies.append(energy)
        return np.stack(energies)

    # -- centred: x − μ₀ and h^l − μ_l, so that b_l = b_c,l − W_l μ_(l−1) − W_(l+1)ᵀ μ_(l+1) -------

    def centre_gradient(self, theta, gradient, offsets):
        """∇W_l − μ_l (∇b_(l−1))ᵀ − ∇b_l μ_(l−1)ᵀ in every W_l (Melchior et al., JMLR 17, 2016)."""
        self.bottom.centre_gradient(
            self._of_bottom(theta), self._of_bottom(gradient), tuple(offsets[:2])
        )
        out, biases = self.layout.views(gradient), self._hidden_biases(gradient)
        for layer in self._upper_layers:
            left = np.column_stack([offsets[layer], biases[layer - 1]])
            out[f"weights_{layer}"] -= left @ np.stack([biases[layer - 2], offsets[layer - 1]])

    def centre_change(self, theta, change, offsets):
        """ΔW_l; Δb_l = Δb_c,l − ΔW_l μ_(l−1) − ΔW_(l+1)ᵀ μ_(l+1)."""
        self.bottom.centre_change(
            self._of_bottom(theta), self._of_bottom(change), tuple(offsets[:2])
        )
        out, biases = self.layout.views(change), self._hidden_biases(change)
        for layer in self._upper_layers:
            weights = out[f"weights_{layer}"]
            biases[layer - 1] -= weights @ offsets[layer - 1]
            biases[layer - 2] -= offsets[layer] @ weights


class _Tempered:
    """A machine at an inverse temperature, without a copy of its weights where that is possible.

    At the start of the path there are no weights. Where inputs are linear in θ, they are then
    β times those at θ but for the biases; weights that multiply states of units stay those of θ,
    and the states are multiplied by β. A learned σ is not linear.
    """

    def __init__(self, energy, theta, theta_0, beta):
        self._energy, self._ends, self.beta = energy, (theta_0, theta), theta.dtype.type(beta)
        self.is_linear = energy.scale is None or not energy.scale.is_learned
        self.theta = theta if self.is_linear else energy.temper(theta_0, theta, self.beta)

    def biases(self):
        """Those of all hidden layers."""
        if not self.is_linear:
            return self._energy._hidden_biases(self.theta)
        start, end = (self._energy._hidden_biases(theta) for theta in self._ends)
        return [(1 - self.beta) * a + self.beta * b for a, b in zip(start, end, strict=True)]

    def visible_bias(self):
        """That of x, in the place of the one in ``theta``; None where that is right."""
        if not self.is_linear:
            return None
        layout = self._energy.layout
        start, end = (layout.views(theta)["visible_bias"] for theta in self._ends)
        return (1 - self.beta) * start + self.beta * end

    def inputs(self, inputs):
        """Inputs of the odd layers, of those at θ."""
        start = self._energy._hidden_biases(self._ends[0])
        pairs = zip(inputs, start[::2], strict=True)
        return [self.beta * each + (1 - self.beta) * bias for each, bias in pairs]

    def even_inputs(self, inputs, layer):
        """Inputs of an even layer, of those at θ; overwritten."""
        inputs *= self.beta
        inputs += (1 - self.beta) * self._energy._hidden_biases(self._ends[0])[layer - 1]
        return inputs


def _draw(logits, seed, sweep, layer, free=None, current=None):
    no_bias = np.zeros(logits.shape[1], dtype=logits.dtype)
    return sample_bernoulli(
        logits, no_bias, seed, sweep=sweep, layer=layer, free=free, state=current
    )
