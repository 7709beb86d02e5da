"""First and second derivatives, in the input, of a network's summed output, with their pullback."""

import numpy as np

__all__ = ["InputDerivatives"]


class InputDerivatives:
    """∇N(x) and D²N(x) = Σ_v vᵀ∇²N(x) v of N(x) = Σ_k h_{L,k}(x), for the rows of X.

    With the backward pass δʰ_L = 1, δᵘ_l = f′(u_l) δʰ_l, δʰ_{l−1} = V_lᵀ δᵘ_l and the units'
    squared slopes q_l = Σ_v (∂u_l/∂x v)²::

        ∇N = V₁ᵀ δᵘ₁,        D²N = Σ_l ⟨δʰ_l, f″(u_l) q_l⟩.

    Over all axes D² is the Laplacian Δ, and q_l = ‖∇ₓ u_l‖².

    Parameters
    ----------
    network : MultiLayerPerceptron
    views : mapping of str to ndarray
        The network's parameters.
    passed : ForwardPass
        Of the rows of X.
    squared_slopes : callable, default=None
        Maps coefs and f′(u₁), …, f′(u_{L−1}) to all q_l and their pullback: ``gradient_norms`` for
        the Laplacian, ``directional_slopes`` with its directions for given v. None: no D²N.

    Attributes
    ----------
    gradient : ndarray of shape (n, d)
    curvature : ndarray of shape (n,) or None
        D²N.
    """

    def __init__(self, network, views, passed, squared_slopes=None):
        self._network, self._views, self._passed = network, views, passed
        self._coefs = network.coefs(views)
        n_layers = network.n_layers
        order = 2 if squared_slopes is None else 3
        self._f = [network.derivatives(passed, layer, order) for layer in range(n_layers)]
        self._h_adjoints, self._u_adjoints = [None] * n_layers, [None] * n_layers
        adjoint = None  # that of the output is 1
        for layer in reversed(range(n_layers)):
            self._h_adjoints[layer] = adjoint
            self._u_adjoints[layer] = _times(self._f[layer][0], adjoint)
            adjoint = self._u_adjoints[layer] @ self._coefs[layer]
        self.gradient = adjoint
        self.curvature = None
        if squared_slopes is not None:
            firsts = [f[0] for f in self._f[:-1]]
            self._squares, self._squares_pullback = squared_slopes(self._coefs, firsts)
            # ⟨δʰ, f″ q⟩ by layer; f″δʰ is kept, for it is also ∂D²N/∂q.
            self._square_adjoints = [
                _times(f[1], adjoint) for f, adjoint in zip(self._f, self._h_adjoints, strict=True)
            ]
            self.curvature = sum(
                np.einsum("nk,nk->n" if q.ndim == 2 else "nk,k->n", a, q)
                for a, q in zip(self._square_adjoints, self._squares, strict=True)
            )

    def pullback(self, V, w, out):
        """Write Σᵢ ∂/∂θ [vᵢᵀ ∇N(xᵢ) + wᵢ D²N(xᵢ)] into `out`, by parameter name.

        v and w are constants, so the bracket is one scalar that a single tangent m carries through
        the layers, m₀ = v, m_l = f′(u_l) V_l m_{l−1} + w f″(u_l) q_l, and N's own backward pass is
        its adjoint. `w` may be None: no D²N.
        """
        network, passed = self._network, self._passed
        tangents, h_tangent = [], V
        for layer, coefs in enumerate(self._coefs):
            u_tangent = h_tangent @ coefs.T
            tangents.append((h_tangent, u_tangent))
            h_tangent = self._f[layer][0] * u_tangent
            if w is not None:
                bent = self._f[layer][1] * self._squares[layer]
                bent *= w[:, np.newaxis]
                h_tangent += bent

        if w is not None:
            squares_bar = [w[:, np.newaxis] * adjoint for adjoint in self._square_adjoints]
            coefs_bar, firsts_bar = self._squares_pullback(squares_bar)

        h_bar = None
        for layer in reversed(range(network.n_layers)):
            f, h_adjoint = self._f[layer], self._h_adjoints[layer]
            h_below, u_tangent = tangents[layer]
            u_bar = f[1] * u_tangent
            if w is not None:
                bent = f[2] * self._squares[layer]
                bent *= w[:, np.newaxis]
                u_bar += bent
            if h_adjoint is not None:
                u_bar *= h_adjoint
            if h_bar is not None:
                u_bar += f[0] * h_bar
                if w is not None:
                    u_bar += f[1] * firsts_bar[layer]
            gradient = out[f"coefs_{layer}"]
            np.matmul(u_bar.T, passed.input_of(layer), out=gradient)
            gradient += self._u_adjoints[layer].T @ h_below
            if w is not None:
                gradient += coefs_bar[layer]
            if network.use_bias[layer]:
                u_bar.sum(axis=0, out=out[f"intercepts_{layer}"])
            if layer > 0:
                h_bar = u_bar @ self._coefs[layer]


def _times(a, b):
    """a ∘ b; None stands for ones."""
    return a if b is None else a * b
