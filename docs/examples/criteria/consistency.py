"""
How fast criteria learn
=======================

How many rows does a criterion need, and is it right in the end? On models of two real or five
binary features all else is exact: log Z is a sum, rows are independent draws, and fits start at
the best parameters, so that only the criterion's own error is left. It is measured as

.. math:: KL(p \\,\\|\\, p_{\\hat\\theta}) - \\min_\\theta KL(p \\,\\|\\, p_\\theta)

in nats a row, which no order or sign of hidden units changes, and which is quadratic in the error
of the parameters: on data of the family, maximum likelihood has about (number of parameters)/2n.
For the restricted Boltzmann machine it is the squared error of the parameters themselves, in the
order and the signs of hidden units that make it least.
"""

import argparse
import copy
from itertools import permutations, product

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import logsumexp

from sklvm import objectives
from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, Marginal
from sklvm.optimizers import LBFGS
from sklvm.testing import ExactDistribution, FlatObjective, binary_states, numerical_jacobian

parser = argparse.ArgumentParser()
parser.add_argument("--full", action="store_true", help="more rows and more replications")
parser.add_argument("--sizes", type=int, nargs="+", default=[200, 600, 1800])
parser.add_argument("--replications", type=int, default=8)
parser.add_argument("--chain-steps", type=int, default=160, help="steps of a fit by chains")
options = parser.parse_known_args()[0]
SIZES = np.array([*options.sizes, 5400] if options.full else options.sizes)
REPLICATIONS = 40 if options.full else options.replications

# %%
# Fits without an error of optimisation
# -------------------------------------
# Maximum likelihood is an objective too. Criteria with a value have their noise drawn once and are
# minimised by L-BFGS, in coordinates where the Hessian at the start is near the identity.
# Contrastive divergence has only a gradient: stochastic Newton steps fall as :math:`t^{-0.6}`, and
# the second half of their path is averaged.


class MaximumLikelihood(objectives.Objective):
    """−E_data[log p], with log Z summed over `points`."""

    requires = (Marginal,)

    def __init__(self, points):
        self.points = points

    def step(self, energy, theta, X, weights, state, rng):
        energies, pullback = energy.evaluate(theta.energy, np.vstack([X, self.points]))
        log_sum = logsumexp(-energies[len(X) :])
        probabilities = np.exp(-energies[len(X) :] - log_sum)
        gradient = pullback(np.concatenate([weights, -probabilities]))
        return weights @ energies[: len(X)] + log_sum, theta.like(gradient), state


