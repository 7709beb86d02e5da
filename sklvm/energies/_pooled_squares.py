"""Binary units that are switched off by pooled squares of filter outputs."""

import numpy as np

from sklvm.kernels import sigmoid, softplus
from sklvm.layouts import ParameterLayout

__all__ = ["NormalizedPooledSquares", "PooledSquares"]


class PooledSquares:
    """log p̃(x) = Σ_n S(v_n),  v = c − ½ P f²,  f = Cx: its value and its derivatives.

    Parameters
    ----------
    n_features : int
        Width d of x.
    n_units : int
        Number N of units.
    n_factors : int
        Number F of filters, the rows of C.
    is_pooled : bool
        Whether P, of shape (N, F), is a parameter, or the identity.

    Attributes
    ----------
    layout : ParameterLayout
        ``factors`` (C), ``pooling`` (P, where it is a parameter), ``covariance_bias`` (c).
    """

    def __init__(self, n_features, n_units, n_factors, is_pooled):
        self.n_features, self.is_pooled = n_features, is_pooled
        pooling = {"pooling": (n_units, n_factors)} if is_pooled else {}
        self.layout = ParameterLayout(
            {"factors": (n_factors, n_features), **pooling, "covariance_bias": (n_units,)},
            decayed=("factors",),
        )

    def logits(self, theta, X):
        """v of shape (n, N), and ``pullback(V_bar)``."""
        views = self.layout.views(theta)
        f = X @ views["factors"].T
        v = self._logits(views, f)

        def pullback(v_bar):
            f_bar = -self._spread(views, v_bar) * f
            return self._gradient(theta, v_bar, f_bar.T @ X, -0.5 * v_bar, f * f)

        return v, pullback

    def energy_and_score(self, theta, X):
        """−Σ_n S(v_n) of shape (n,), and g = ∇ₓ Σ_n S(v_n) = −Cᵀ((Pᵀt) ∘ f), t = s(v)."""
        views = self.layout.views(theta)
        f = X @ views["factors"].T
        v = self._logits(views, f)
        energy = -softplus(v).sum(axis=1)
        f *= self._spread(views, sigmoid(v, out=v))
        np.negative(f, out=f)
        return energy, f @ views["factors"]

    def derivatives(self, theta, X, directions=None, with_trace=False):
        """g, Σ_m dᵀ∇g d over the rows' directions d, tr ∇g, and their pullback.

        ::

            dᵀ∇g d = Σ_n t′_n (P(f ∘ e))_n² − Σ_f (Pᵀt)_f e_f²,   e = Cd,
            tr ∇g = Σ_n t′_n ‖Cᵀ(P_n ∘ f)‖² − Σ_f (Pᵀt)_f ‖c_f‖².

        Parameters
        ----------
        theta : ndarray
        X : ndarray of shape (n, d)
        directions : ndarray of shape (m, n, d), default=None
        with_trace : bool, default=False

        Returns
        -------
        g : ndarray of shape (n, d)
        curvature, trace : ndarray of shape (n,), or None
            What is not asked for is None.
        pullback : callable
            (V, w_curvature, w_trace) → θ's gradient; weights of what was not asked for are None.
        """
        views = self.layout.views(theta)
        C = views["factors"]
        f = X @ C.T
        t = sigmoid(self._logits(views, f))
        slope, r = t * (1 - t), self._spread(views, t)
        curvature = trace = along = pooled = None
        if directions is not None:
            along = directions @ C.T
            pooled = self._pool(views, f * along)
            squares = np.einsum("mif,mif->if", along, along)
            curvature = np.einsum("in,min->i", slope, pooled**2)
            curvature -= np.einsum("if,if->i", r, squares)
        if with_trace:
            lengths, of_units, pull_lengths = self._squared_lengths(views, f)
            trace = np.einsum("in,in->i", slope, of_units) - r @ lengths

        def pullback(V, w_curvature, w_trace):
            # ψ·V = −Σ_f r_f f_f e_f with e = CV, the first of the terms that r enters linearly.
            e = V @ C.T
            r_bar, f_bar, slope_bar = -f * e, -r * e, 0.0
            C_bar, P_bar = -(r * f).T @ V, 0.0
            if w_curvature is not None:
                w = w_curvature[:, np.newaxis]
                r_bar -= w * squares
                slope_bar = slope_bar + w * np.einsum("min,min->in", pooled, pooled)
                pooled_bar = 2 * w * slope * pooled
                product_bar = self._spread(views, pooled_bar)
                f_bar += np.einsum("mif,mif->if", product_bar, along)
                along_bar = product_bar * f - 2 * w * r * along
                C_bar += np.tensordot(along_bar, directions, axes=([0, 1], [0, 1]))
                if self.is_pooled:
                    P_bar = np.tensordot(pooled_bar, f * along, axes=([0, 1], [0, 1]))
            if w_trace is not None:
                w = w_trace[:, np.newaxis]
                r_bar -= w * lengths
                slope_bar = slope_bar + w * of_units
                of_trace = pull_lengths(w * slope, -(w_trace @ r))
                C_bar += of_trace[0]
                f_bar += of_trace[1]
                P_bar = P_bar + of_trace[2]
            # t has the slope t′ and t′ has the slope t′(1 − 2t), in v.
            v_bar = slope * (self._pool(views, r_bar) + (1 - 2 * t) * slope_bar)
            f_bar -= self._spread(views, v_bar) * f
            C_bar += f_bar.T @ X
            gradient = self._gradient(theta, v_bar, C_bar, -0.5 * v_bar, f * f)
            if self.is_pooled:
                self.layout.views(gradient)["pooling"][...] += t.T @ r_bar + P_bar
            return gradient

        return -(r * f) @ C, curvature, trace, pullback

    def _squared_lengths(self, views, f):
        """‖c_f‖² (F,), ‖Cᵀ(P_n ∘ f)‖² (n, N), and the pullback of cotangents of both, swapped.

        The pullback gives those of C, f and P.
        """
        C = views["factors"]
        lengths = np.einsum("fj,fj->f", C, C)
        if not self.is_pooled:

            def pullback(units_bar, lengths_bar):
                lengths_bar = lengths_bar + np.einsum("if,if->f", units_bar, f * f)
                return 2 * lengths_bar[:, np.newaxis] * C, 2 * units_bar * f * lengths, 0.0

            return lengths, f * f * lengths, pullback

        gated = views["pooling"] * f[:, np.newaxis]
        normals = gated @ C

        def pullback(units_bar, lengths_bar):
            normals_bar = 2 * units_bar[:, :, np.newaxis] * normals
            gated_bar = normals_bar @ C.T
            C_bar = np.tensordot(gated, normals_bar, axes=([0, 1], [0, 1]))
            C_bar += 2 * lengths_bar[:, np.newaxis] * C
            f_bar = np.einsum("inf,nf->if", gated_bar, views["pooling"])
            return C_bar, f_bar, np.einsum("inf,if->nf", gated_bar, f)

        return lengths, np.einsum("inj,inj->in", normals, normals), pullback

    def _logits(self, views, f):
        v = self._pool(views, f * f)
        v *= -0.5
        v += views["covariance_bias"]
        return v

    def _pool(self, views, values):
        """P applied to an axis of factors; a new array or `values` itself."""
        return values @ views["pooling"].T if self.is_pooled else values

    def _spread(self, views, values):
        """Pᵀ applied to an axis of units."""
        return values @ views["pooling"] if self.is_pooled else values

    def _gradient(self, theta, v_bar, C_bar, left, right):
        """θ's gradient; that of P is `left`ᵀ `right`."""
        gradient = np.empty_like(theta)
        out = self.layout.views(gradient)
        out["factors"][...] = C_bar
        v_bar.sum(axis=0, out=out["covariance_bias"])
        if self.is_pooled:
            np.matmul(left.T, right, out=out["pooling"])
        return gradient


