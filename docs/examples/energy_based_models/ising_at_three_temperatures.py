"""
An Ising model at three temperatures
====================================

Spins :math:`\\pm 1` on a square lattice prefer their neighbours' value,
:math:`p(s) \\propto \\exp(J \\sum_{s \\sim t} s_s s_t)`. Below a coupling of
:math:`J_c = \\tfrac12 \\log(1 + \\sqrt 2) = 0.4407` they form islands of finite size, above it most
of them have the same sign, and at :math:`J_c` there are islands of all sizes.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import MarkovRandomField
from sklvm.graphs import grid_graph
from sklvm.random_fields.inference import Exact, GibbsSampling, PairwiseModel

critical = 0.5 * np.log(1 + np.sqrt(2))
couplings = {"hot, J = 0.3": 0.3, f"critical, J = {critical:.3f}": critical, "cold, J = 0.5": 0.5}
spins = np.array([-1.0, 1.0])


def ising(side, J):
    return PairwiseModel(
        np.zeros((side**2, 2)), grid_graph((side, side)), -J * np.outer(spins, spins)
    )


# %%
# Draws
# -----
# Colour the lattice like a chess board. Gibbs sampling draws all black sites given the white ones,
# and then the white ones given the black. It needs many sweeps where islands are large.

figure, axes = plt.subplots(1, 3, figsize=(10, 3.7), layout="constrained")
for axis, (title, J) in zip(axes, couplings.items(), strict=True):
    chain = GibbsSampling(n_sweeps=600, n_burn_in=0)
    draw = chain.sample(ising(128, J), 1, random_state=1)[0].reshape(128, 128)
    axis.imshow(draw, cmap="gray")
    axis.set_title(f"{title}: mean spin {2 * draw.mean() - 1:+.2f}")
    axis.set_axis_off()
plt.show()

# %%
# Exact sums
# ----------
# log Z of a lattice of up to 14 sites across is found by transfer matrices: sites are summed out
# one by one. Onsager found the limit of large lattices, 0.9297 a site at the critical coupling.
# Lattices with free borders fall short of it, in proportion to the length of the border.

for side in (4, 8, 12):
    log_z = Exact().marginals(ising(side, critical)).log_partition
    print(f"{side} x {side}: log Z = {log_z:.6f}, {log_z / side**2:.4f} a site")

# %%
# Finding the coupling
# --------------------
# A :class:`~sklvm.MarkovRandomField` learns one coupling for all neighbours from exact draws of 8 ×
# 8 lattices. Pseudo-likelihood needs no log Z, and is little less accurate than the likelihood.

rng = np.random.default_rng(0)
sizes = [10, 30, 100, 300]
errors = {objective: np.zeros(len(sizes)) for objective in ("mle", "pseudo_likelihood")}
n_runs = 20
for i, n in enumerate(sizes):
    for _ in range(n_runs):
        X = 2.0 * Exact().sample(ising(8, critical), n, rng) - 1
        for objective, of in errors.items():
            model = MarkovRandomField(
                (8, 8), states="spin", homogeneous=True, objective=objective, weight_decay=0.0
            ).fit(X)
            of[i] += (model.coupling_[0] - critical) ** 2 / n_runs
figure, axis = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
for objective, of in errors.items():
    axis.loglog(sizes, np.sqrt(of), "o-", label=objective.replace("_", "-"))
axis.loglog(sizes, 0.12 / np.sqrt(sizes), ":", color="0.5", label="slope −½")
axis.set(xlabel="lattices", ylabel="error of J")
axis.legend()
plt.show()
