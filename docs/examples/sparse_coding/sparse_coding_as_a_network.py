"""
Sparse coding as a rectified network, and where the analogy breaks
==================================================================

Non-negative layered thresholding, z ← max(z Dᵀ − α, 0) on every layer, *is* a network of rectified
linear units. It is also one step of a solver of the sparse coding problem, from zero. This page
shows both, and measures how far one step is from the solution as atoms become alike and layers are
added.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neural_network import MLPRegressor

from sklvm import LayeredSparseCoder

rng = np.random.default_rng(0)


def dictionary(n_atoms, width, likeness, rng):
    """Unit atoms that have a common part: any two of them have a product near its square."""
    D = rng.standard_normal((n_atoms, width))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    D += likeness * np.ones(width) / np.sqrt(width)
    return D / np.linalg.norm(D, axis=1, keepdims=True)


def coherence(D):
    products = np.abs(D @ D.T)
    np.fill_diagonal(products, 0)
    return products.max()


# %%
# The network
# -----------
# ``as_mlp`` gives the atoms and thresholds as weights and intercepts of scikit-learn's networks. An
# output layer that passes the last hidden layer on makes the network's prediction the code.

D1, D2 = dictionary(80, 40, 0.0, rng), dictionary(60, 80, 0.0, rng)
X = np.abs(rng.standard_normal((200, 80))) * (rng.random((200, 80)) < 0.05) @ D1
coder = LayeredSparseCoder([D1, D2], alpha=[0.3, 0.2], positive=True, method="thresholding").fit(X)
weights = coder.as_mlp()
network = MLPRegressor(hidden_layer_sizes=(80, 60), activation="relu", solver="lbfgs", max_iter=1)
network.fit(X, np.zeros((200, 60)))
network.coefs_ = [*weights.coefs_, np.eye(60)]
network.intercepts_ = [*weights.intercepts_, np.zeros(60)]
difference = np.abs(network.predict(X) - coder.transform(X)).max()
print(f"The network and the coder differ by at most {difference:.1e}.")

# %%
# Where it breaks: atoms that are alike
# -------------------------------------
# Data are sums of three of 80 atoms, with weights between ½ and 1½. Each method gets the α that is
# best for it. Pursuit solves the problem; thresholding takes one step. As atoms get more alike,
# each of the three atoms switches on its neighbours, and one step can no longer tell them apart.


def planted(D, n, n_nonzero, rng):
    Z = np.zeros((n, len(D)))
    for z in Z:
        z[rng.choice(len(D), n_nonzero, replace=False)] = rng.uniform(0.5, 1.5, n_nonzero)
    return Z


def best_f1(Z, layers, X, method):
    """How well the nonzero entries of the first layer are found: the F1 score at the best α."""
    scores = []
    for alpha in np.geomspace(0.02, 2, 15):
        coder = LayeredSparseCoder(layers, alpha=alpha, positive=True, method=method, tol=1e-4)
        found = coder.fit(X).transform(X) > 1e-3
        hits = (found & (Z > 0)).sum()
        scores.append(2 * hits / max(found.sum() + (Z > 0).sum(), 1))
    return max(scores)


likenesses = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.4, 2.0)
curves = {"thresholding": [], "pursuit": []}
for likeness in likenesses:
    D = dictionary(80, 40, likeness, rng)
    Z = planted(D, 100, 3, rng)
    print(f"common part {likeness}: products of two atoms are up to {coherence(D):.2f}")
    for method, curve in curves.items():
        curve.append(best_f1(Z, [D], Z @ D, method))

# %%
# Where it breaks: depth
# ----------------------
# A stack of dictionaries whose upper atoms combine two lower ones: z₄ has one nonzero entry, and
# every code is an exact combination of the atoms of the next layer. The strengths of each method
# are chosen layer by layer for the least error of the code, after the best rescaling of the
# code. The codes of thresholding are wrong on the first layer already, and the layers above inherit
# that.


def stack(depth, likeness, rng):
    layers = [dictionary(80, 40, likeness, rng)]
    for _ in range(depth - 1):
        D = np.zeros((80, 80))
        for atom in D:
            atom[rng.choice(80, 2, replace=False)] = rng.uniform(0.5, 1.5, 2)
        layers.append(D / np.linalg.norm(D, axis=1, keepdims=True))
    return layers


def error(found, truth):
    """Relative to the truth, after the best rescaling."""
    scale = (found * truth).sum() / max((found**2).sum(), 1e-12)
    return np.linalg.norm(scale * found - truth) / np.linalg.norm(truth)


def layer_errors(layers, codes, X, method):
    below, errors = X, []
    for D, truth in zip(layers, codes, strict=True):
        tried = []
        for alpha in np.geomspace(0.01, 0.5, 10) * np.abs(below @ D.T).max():
            coder = LayeredSparseCoder([D], alpha=alpha, positive=True, method=method, tol=1e-4)
            found = coder.fit(below).transform(below)
            tried.append((error(found, truth), found))
        best, below = min(tried, key=lambda pair: pair[0])
        errors.append(best)
    return errors


layers = stack(4, 0.3, rng)
codes = [planted(layers[-1], 100, 1, rng)]
for D in layers[:0:-1]:
    codes.insert(0, codes[0] @ D)
X = codes[0] @ layers[0]
deep = {method: layer_errors(layers, codes, X, method) for method in curves}

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for method, curve in curves.items():
    axes[0].plot(likenesses, curve, "o-", label=method)
    axes[1].plot(range(1, 5), deep[method], "o-", label=method)
axes[0].set(xlabel="weight of the part that atoms share", ylabel="F1 of the nonzero entries")
axes[0].set_title("Atoms that are alike")
axes[1].set(xlabel="layer", ylabel="relative error of the code", xticks=range(1, 5))
axes[1].set_title("Depth")
for ax in axes:
    ax.set_ylim(0, 1.05)
    ax.legend()
plt.show()

for method in curves:
    shown = ", ".join(f"{value:.2f}" for value in deep[method])
    print(f"{method:13} errors of the layers: {shown}")
