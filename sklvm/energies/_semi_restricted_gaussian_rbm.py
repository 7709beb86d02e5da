"""The energy of the semi-restricted Boltzmann machine with real visible units."""

import numpy as np
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded, solve_banded
from scipy.special import logsumexp

from sklvm.energies._binary_states import binary_states, draw_binary_states, enumerate_gradient
from sklvm.energies._gaussian_rbm import GaussianRBMEnergy
from sklvm.energies._two_layers import TwoLayers
from sklvm.kernels import sigmoid, softplus, standard_normal
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["SemiRestrictedGaussianRBMEnergy"]


class SemiRestrictedGaussianRBMEnergy(TwoLayers):
    """−log p̃ of real visible units that are coupled with each other, and binary hidden ones. ::

        log p̃(x, z) = −½ xᵀΛx + cᵀx + zᵀ(Vx + b),   p(x | z) = N(Λ⁻¹(c + Vᵀz), Λ⁻¹),

    a mixture of 2^K Gaussians of one precision Λ ≻ 0 with zeros off a mask [1]_. With W = VΛ⁻¹ and
    a = Λ⁻¹c the means are a + Wᵀz; in these parameters the energy is linear. Capabilities: those of
    ``GaussianRBMEnergy``, which it is where Λ is diagonal.

    Parameters
    ----------
    n_features, n_components : int
    mask : ndarray of bool of shape (d, d), default=None
        Symmetric, with a true diagonal; where Λ may differ from 0. None: everywhere.

    Attributes
    ----------
    layout : ParameterLayout
        ``weights`` (V), ``visible_bias`` (c), ``hidden_bias`` (b), and ``precision``, the free
        entries of Λ's lower triangle.

    References
    ----------
    .. [1] Osindero, Hinton, "Modeling image patches with a directed hierarchy of Markov random
       fields", NIPS 2007.
    """

    # There is no mean of a unit given hidden ones alone that holds where its neighbours are held.
    expected_visible = None

    def __init__(self, n_features, n_components, mask=None):
        self.n_features, self.n_components = n_features, n_components
        self.n_terms = 2**n_components
        allowed = np.ones((n_features, n_features), dtype=bool) if mask is None else mask
        self._rows, self._columns = np.nonzero(np.tril(allowed))
        self._twice = np.where(self._rows == self._columns, 1, 2)
        self._width = int((self._rows - self._columns).max())
        self.layout = ParameterLayout(
            {
                "weights": (n_components, n_features),
                "visible_bias": (n_features,),
                "hidden_bias": (n_components,),
                "precision": self._rows.shape,
            },
            decayed=("weights",),
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """The start of a ``GaussianRBMEnergy`` with a σ for each feature."""
        rbm = GaussianRBMEnergy(self.n_features, self.n_components, "learn_diagonal")
        theta_rbm = rbm.init_parameters(X.astype(np.float64), rng, sample_weight)
        views, precision = rbm.layout.views(theta_rbm), 1 / rbm.variances(theta_rbm)
        return self.layout.pack(
            weights=views["weights"] * precision,
            visible_bias=views["visible_bias"] * precision,
            hidden_bias=views["hidden_bias"],
            precision=self._entries(np.diag(precision)),
            dtype=X.dtype,
        )

    # -- Λ ----------------------------------------------------------------------------------------

    def precision(self, theta):
        """Λ, shape (d, d)."""
        return self._dense(self.layout.views(theta)["precision"])

    def is_proper(self, views):
        """Whether Λ is positive definite: its Cholesky factor exists."""
        try:
            _Factor(self._dense(views["precision"]), self._width)
        except (LinAlgError, ValueError):
            return False
        return True

    def _dense(self, entries):
        dense = np.zeros((self.n_features, self.n_features), dtype=entries.dtype)
        dense[self._rows, self._columns] = entries
        dense[self._columns, self._rows] = entries
        return dense

    def _entries(self, dense):
        return dense[self._rows, self._columns]

    def _pull_precision(self, bar):
        """The gradient of Λ's entries, each of which stands for a pair, from that of the matrix."""
        return 0.5 * self._twice * (self._entries(bar) + bar[self._columns, self._rows])

    # -- linear in z ------------------------------------------------------------------------------

    def terms(self, theta, X):
        """E₀(x) = ½ xᵀΛx − cᵀx, u = Vx + b, and their pullback."""
        views = self.layout.views(theta)
        energy = 0.5 * np.einsum("ij,ij->i", X @ self.precision(theta), X)
        energy -= X @ views["visible_bias"]
        return energy, self.posterior_logits(theta, X), lambda w, U_bar: self._pull(X, w, U_bar)

    def posterior_logits(self, theta, X):
        """u = Vx + b, shape (n, K)."""
        views = self.layout.views(theta)
        return X @ views["weights"].T + views["hidden_bias"]

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ: without products with θ."""
        X, Z = blocks
        return self._pull(X, w, -w[:, np.newaxis] * Z)

    def _pull(self, X, w, U_bar):
        return self.layout.pack(
            weights=U_bar.T @ X,
            visible_bias=-(w @ X),
            hidden_bias=U_bar.sum(axis=0),
            precision=self._pull_precision(0.5 * (w[:, np.newaxis] * X).T @ X),
            dtype=X.dtype,
        )

    # -- score and second derivatives -------------------------------------------------------------

    def energy_and_score(self, theta, X):
        """E and ψ, from one product with each matrix."""
        views, inner = self.layout.views(theta), X @ self.precision(theta)
        u = self.posterior_logits(theta, X)
        energy = 0.5 * np.einsum("ij,ij->i", inner, X) - X @ views["visible_bias"]
        energy -= softplus(u).sum(axis=1)
        return energy, views["visible_bias"] + sigmoid(u) @ views["weights"] - inner

    def score(self, theta, X):
        """ψ = c + Vᵀs(u) − Λx, and ``pullback(V)``."""
        nothing = np.zeros((0, *X.shape), dtype=X.dtype)
        psi, _, pullback = self.score_and_directional_curvature(theta, X, nothing)
        return psi, lambda V_bar: pullback(V_bar, np.zeros(len(X), dtype=X.dtype))

    def score_and_laplacian(self, theta, X):
        """ψ, −tr Λ + Σ_k s′(u_k) ‖v_k‖², and ``pullback(V, w)``."""
        V = self.layout.views(theta)["weights"]
        eye = np.eye(self.n_features, dtype=X.dtype)
        return self._derivatives(
            theta,
            X,
            np.broadcast_to(np.einsum("kj,kj->k", V, V), (len(X), len(V))),
            np.full(len(X), np.trace(self.precision(theta)), dtype=X.dtype),
            lambda bar: 2 * bar.sum(axis=0)[:, np.newaxis] * V,
            lambda w: w.sum() * eye,
        )

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ, Σ_d [Σ_k s′(u_k) (v_kᵀd)² − dᵀΛd], and ``pullback(V, w)``."""
        along = directions @ self.layout.views(theta)["weights"].T

        def pull_weights(bar):
            return 2 * np.einsum("nk,mnk,mnj->kj", bar, along, directions, optimize=True)

        def pull_precision(w):
            return np.einsum("n,mni,mnj->ij", w, directions, directions, optimize=True)

        inner = directions @ self.precision(theta)
        return self._derivatives(
            theta,
            X,
            np.einsum("mnk,mnk->nk", along, along),
            np.einsum("mnj,mnj->n", inner, directions),
            pull_weights,
            pull_precision,
        )

    def _derivatives(self, theta, X, squares, quadratic, pull_weights, pull_precision):
        """ψ, Σ_k s′_k · squares_k − quadratic, and their pullback by those of the two terms."""
        views = self.layout.views(theta)
        V, S = views["weights"], sigmoid(self.posterior_logits(theta, X))
        slope = S * (1 - S)
        psi = views["visible_bias"] + S @ V - X @ self.precision(theta)

        def pullback(psi_bar, w):
            u_bar = slope * (psi_bar @ V.T + (1 - 2 * S) * w[:, np.newaxis] * squares)
            weights = S.T @ psi_bar + u_bar.T @ X + pull_weights(w[:, np.newaxis] * slope)
            return self.layout.pack(
                weights=weights,
                visible_bias=psi_bar.sum(axis=0),
                hidden_bias=u_bar.sum(axis=0),
                precision=self._pull_precision(-(psi_bar.T @ X) - pull_precision(w)),
                dtype=theta.dtype,
            )

        return psi, np.einsum("nk,nk->n", slope, squares) - quadratic, pullback

    def curvature(self, theta):
        """The mean of Λ's diagonal."""
        return float(np.trace(self.precision(theta)) / self.n_features)

    # -- visible units given hidden ones ----------------------------------------------------------

    def visible_mean(self, theta, Z):
        """E[x | z] = Λ⁻¹(c + Vᵀz), shape (n, d)."""
        return _Factor(self.precision(theta), self._width).solve(self._drive(theta, Z))

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None):
        """A joint draw of x given z and given the units where `free` is False, which stay."""
        noise = standard_normal((len(Z), self.n_features), seed, sweep=sweep, dtype=theta.dtype)
        drive, precision = self._drive(theta, Z), self.precision(theta)
        if free is None:
            return _Factor(precision, self._width).draw(drive, noise)
        X = current.copy()
        masks, which = np.unique(np.atleast_2d(free), axis=0, return_inverse=True)
        which = np.broadcast_to(which.ravel(), len(X)) if len(masks) == 1 else which.ravel()
        for i, mask in enumerate(masks):
            if mask.any():
                rows = np.flatnonzero(which == i)
                of_free = np.ix_(rows, mask)
                pulled = drive[of_free] - X[np.ix_(rows, ~mask)] @ precision[np.ix_(~mask, mask)]
                factor = _Factor(precision[np.ix_(mask, mask)], self._width)
                X[of_free] = factor.draw(pulled, noise[of_free])
        return X

    def given_mean(self, theta, Z, X, free):
        """x with its free units, of one mask, at E[x_free | z, the other units]."""
        precision, X = self.precision(theta), X.copy()
        pulled = self._drive(theta, Z)[:, free] - X[:, ~free] @ precision[np.ix_(~free, free)]
        X[:, free] = _Factor(precision[np.ix_(free, free)], self._width).solve(pulled)
        return X

    def _drive(self, theta, Z):
        views = self.layout.views(theta)
        return Z @ views["weights"] + views["visible_bias"]

    # -- centred: −½(x − μ)ᵀΛ(x − μ) + c_cᵀ(x − μ) + (z − λ)ᵀV(x − μ) + b_cᵀz ----------------------

    def centre_gradient(self, theta, gradient, offsets):
        """c = c_c + Λμ − Vᵀλ and b = b_c − Vμ: what V and Λ gain."""
        visible_offset, hidden_offset = offsets
        out = self.layout.views(gradient)
        out["weights"] -= np.outer(hidden_offset, out["visible_bias"])
        out["weights"] -= np.outer(out["hidden_bias"], visible_offset)
        out["precision"] += self._pull_precision(np.outer(out["visible_bias"], visible_offset))

    def centre_change(self, theta, change, offsets):
        """Δc = Δc_c + ΔΛ μ − ΔVᵀλ and Δb = Δb_c − ΔV μ."""
        visible_offset, hidden_offset = offsets
        out = self.layout.views(change)
        out["visible_bias"] += self._dense(out["precision"]) @ visible_offset
        out["visible_bias"] -= hidden_offset @ out["weights"]
        out["hidden_bias"] -= out["weights"] @ visible_offset

    # -- tempered: Λ stays positive definite between two ends that are ----------------------------

    def tempered_start(self, X, sample_weight=None):
        """Independent Gaussians with the means and variances of X; V = 0 and b = 0."""
        mean, variances = column_moments(X, sample_weight)
        precision = 1 / np.maximum(variances, max(1e-4 * variances.mean(), 1e-6))
        return self.layout.pack(
            weights=0.0,
            visible_bias=precision * mean,
            hidden_bias=0.0,
            precision=self._entries(np.diag(precision)),
            dtype=X.dtype,
        )

    def start_log_partition(self, theta_0, X=None, free=None):
        """That of independent units: Λ is diagonal and V = 0."""
        wide = theta_0.astype(np.float64)
        views, precision = self.layout.views(wide), np.diag(self.precision(wide))
        c, hidden = views["visible_bias"], self.sum_hidden(views["hidden_bias"])
        summed = 0.5 * np.log(2 * np.pi / precision) + 0.5 * c**2 / precision
        if free is None:
            return float(summed.sum()) + hidden
        return np.where(free, summed, c * X - 0.5 * precision * X**2).sum(axis=1) + hidden

    # -- exact partition --------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Σ_z ∫ p̃(x, z) dx: a Gaussian integral for every state of the hidden units."""
        nothing, everything = np.zeros((1, self.n_features)), np.ones(self.n_features, dtype=bool)
        return float(self.log_clamped_partition(theta, nothing, everything)[0])

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ]; infinite and NaN unless Λ ≻ 0."""
        wide = theta.astype(np.float64)
        try:
            factor = _Factor(self.precision(wide), self._width)
        except LinAlgError:
            return np.inf, np.full_like(theta, np.nan)
        log_z, gradient = enumerate_gradient(
            self._evaluate_hidden(wide, Z, factor)
            for Z in binary_states(self.n_components, self.n_features)
        )
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws: a state of the hidden units, and x given that."""
        wide = theta.astype(np.float64)
        factor = _Factor(self.precision(wide), self._width)
        Z = draw_binary_states(
            self.n_components,
            lambda Z: self._evaluate_hidden(wide, Z, factor)[0],
            self.n_features,
            n_samples,
            rng,
        )
        return self.sample_visible(theta, Z.astype(theta.dtype), int(rng.integers(2**63)))

    def _evaluate_hidden(self, theta, Z, factor):
        """E(z) = −log ∫ p̃(x, z) dx, and its pullback by the moments of x given z."""
        drive = self._drive(theta, Z)
        mean, bias = factor.solve(drive), self.layout.views(theta)["hidden_bias"]
        energy = -(Z @ bias) - 0.5 * np.einsum("sj,sj->s", drive, mean) - factor.log_volume

        def pullback(w):
            gradient = self._pull(mean, w, -w[:, np.newaxis] * Z)
            spread = 0.5 * w.sum() * factor.solve(np.eye(self.n_features))
            self.layout.views(gradient)["precision"][...] += self._pull_precision(spread)
            return gradient

        return energy, pullback

    def n_clamped_terms(self, free):
        """Of the sum in ``log_clamped_partition``."""
        return self.n_terms

    def log_clamped_partition(self, theta, X, free):
        """log ∫ p̃(x) over the free units, the others held: shape (n,), float64, in nats."""
        wide = theta.astype(np.float64)
        views, precision = self.layout.views(wide), self.precision(wide)
        held, V, c = X[:, ~free].astype(np.float64), views["weights"], views["visible_bias"]
        energy = 0.5 * np.einsum("ij,ij->i", held @ precision[np.ix_(~free, ~free)], held)
        energy -= held @ c[~free]
        inputs = held @ V[:, ~free].T + views["hidden_bias"]
        if not free.any():
            return softplus(inputs).sum(axis=1) - energy
        factor, log_sums = _Factor(precision[np.ix_(free, free)], self._width), []
        pulled = held @ precision[np.ix_(~free, free)]
        for Z in binary_states(self.n_components, len(X) * self.n_features):
            drive = (Z @ V[:, free] + c[free])[np.newaxis] - pulled[:, np.newaxis]
            flat = drive.reshape(-1, drive.shape[2])
            squares = np.einsum("sj,sj->s", flat, factor.solve(flat)).reshape(drive.shape[:2])
            log_sums.append(logsumexp(inputs @ Z.T + 0.5 * squares, axis=1))
        return logsumexp(log_sums, axis=0) + factor.log_volume - energy


class _Factor:
    """The Cholesky factor LLᵀ of a precision whose entries lie within a band of its diagonal.

    The cost is that of the band: of neighbours on a grid, the product of its width and their reach.
    Raises ``LinAlgError`` where there is none.
    """

    def __init__(self, precision, width):
        d = len(precision)
        self._width = min(width, d - 1)
        band = np.zeros((self._width + 1, d), dtype=precision.dtype)
        for offset in range(self._width + 1):
            band[offset, : d - offset] = np.diagonal(precision, -offset)
        self._band = cholesky_banded(band, lower=True)
        # log ∫ exp(−½ xᵀΛx) dx.
        self.log_volume = 0.5 * d * np.log(2 * np.pi) - np.log(self._band[0]).sum()

    def solve(self, rows):
        """Λ⁻¹ applied to each row."""
        return cho_solve_banded((self._band, True), rows.T).T

    def draw(self, drive, noise):
        """Λ⁻¹h + L⁻ᵀε for each row h of `drive` and ε of `noise`."""
        upper = np.zeros_like(self._band)
        for offset in range(self._width + 1):
            upper[self._width - offset, offset:] = self._band[offset, : upper.shape[1] - offset]
        return self.solve(drive) + solve_banded((0, self._width), upper, noise.T).T