class NormalizedPooledSquares(PooledSquares):
    """The same of x̂ = x/ℓ, ℓ² = ‖x‖²/d + ½: filters see the pattern of x and not its contrast.

    With r = 1/ℓ the chain rule has J = ∂x̂/∂x = r I − r³ xxᵀ/d, and along a direction v the second
    derivative ∂²x̂[v, v] = −(2r³/d)(xᵀv) v + (3r⁵(xᵀv)²/d² − r³‖v‖²/d) x.
    """

    def logits(self, theta, X):
        return super().logits(theta, X * self._inverse_length(X))

    def energy_and_score(self, theta, X):
        r = self._inverse_length(X)
        energy, g = super().energy_and_score(theta, X * r)
        return energy, self._pull(X, r, g)

    def derivatives(self, theta, X, directions=None, with_trace=False):
        r, d = self._inverse_length(X), self.n_features
        squares = np.einsum("ij,ij->i", X, X)[:, np.newaxis]
        if with_trace:
            # Σ_j J eⱼ(J eⱼ)ᵀ = J² = r² (I − κ xxᵀ): a trace, and a direction with a weight.
            mapped, kappa = X[np.newaxis], (r**2 * (2 / d - squares * r**2 / d**2))[:, 0]
            bend = X * (3 * squares * r**5 / d**2 - (1 + 2 / d) * r**3)
        else:
            mapped = self._pull(X, r, directions)
            inner = np.einsum("ij,mij->mi", X, directions)[:, :, np.newaxis]
            norms = np.einsum("mij,mij->i", directions, directions)[:, np.newaxis]
            bend = X * (3 * r**5 * (inner**2).sum(axis=0) / d**2 - r**3 * norms / d)
            bend -= 2 * r**3 / d * (inner * directions).sum(axis=0)
        g, curvature, trace, pull = super().derivatives(theta, X * r, mapped, with_trace)
        through_bend = np.einsum("ij,ij->i", g, bend)
        squared = (r * r)[:, 0]
        if with_trace:
            trace = squared * (trace - kappa * curvature) + through_bend
            curvature = None
        else:
            curvature = curvature + through_bend

        def pullback(V, w_curvature, w_trace):
            w = w_trace if with_trace else w_curvature
            V = self._pull(X, r, V)
            if w is None:
                return pull(V, None, None)
            V = V + w[:, np.newaxis] * bend
            if with_trace:
                return pull(V, -w * squared * kappa, w * squared)
            return pull(V, w, None)

        return self._pull(X, r, g), curvature, trace, pullback

    def _inverse_length(self, X):
        """1/ℓ of each row, shape (n, 1)."""
        half = X.dtype.type(0.5)
        return 1 / np.sqrt(np.einsum("ij,ij->i", X, X) / self.n_features + half)[:, np.newaxis]

    def _pull(self, X, r, V):
        """JV, where V has a row, or several, for each row of X."""
        along = np.einsum("ij,...ij->...i", X, V)[..., np.newaxis]
        return r * V - (r**3 / self.n_features) * along * X
