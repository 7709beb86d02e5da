"""Three-way products of inputs x, outputs y and hidden units: L_k(x, y) = Σ_ij T_kij x_i y_j."""

import numpy as np

from sklvm.layouts import ParameterLayout

__all__ = ["FactoredInteraction", "FullInteraction"]


class FactoredInteraction:
    """L = G(Ax ∘ By): T_kij = Σ_f G_kf A_fi B_fj, a tensor of rank F or less.

    Parameters
    ----------
    n_inputs, n_outputs, n_components, n_factors : int

    Attributes
    ----------
    layout : ParameterLayout
        ``input_factors`` (A), ``output_factors`` (B), ``hidden_factors`` (G, of shape (K, F)).
    order : int
        Degree of L in the parameters.
    outer : str
        The parameter of degree 1.
    """

    order, outer = 3, "hidden_factors"

    def __init__(self, n_inputs, n_outputs, n_components, n_factors):
        shapes = {
            "input_factors": (n_factors, n_inputs),
            "output_factors": (n_factors, n_outputs),
            "hidden_factors": (n_components, n_factors),
        }
        self.layout = ParameterLayout(shapes, decayed=shapes)

    def draw(self, rng, input_variance, output_variance):
        """Random factors of which L has a standard deviation of 1.5 on rows of these variances.

        Smaller ones are slow to leave the neighbourhood of L = 0, whose gradient is cubic.

        Returns
        -------
        values : dict of str to ndarray
        """
        scales = {
            "input_factors": 0.5 / np.sqrt(input_variance),
            "output_factors": 0.5 / np.sqrt(output_variance),
            "hidden_factors": 6 / np.sqrt(self.layout["hidden_factors"][1]),
        }
        return {name: s * rng.standard_normal(self.layout[name]) for name, s in scales.items()}

    def responses(self, views, X, Y):
        """L of shape (n, K)."""
        products = X @ views["input_factors"].T
        products *= Y @ views["output_factors"].T
        return products @ views["hidden_factors"].T

    def output_drive(self, views, X, Z):
        """Σ_k z_k ∂L_k/∂y, shape (n, n_outputs)."""
        gates = (Z @ views["hidden_factors"]) * (X @ views["input_factors"].T)
        return gates @ views["output_factors"]

    def input_drive(self, views, Y, Z):
        """Σ_k z_k ∂L_k/∂x, shape (n, n_inputs)."""
        gates = (Z @ views["hidden_factors"]) * (Y @ views["output_factors"].T)
        return gates @ views["input_factors"]

    def pull(self, views, X, Y, L_bar, out):
        """Add Σ_nk L̄_nk ∂L_nk/∂θ to `out`; the sums over rows of the cotangents of X and Y."""
        A, B, G = (views[name] for name in self.layout)
        alpha, beta, gates = X @ A.T, Y @ B.T, L_bar @ G
        of_alpha, of_beta = gates * beta, gates * alpha
        out["input_factors"] += of_alpha.T @ X
        out["output_factors"] += of_beta.T @ Y
        alpha *= beta
        out["hidden_factors"] += L_bar.T @ alpha
        return of_alpha.sum(axis=0) @ A, of_beta.sum(axis=0) @ B

    def weights(self, views, X):
        """W(x) = G diag(Ax) B, with which L = W(x) y, shape (n, K, n_outputs)."""
        alpha = X @ views["input_factors"].T
        return (views["hidden_factors"] * alpha[:, np.newaxis]) @ views["output_factors"]

    def pull_weights(self, views, X, W_bar, out):
        """Add the gradient for a cotangent of W(x) to `out`; the sum over rows of that of X."""
        A, B, G = (views[name] for name in self.layout)
        alpha = X @ A.T
        of_products = W_bar @ B.T
        gated = G * alpha[:, np.newaxis]
        out["output_factors"] += np.tensordot(gated, W_bar, axes=([0, 1], [0, 1]))
        out["hidden_factors"] += np.einsum("nkf,nf->kf", of_products, alpha)
        of_alpha = np.einsum("nkf,kf->nf", of_products, G)
        out["input_factors"] += of_alpha.T @ X
        return of_alpha.sum(axis=0) @ A


class FullInteraction:
    """L with all entries of T as parameters.

    Parameters
    ----------
    n_inputs, n_outputs, n_components : int

    Attributes
    ----------
    layout : ParameterLayout
        ``tensor`` (T, of shape (K, n_inputs, n_outputs)).
    order : int
        Degree of L in the parameters.
    outer : str
        The parameter of degree 1.
    """

    order, outer = 1, "tensor"

    def __init__(self, n_inputs, n_outputs, n_components):
        shapes = {"tensor": (n_components, n_inputs, n_outputs)}
        self.layout = ParameterLayout(shapes, decayed=shapes)

    def draw(self, rng, input_variance, output_variance):
        """A random tensor with L of standard deviation 0.1 on rows of given total variances."""
        scale = 0.1 / np.sqrt(input_variance * output_variance)
        return {"tensor": scale * rng.standard_normal(self.layout["tensor"])}

    def responses(self, views, X, Y):
        return np.einsum("nkj,nj->nk", self.weights(views, X), Y)

    def output_drive(self, views, X, Z):
        return np.einsum("nkj,nk->nj", self.weights(views, X), Z)

    def input_drive(self, views, Y, Z):
        return np.einsum("nk,kij,nj->ni", Z, views["tensor"], Y, optimize=True)

    def pull(self, views, X, Y, L_bar, out):
        outer = (L_bar[:, :, np.newaxis] * Y[:, np.newaxis]).reshape(len(Y), -1)
        gradient = (X.T @ outer).reshape(X.shape[1], *L_bar.shape[1:], Y.shape[1])
        out["tensor"] += np.swapaxes(gradient, 0, 1)
        of_x, of_y = self.input_drive(views, Y, L_bar), self.output_drive(views, X, L_bar)
        return of_x.sum(axis=0), of_y.sum(axis=0)

    def weights(self, views, X):
        return np.tensordot(X, views["tensor"], axes=(1, 1))

    def pull_weights(self, views, X, W_bar, out):
        out["tensor"] += np.einsum("ni,nkj->kij", X, W_bar, optimize=True)
        return np.einsum("kij,nkj->i", views["tensor"], W_bar, optimize=True)
