"""All dictionaries of a chain together, by the holistic objective."""

import numpy as np

from sklvm.sparse_coding.dictionaries import ComposedDictionary
from sklvm.sparse_coding.layered._holistic_problem import HolisticProblem
from sklvm.sparse_coding.layered._holistic_solvers import solve_holistic

__all__ = ["HolisticRefinement"]

# Step sizes that are tried until one lowers the objective, and how they change.
_TRIALS, _SHORTER, _LONGER = 5, 0.25, 1.5
# Iterations of a coder before the first step, and at a dictionary that is tried.
_FIRST_ITERATIONS, _TRIAL_ITERATIONS = 500, 50


class HolisticRefinement:
    """Descends min over D and z of Σᵢ wᵢ [½‖xᵢ − γ_i0‖² + Σ_l α_l ‖γ_il‖₁], ‖atoms‖ ≤ 1.

    Where codes are optimal, the objective's gradient in the dictionaries is that of the Lagrangian
    at the multipliers of the codes: ::

        dJ/dD_l = Σᵢ wᵢ γ_ilᵀ b_il,   b_i1 = −θ_i,   b_i,l+1 = b_il D_lᵀ + v_il,

    with θ the residual and |v_il| ≤ α_l. All dictionaries take a step along it, onto their unit
    balls, as long as the curvature of the data term suggests times a factor; codes follow, each
    row keeping its old ones where these are better. A step is made only if the objective falls.

    Parameters
    ----------
    components : list of ndarray
    build : callable
        Components → list of dictionaries.
    alphas : ndarray
    positive : bool
    solver : str
    tol, max_iter : float, int
        Of the codes.
    X : ndarray of float64, shape (n, n_features)
    weights : ndarray of shape (n,)
    codes : ndarray of shape (n, n_components)
        Of the last layer, to start from.
    """

    def __init__(
        self, components, build, alphas, positive, solver, tol, max_iter, X, weights, codes
    ):
        self.components, self._build = components, build
        self._alphas, self._positive, self._solver = alphas, positive, solver
        self._tol, self._max_iter = tol, max_iter
        self._X, self._weights = X, weights.astype(np.float64)
        chain = ComposedDictionary(build(components))
        below = [np.zeros((len(X), layer.n_components)) for layer in chain.layers[:-1]]
        self._state = self._coded(chain, (codes, below), _FIRST_ITERATIONS)
        self._factor = 1.0

    @classmethod
    def start(cls, components, build, alphas, X, weights, codes, **options):
        """As ``StackTraining`` asks for it, from data of any type."""
        X = np.asarray(X, dtype=np.float64)
        return cls(components, build, alphas, X=X, weights=weights, codes=codes, **options)

    @property
    def objective(self):
        return self._state[0]

    def epoch(self):
        """One step of all dictionaries; the mean objective after it."""
        objective, chain, codes, multipliers = self._state
        gradients = self._gradients(chain, codes, multipliers)
        for _ in range(_TRIALS):
            components = [
                _in_unit_balls(D - self._factor * size * G)
                for D, (size, G) in zip(self.components, gradients, strict=True)
            ]
            candidate = ComposedDictionary(self._build(components))
            state = self._coded(candidate, (codes, multipliers), _TRIAL_ITERATIONS)
            if state[0] < objective:
                self.components, self._state = components, state
                self._factor *= _LONGER
                return state[0]
            self._factor *= _SHORTER
        return objective

    def _coded(self, chain, start, max_iter):
        """Mean objective, chain, codes and multipliers, from those that there are."""
        problem = HolisticProblem(chain, self._alphas, self._positive)
        codes, multipliers = start
        found = solve_holistic(
            problem,
            self._solver,
            self._X,
            start=(codes.copy(), [v.copy() for v in multipliers]),
            tol=self._tol,
            max_iter=min(max_iter, self._max_iter),
        )
        before = problem.objective(self._X, chain.codes_below(codes))
        after = problem.objective(self._X, chain.codes_below(found.codes))
        is_better = (after <= before)[:, np.newaxis]
        codes = np.where(is_better, found.codes, codes)
        objectives = np.minimum(after, before)
        mean = float(self._weights @ objectives) / float(self._weights.sum())
        return mean, chain, codes, found.multipliers

    def _gradients(self, chain, codes, multipliers):
        """For each layer a step size and the gradient."""
        below = chain.codes_below(codes)
        back = self._weights[:, np.newaxis] * (below[0] - self._X)
        weighted = [self._weights[:, np.newaxis] * v for v in multipliers]
        steps = []
        for layer, dictionary in enumerate(chain.layers):
            G = dictionary.pull(below[layer + 1], back)
            changed = list(self.components)
            changed[layer] = G
            moved = below[layer + 1]
            for operator in self._build(changed)[layer::-1]:
                moved = operator.synthesize(moved)
            curvature = float(self._weights @ np.einsum("ij,ij->i", moved, moved))
            square = float(np.vdot(G, G))
            steps.append((square / curvature if curvature > 0 else 0.0, G))
            if layer < len(multipliers):
                back = dictionary.correlate(back) + weighted[layer]
        return steps


def _in_unit_balls(D):
    return D / np.maximum(np.linalg.norm(D, axis=1, keepdims=True), 1)