class Problem:
    """Rows of a known distribution, and the energy that is to learn it."""

    def __init__(self, true_energy, truth, points, energy=None, start=None):
        self.distribution = ExactDistribution(true_energy, truth, np.eye(true_energy.n_features))
        log_p = -true_energy.evaluate(truth, points)[0]
        self.points, self.p = points, np.exp(log_p - logsumexp(log_p))
        self.energy, self.likelihood = energy or true_energy, MaximumLikelihood(points)
        self.best = truth if start is None else start
        if start is not None:
            self.best = self.minimize(self.likelihood, points, 0, self.p)
        self.hessian = numerical_jacobian(lambda theta: self.loss(theta)[1], self.best)

    def loss(self, theta):
        likelihood = FlatObjective(self.likelihood)
        return likelihood.step(self.energy, theta, self.points, self.p, None, None)[:2]

    def excess(self, theta):
        return self.loss(theta)[0] - self.loss(self.best)[0]

    error = excess

    def minimize(self, objective, X, seed, weights=None):
        weights = np.full(len(X), 1 / len(X)) if weights is None else weights
        rng = np.random.default_rng(seed)
        extra, state = FlatObjective(objective).init(self.energy, self.best, X, weights, rng)
        start = np.concatenate([self.best, extra])

        def criterion(theta, some=slice(None)):
            chosen = X[some], weights[some] / weights[some].sum()
            noise = copy.deepcopy(state), np.random.default_rng(seed)
            return FlatObjective(objective).step(self.energy, theta, *chosen, *noise)[:2]

        few = slice(None, None, max(1, len(X) // 300))
        curvatures, axes = np.linalg.eigh(numerical_jacobian(lambda t: criterion(t, few)[1], start))
        scaled = axes / np.sqrt(np.maximum(np.abs(curvatures), 1e-3 * curvatures[-1]))

        def in_coordinates(u):
            value, gradient = criterion(start + scaled @ u)
            return value, scaled.T @ gradient

        optimizer = LBFGS(gradient_tol=1e-5, value_tol=1e-12)
        u, *_ = optimizer.minimize(in_coordinates, 0 * start, 300, lambda theta, value: None)
        return (start + scaled @ u)[: len(self.best)]

    def find_root(self, objective, X, seed, n_rows=400):
        rng, theta, path = np.random.default_rng(seed), self.best, []
        weights = np.full(n_rows, 1 / n_rows)
        _, state = FlatObjective(objective).init(
            self.energy, theta, X, np.full(len(X), 1 / len(X)), rng
        )
        for t in range(options.chain_steps):
            rows = X[np.arange(t * n_rows, (t + 1) * n_rows) % len(X)]
            _, gradient, state = FlatObjective(objective).step(
                self.energy, theta, rows, weights, state, rng
            )
            theta = theta - 0.5 * (1 + t / 10) ** -0.6 * np.linalg.solve(self.hessian, gradient)
            path.append(theta)
        return np.mean(path[options.chain_steps // 2 :], axis=0)

    def errors(self, objective, sizes, n_runs):
        """Mean error for each n, over the same data for each objective."""
        fit = self.minimize if objective.has_value else self.find_root
        errors = np.empty((len(sizes), n_runs))
        for i, seed in np.ndindex(errors.shape):
            X = self.distribution.sample(sizes[i], np.random.default_rng([sizes[i], seed]))
            errors[i, seed] = self.error(fit(objective, X, seed))
        return errors.mean(axis=1)


class MachineProblem(Problem):
    """A binary machine, whose error is ‖θ − θ*‖² over all ways to write θ."""

    def error(self, theta):
        return min(np.sum((other - self.best) ** 2) for other in self.rewritten(theta))

    def rewritten(self, theta):
        """θ with hidden units in any order, and 1 − z for any z: then a gains w, and b turns."""
        W, a, b = self.energy.layout.views(theta).values()
        for order in permutations(range(len(b))):
            for signs in product([1, -1], repeat=len(b)):
                turned, signs = W[list(order)], np.array(signs)
                yield self.energy.layout.pack(
                    weights=signs[:, np.newaxis] * turned,
                    visible_bias=a + turned[signs < 0].sum(axis=0),
                    hidden_bias=signs * b[list(order)],
                )


# %%
# Three problems
# --------------
# Four bumps in the plane, learned by their own family; a binary restricted Boltzmann machine of two
# hidden units, learned by its own family; and four bumps for a model that has only two. The bumps
# are those of a deep energy without layers below its K units: a mixture of :math:`2^K` Gaussians.

places = np.linspace(-8, 8, 65)
plane = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


def bumps(widths, hidden_bias):
    energy = DeepEnergy(2, len(hidden_bias), (), sigma="learn")
    return energy, energy.layout.pack(
        visible_bias=-0.5 * np.sum(widths, axis=0),
        coefs_0=widths,
        intercepts_0=hidden_bias,
        log_scale=0.0,
    )


machine = BernoulliRBMEnergy(n_features=5, n_components=2)
machine_parameters = machine.layout.pack(
    weights=3.0 * np.array([[1, 1, 1, -0.5, 0], [0, -0.5, 1, 1, 1]]),
    visible_bias=[-1.3, -0.6, -3.1, -0.8, -1.7],
    hidden_bias=[-3.0, -3.4],
)
four = Problem(*bumps([[3, 0], [0, 3]], [0.4, -0.4]), plane)
binary = MachineProblem(machine, machine_parameters, binary_states(5))
too_small = Problem(*bumps([[5, 0], [0, 3]], [0.8, -0.3]), plane, *bumps([[2, 0]], [1.0]))


def nce(noise_ratio, reference="auto"):
    return objectives.NoiseContrastiveEstimation(noise_ratio, reference, frozen_noise=True)


cnce = objectives.ConditionalNoiseContrastiveEstimation(n_adaptation_steps=0)
cd, pcd = objectives.ContrastiveDivergence, objectives.PersistentContrastiveDivergence(1000)
NOISE_LEVEL = 0.7
FEWER = (3 * REPLICATIONS + 3) // 4  # chains take long
CRITERIA = {
    "Data of the family": (four, SIZES, REPLICATIONS, {
        "maximum likelihood": four.likelihood,
        "score matching": objectives.ScoreMatching(),
        "sliced": objectives.SlicedScoreMatching(),
        "denoising": objectives.DenoisingScoreMatching(NOISE_LEVEL),
        **{f"NCE, ν = {ratio}": nce(ratio) for ratio in (1, 10, 100)},
        "conditional NCE": cnce,
    }),
    "Binary data of the family": (binary, 8 * SIZES, FEWER, {
        "maximum likelihood": binary.likelihood,
        **{f"NCE, ν = {ratio}": nce(ratio) for ratio in (1, 10)},
        "Chow–Liu NCE, ν = 1": nce(1, "chow_liu"),
        "conditional NCE": cnce,
        "pseudo-likelihood": objectives.PseudoLikelihood(),
        "ratio matching": objectives.RatioMatching(),
        "CD-1": cd(1),
        "CD-5": cd(5),
        "PCD": pcd,
        "tempering": objectives.ParallelTempering(1000),
    }),
    "A model that is too small": (too_small, 5 * SIZES, FEWER, {
        "maximum likelihood": too_small.likelihood,
        "score matching": objectives.ScoreMatching(),
        "CD-1": cd(1),
        "CD-3": cd(3),
        "PCD": pcd,
    }),
}  # fmt: skip

# %%
# Plateaus
# --------
# Where a criterion ends that is not consistent. Denoising fits :math:`p * N(0, s^2 I)`; the family
# has that density as well, so that its plateau is :math:`KL(p \,\|\, p * N(0, s^2 I))`. Those of
# the model that is too small come from the true distribution, or from very many rows.

on_plane, pixels = four.p.reshape(65, 65), NOISE_LEVEL / (places[1] - places[0])
smoothed = gaussian_filter(on_plane, pixels, truncate=8)
many = too_small.distribution.sample(500_000, np.random.default_rng(0))
PLATEAUS = {
    ("Data of the family", "denoising"): (on_plane * np.log(on_plane / smoothed)).sum(),
    ("A model that is too small", "score matching"): too_small.excess(
        too_small.minimize(objectives.ScoreMatching(), plane, 0, too_small.p)
    ),
    ("A model that is too small", "CD-1"): too_small.excess(
        too_small.find_root(cd(1), many, 0, n_rows=2500)
    ),
}

# %%
# Errors
# ------
# The slope is that of log error on log n, −1 for a criterion that is consistent.

errors = {
    title: {name: problem.errors(objective, sizes, runs) for name, objective in of.items()}
    for title, (problem, sizes, runs, of) in CRITERIA.items()
}
slopes = {
    title: {name: np.polyfit(np.log(SIZES), np.log(e), 1)[0] for name, e in of.items()}
    for title, of in errors.items()
}
ratios = {
    title: {name: e[-1] / of["maximum likelihood"][-1] for name, e in of.items()}
    for title, of in errors.items()
}
for title in errors:
    print(f"{title:28}{'slope':>7}{'error over that of ML':>25}")
    for name in errors[title]:
        print(f"  {name:26}{slopes[title][name]:7.2f}{ratios[title][name]:25.2f}")
for (title, name), level in PLATEAUS.items():
    print(f"{title}, {name}: plateau at {level:.4f} nats")

# %%
# The picture
# -----------

COLORS = {
    "maximum likelihood": "black", "score matching": "C0", "sliced": "C9", "denoising": "C3",
    "NCE, ν = 1": "#c39bdf", "NCE, ν = 10": "#9455c8", "NCE, ν = 100": "#56188a",
    "conditional NCE": "C2", "CD-1": "C1", "CD-3": "C5", "CD-5": "C5", "PCD": "C6",
    "Chow–Liu NCE, ν = 1": "#c33bdf", "pseudo-likelihood": "C0", "ratio matching": "C3",
    "tempering": "C9",
}  # fmt: skip
figure, axes = plt.subplots(1, 3, figsize=(13, 4.8), layout="constrained")
for axis, (title, of) in zip(axes, errors.items(), strict=True):
    sizes, ends = CRITERIA[title][1], np.log([e[-1] for e in of.values()])
    # Labels stand at the ends of their lines, moved apart where they would overlap.
    order, steps = np.argsort(ends), 0.055 * np.ptp(np.log(list(of.values()))) * np.arange(len(of))
    raised = np.maximum.accumulate(ends[order] - steps)
    lowered = np.minimum.accumulate((ends[order] - steps)[::-1])[::-1]
    heights = np.exp(0.5 * (raised + lowered) + steps)
    for i, height in zip(order, heights, strict=True):
        name = list(of)[i]
        width = 2.5 if name == "maximum likelihood" else 1.5
        axis.loglog(sizes, of[name], "o-", color=COLORS[name], linewidth=width, markersize=4)
        axis.text(1.12 * sizes[-1], height, name, color=COLORS[name], va="center", fontsize=9)
        if (title, name) in PLATEAUS:
            level, color = PLATEAUS[title, name], COLORS[name]
            axis.hlines(level, sizes[0], sizes[-1], color=color, linestyle=":", zorder=0)
    reference = 0.6 * min(e[0] for e in of.values()) * sizes[0] / sizes
    axis.loglog(sizes, reference, "--", color="0.6")
    axis.text(sizes[1], 0.9 * reference[1], "slope −1 ", color="0.5", ha="right", va="top")
    axis.set(title=title, xlabel="rows n", xlim=(0.9 * sizes[0], 4 * sizes[-1]))
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.minorticks_off()
    axis.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("excess divergence, nats a row")
axes[1].set_ylabel("squared error of the parameters")
plt.show()

# %%
# What is to be seen
# ------------------
# *Noise-contrastive estimation* falls with slope −1 for every :math:`\nu`, and :math:`\nu` sets how
# far above maximum likelihood: twice its error for 1 row of noise a row, 1.1 times for 10, and for
# 100 they are the same. Score matching comes close as well, one random slice a row costs it a
# little, and conditional noise half as much again.
#
# *Denoising with fixed noise* plateaus at 0.040 nats, however many rows there are: it is
# consistent, but for the density of the noisy data. A smaller :math:`s` has a lower plateau (0.014
# for 0.5) and a gradient of more variance; only an :math:`s` that falls with n reaches the truth.
#
# *On bits* the squared error of the parameters falls as 1/n by every criterion, slopes being within
# the noise of six runs. Pseudo-likelihood and ratio matching lose next to nothing. One row of noise
# from a Chow–Liu tree has twice the error of maximum likelihood, more than one of independent bits:
# noise nearer to the data is harder to tell from them, and not for that alone the better teacher.
#
# *Contrastive divergence* has no plateau on data of the family. At the true parameters the data are
# in equilibrium already, k transitions leave their distribution as it is, and the two expectations
# cancel, for CD-1 as for maximum likelihood.
#
# *With a model that is too small* there is no such point. Chains from the data go only part of the
# way to the model, and the gradient vanishes elsewhere: CD-1 plateaus at about 0.004 nats, and more
# steps lower it. Persistent chains do arrive, and follow maximum likelihood down to the noise of
# the chains. Real data are of this kind, where "best" means something else to each criterion: score
# matching, too, ends at its own answer, the least Fisher divergence, which costs 0.012 nats here.
