"""
Digits by a mixture of bits
===========================

The simplest latent-variable model of binary images is a :class:`~sklvm.BernoulliMixture`: each
image comes from one of :math:`K` components, and the component gives every pixel its own
probability of being on. EM fits it in seconds, and its answers are exact: the probability of an
image, the probability of a part of it given the rest, and the expectation of a hidden part.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import BernoulliMixture
from sklvm.datasets import load_digit_images
from sklvm.plotting import FilterDisplay

# %%
# Components are prototypes
# -------------------------
# 4,000 digits train mixtures and 1,000 are held out; a pixel above one half is on. The mean of a
# component is the average of the digits for which it is responsible. Components are not the ten
# digits but different ways of writing them.

rng = np.random.default_rng(0)
bits = (rng.permutation(load_digit_images().data) > 0.5).astype(np.float32)
train, test = bits[:4000], bits[4000:]
mixture = BernoulliMixture(60, tol=1e-3, random_state=0).fit(train)
print(f"{mixture.n_iter_} iterations, test {mixture.score(test):.1f} nats a digit")
order = np.argsort(-mixture.weights_)
FilterDisplay(mixture.components_[order], image_shape=(28, 28)).plot()
plt.suptitle("Means of 60 components, the heaviest first")

# %%
# How many components?
# --------------------
# Scores are log-probabilities, and those of held-out digits say how many components are worth
# having. The gap between training and test widens, while the test score still rises. Without the
# prior, a pixel that was never on in a component would make a test digit impossible there.

sizes = (1, 10, 30, 60, 120)
scores = {
    size: (mixture if size == 60 else BernoulliMixture(size, tol=1e-3, random_state=0).fit(train))
    for size in sizes
}
scores = {size: (model.score(train), model.score(test)) for size, model in scores.items()}
_, axes = plt.subplots()
for name, values in zip(("training", "test"), zip(*scores.values(), strict=True), strict=True):
    axes.plot(sizes, values, "o-", label=name)
axes.set(xscale="log", xlabel="components", ylabel="nats a digit")
axes.legend()
for size, (of_train, of_test) in scores.items():
    print(f"{size:4d} components: training {of_train:7.1f}, test {of_test:7.1f}")

# %%
# Filling in
# ----------
# A missing pixel is ``NaN``. The mixture weighs its components by the pixels that it sees, and
# fills in the weighted average of their means. From top to bottom: the digit, its visible part, and
# the completed digit.

originals = test[:12]
hidden = np.arange(784) >= 392
seen = np.where(hidden, np.nan, originals)
completed = mixture.impute(seen)
rows = [originals, np.where(hidden, 0.5, originals), completed]
figure, axes = plt.subplots(3, 12, figsize=(9, 2.6))
for line, images in zip(axes, rows, strict=True):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")

# %%
# What a mixture lacks
# --------------------
# Knowing the upper half should make the lower one more probable. In this model it is less probable
# on average: once the upper half has chosen a component, that component has to explain the lower
# half too, and no other one can help. A mixture cannot combine what two components know. Models in
# which many hidden units are on at a time, such as :class:`~sklvm.BernoulliRBM`, can.

alone = mixture.score_samples(np.where(hidden, test, np.nan))
given = mixture.conditional_log_proba(test, hidden)
print(f"the lower half: {alone.mean():.1f} nats alone, {given.mean():.1f} given the upper half")
plt.show()
