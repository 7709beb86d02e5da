"""The picture of the README and of the landing page: four models, each fitted in a few seconds.

``python docs/studies/landing_picture.py`` writes docs/_static/landing.png.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtri
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler

from sklvm import BernoulliRBM, DeepEnergyModel, DictionaryLearner, VAETransformer
from sklvm.datasets import load_digit_images, load_photographs, sample_patches
from sklvm.objectives import NoiseContrastiveEstimation
from sklvm.optimizers import Adam
from sklvm.plotting import FilterDisplay

TARGET = Path(__file__).parents[1] / "_static" / "landing.png"


def draw_density(ax):
    X = StandardScaler().fit_transform(make_moons(2000, noise=0.08, random_state=0)[0])
    model = DeepEnergyModel(
        64,
        hidden_layer_sizes=(64, 64),
        sigma="learn",
        objective=NoiseContrastiveEstimation(noise_ratio=10),
        optimizer=Adam(1e-2, schedule="cosine"),
        max_iter=500,
        random_state=0,
    ).fit(X)
    x, y = np.meshgrid(np.linspace(-2.2, 2.2, 200), np.linspace(-2.2, 2.2, 200))
    log_p = model.score_samples(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    ax.contourf(x, y, np.maximum(log_p, -9), levels=24, cmap="magma")
    ax.plot(*X[:250].T, ".", color="white", ms=2, alpha=0.6)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.set_title("DeepEnergyModel\nlog-density of a table")


def draw_completions(ax):
    bits = (load_digit_images().data > 0.5).astype(np.float32)
    model = BernoulliRBM(128, max_iter=30, random_state=0).fit(bits[:4000])
    digits = bits[4000:][[3, 200, 310, 420, 530, 640, 750, 905]]
    upper = np.where(np.arange(784) < 392, digits, np.nan)
    images = np.stack([np.nan_to_num(upper, nan=0.5), model.impute(upper, random_state=0)], axis=1)
    FilterDisplay(images.reshape(-1, 784), (28, 28)).plot(
        ax, n_columns=4, scaling="none", vmin=0, vmax=1
    )
    ax.set_title("BernoulliRBM\nlower halves given the upper")


def draw_atoms(ax):
    patches = sample_patches(load_photographs(), 12, 15000, random_state=0)
    patches -= patches.mean(axis=1, keepdims=True)
    patches /= patches.std(axis=1, keepdims=True) + 0.05
    learner = DictionaryLearner(100, alpha=2.0, max_iter=15, batch_size=1024, tol=0, random_state=0)
    learner.fit(patches)
    FilterDisplay(learner.components_, (12, 12)).plot(ax)
    ax.set_title("DictionaryLearner\natoms of photographs")


def draw_manifold(ax):
    digits = load_digit_images().data
    model = VAETransformer(
        2, hidden_layer_sizes=(200,), likelihood="bernoulli", max_iter=60, random_state=0
    ).fit(digits)
    side = ndtri(np.linspace(0.04, 0.96, 11))
    grid = np.stack(np.meshgrid(side, -side), axis=-1).reshape(-1, 2)
    FilterDisplay(model.inverse_transform(grid.astype(digits.dtype)), (28, 28)).plot(
        ax, n_columns=11, scaling="none", vmin=0, vmax=1
    )
    ax.set_title("VAETransformer\na plane of digits")


if __name__ == "__main__":
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.4), layout="constrained")
    for ax, draw in zip(
        axes, [draw_density, draw_completions, draw_atoms, draw_manifold], strict=True
    ):
        draw(ax)
    figure.savefig(TARGET, dpi=110)
