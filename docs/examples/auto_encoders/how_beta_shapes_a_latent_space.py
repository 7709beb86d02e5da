"""
How β shapes a latent space
===========================

The bound that a variational auto-encoder raises has two terms: what an image costs once its latent
variables are known, and the divergence of their posterior from the prior, which is what the latent
variables tell of the image, in nats. β is the price of the second. This page trains one model for
each of several β, and then lets a classifier say which latent space serves it best.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklvm import VAETransformer
from sklvm.datasets import load_digit_images
from sklvm.optimizers import Adam
from sklvm.plotting import FilterDisplay

digits = load_digit_images(image_shape=(14, 14))
is_test = np.arange(5000) % 5 == 0
rng = np.random.default_rng(0)
bits = (rng.random(digits.data.shape) < digits.data).astype(np.float32)
train, test = bits[~is_test], bits[is_test]


def auto_encoder(max_iter, **parameters):
    return VAETransformer(
        hidden_layer_sizes=(128,),
        likelihood="bernoulli",
        optimizer=Adam(3e-3, schedule="cosine"),
        max_iter=max_iter,
        random_state=0,
        **parameters,
    )


# %%
# A trade of error for divergence
# -------------------------------
# A latent variable is counted as used where it tells more than a hundredth of a nat.

BETAS = [0.25, 0.5, 1, 2, 3, 4]
models = {beta: auto_encoder(80, n_components=16, beta=beta).fit(train) for beta in BETAS}


def terms(vae, X):
    """Mean error −log p(x|z), in nats, and what each latent variable tells."""
    mean, factor = vae.latent_posterior(X)
    scale = np.einsum("nkk->nk", factor)
    told = (0.5 * (mean**2 + scale**2 - 1) - np.log(scale)).mean(axis=0)
    return -vae.elbo(X).mean() - told.sum(), told


error, told = zip(*(terms(vae, test) for vae in models.values()), strict=True)
told = np.array(told)
print("   β   error  divergence   ELBO  log p(x)  variables used")
for row, (beta, vae) in enumerate(models.items()):
    print(
        f"{beta:4}{error[row]:8.1f}{told[row].sum():12.1f}{vae.elbo(test).mean():7.1f}"
        f"{vae.score(test):10.1f}{(told[row] > 0.01).sum():16}"
    )

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.plot(told.sum(axis=1), error, "o-")
for beta, x, y in zip(BETAS, told.sum(axis=1), error, strict=True):
    left.annotate(f"β = {beta}", (x, y), (6, 4), textcoords="offset points")
left.set(xlabel="divergence, nats", ylabel="error, nats", title="test digits")
left.margins(x=0.25, y=0.1)
for beta, nats in zip(BETAS, told, strict=True):
    right.plot(np.arange(1, 17), np.sort(nats)[::-1], ".-", label=f"β = {beta}")
right.set(xlabel="latent variable, by rank", ylabel="nats that it tells")
right.set_ylim(0, 1.3 * told.max())
right.legend(ncols=3, loc="upper right")
plt.show()

# %%
# The ELBO is best at β = 1, for that is what it is trained for there. Below, posteriors shrink to
# points, and images are rebuilt well from places that the prior hardly visits. Above, one
# variable after the other is given up: its posterior becomes the prior, and the decoder no longer
# listens.
#
# Reconstructions and draws from the prior show the same trade: small β rebuilds well and draws
# badly, large β draws clean but average digits.

some = test[::100]
Z = rng.standard_normal((10, 16))
rebuilt = np.vstack([some, *(vae.reconstruct(some) for vae in models.values())])
drawn = np.vstack([np.zeros_like(some), *(vae.inverse_transform(Z) for vae in models.values())])
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
for axis, images, title in zip(
    axes, (rebuilt, drawn), ("test digits, rebuilt", "drawn from the prior"), strict=True
):
    FilterDisplay(images).plot(axis, n_columns=10, scaling="none", cmap="gray_r")
    axis.set_title(title)
axes[0].axis("on")
axes[0].set_xticks([])
axes[0].set_yticks(7 + 15 * np.arange(7), ["digits", *(f"β = {beta}" for beta in BETAS)])
axes[0].spines[:].set_visible(False)
plt.show()

# %%
# What a classifier makes of it
# -----------------------------
# The latent means are features like any others. A pipeline of the auto-encoder and a logistic
# regression, searched over the number of latent variables and β together, says which of them
# serve to tell the digits apart. It sees half of the training digits.

half = np.flatnonzero(~is_test)[::2]
pipeline = Pipeline(
    [
        ("vae", auto_encoder(80, batch_size=50)),
        ("scale", StandardScaler()),
        ("classify", LogisticRegression(max_iter=2000)),
    ]
)
grid = {"vae__n_components": [4, 16], "vae__beta": [0.25, 1, 3]}
search = GridSearchCV(pipeline, grid, cv=2).fit(bits[half], digits.target[half])
accuracy = search.cv_results_["mean_test_score"].reshape(3, 2)

figure, axis = plt.subplots(figsize=(4, 3.6), layout="constrained")
image = axis.imshow(accuracy, cmap="viridis")
for (row, column), value in np.ndenumerate(accuracy):
    color = "w" if value < accuracy.mean() else "k"
    axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=color)
axis.set_xticks(range(2), grid["vae__n_components"])
axis.set_yticks(range(3), grid["vae__beta"])
axis.set(xlabel="latent variables", ylabel="β", title="accuracy in cross-validation")
figure.colorbar(image, ax=axis)
plt.show()

rivals = {
    "search's best, refitted": search,
    "pixels": LogisticRegression(max_iter=2000).fit(bits[half], digits.target[half]),
    "PCA, 16 components": make_pipeline(
        PCA(16), StandardScaler(), LogisticRegression(max_iter=2000)
    ).fit(bits[half], digits.target[half]),
}
print("best of the grid:", search.best_params_)
for name, model in rivals.items():
    print(f"{name:<24} {model.score(test, digits.target[is_test]):.3f} on test digits")

# %%
# A classifier wants what tells classes apart, cheap or not: more latent variables and a small β.
# The sixteen means serve it about as well as sixteen principal components, and nearly as well as
# all 196 pixels. They were learned from 2,000 rows here; what they have beside that is a density,
# draws, and a decoder.
