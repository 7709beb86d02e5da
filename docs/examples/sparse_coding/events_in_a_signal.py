"""
Events in a long signal: what they look like, and when they come
================================================================

A heart beats a few thousand times an hour, and now and then a beat is irregular. From the
recording alone, a convolutional dictionary learns the shapes of the beats, and its codes say when
each of them comes. The recording here is made up, so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import ConvolutionalDictionaryLearner, ConvolutionalSparseCoder, TikhonovDetail

RATE = 250  # samples a second
MINUTES = 10
rng = np.random.default_rng(0)


def beat(*waves):
    """A sum of bumps (height, seconds, width in seconds), 0.5 s long, of norm 1."""
    t = np.arange(RATE // 2) / RATE
    shape = sum(h * np.exp(-0.5 * ((t - at) / width) ** 2) for h, at, width in waves)
    return shape / np.linalg.norm(shape)


normal = beat((0.15, 0.08, 0.02), (-0.2, 0.17, 0.008), (1.2, 0.19, 0.009), (-0.3, 0.21, 0.009),
              (0.35, 0.38, 0.03))  # fmt: skip
ectopic = beat((0.9, 0.18, 0.03), (-0.7, 0.27, 0.04))

# %%
# The recording
# -------------
# There is about a beat a second, of varying strength. One in twelve, on average, is ectopic and
# comes early. The baseline wanders, as it does when the patient breathes.

onsets, kinds = [], []
at = 0.5
while at < 60 * MINUTES - 1:
    early = rng.random() < 1 / 12
    onsets.append(int(RATE * (at - 0.25 * early)))
    kinds.append(int(early))
    at += rng.normal(0.9, 0.05)
onsets, kinds = np.array(onsets), np.array(kinds)
signal = np.zeros(60 * MINUTES * RATE)
for onset, kind in zip(onsets, kinds, strict=True):
    shape = (normal, ectopic)[kind]
    signal[onset : onset + len(shape)] += rng.uniform(0.8, 1.2) * shape
seconds = np.arange(len(signal)) / RATE
signal += 0.3 * np.sin(2 * np.pi * 0.07 * seconds) + 0.03 * rng.standard_normal(len(signal))
X = signal[np.newaxis]

# %%
# What beats look like
# --------------------
# The wandering baseline is taken out first, and a little of the slow parts of beats with it.
# Strengths are positive, so that shapes keep their sign. The filters are longer than a beat, so
# that a shape may lie anywhere within its filter.
#
# The length of the filters, the penalty, the number of shapes and the strength of the detail filter
# were chosen on this very recording, with the true shapes known. So the result says what the method
# can do, and not how well it does with the first settings that one tries: with a penalty twice as
# strong, the ectopic shape is mostly missed.

detail = TikhonovDetail(strength=RATE**2 / 10).fit(X)
Y = detail.transform(X)
learner = ConvolutionalDictionaryLearner(
    2, filter_shape=140, alpha=0.2, positive=True, max_iter=20, tol=0, random_state=0
).fit(Y)


def likeness(one, other):
    """The greatest correlation at any shift."""
    one, other = (shape / np.linalg.norm(shape) for shape in (one, other))
    return np.correlate(one, other, mode="full").max()


table = np.array([[likeness(d, shape) for shape in (normal, ectopic)] for d in learner.components_])
order = table.argmax(axis=0)

figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True, layout="constrained")
for ax, shape, k, name in zip(axes, (normal, ectopic), order, ("Normal", "Ectopic"), strict=True):
    learned = learner.components_[k] / np.linalg.norm(learner.components_[k])
    lag = np.correlate(learned, shape, mode="full").argmax() - len(shape) + 1
    ax.plot(np.arange(len(shape)) / RATE, shape, color="0.7", lw=4, label="truth")
    ax.plot((np.arange(len(learned)) - lag) / RATE, learned, color="C0", label="learned")
    ax.set(xlabel="seconds", title=f"{name}: correlation {likeness(learned, shape):.3f}")
axes[0].legend()
plt.show()

# %%
# When they come
# --------------
# The code of the whole recording has not many more coefficients than there are beats.

coder = ConvolutionalSparseCoder(
    learner.components_[order], alpha=0.3, positive=True, tol=1e-4, sparse_output=True
).fit(Y)
Z = coder.transform(Y)
columns, strengths = Z.indices, Z.data
places = columns % coder.map_shape_[0]
found_kinds = columns // coder.map_shape_[0]
print(f"{len(onsets)} beats, {Z.nnz} coefficients of {Z.shape[1]:,}")

figure, axes = plt.subplots(2, 1, figsize=(9, 4), sharex=True, layout="constrained")
shown = slice(0, 20 * RATE)
axes[0].plot(seconds[shown], signal[shown], color="0.3", lw=0.8)
axes[0].set(ylabel="recording")
for kind, name in enumerate(("normal", "ectopic")):
    near = (places < shown.stop) & (found_kinds == kind)
    axes[1].vlines(places[near] / RATE, 0, strengths[near], color=f"C{kind}", lw=2, label=name)
axes[1].set(xlabel="seconds", ylabel="strength")
axes[1].legend(loc="upper right")
plt.show()

# %%
# How many beats are found? A beat counts as found if its shape has a strength above 0.3 within 40
# ms of the beat's place, up to the shift of the shape in its filter, which learning leaves
# undetermined.


def found(kind):
    """For each beat of this kind, whether codes of its shape are where they should be."""
    own = places[(found_kinds == kind) & (strengths > 0.3)]
    offsets = own[np.abs(own[:, np.newaxis] - onsets[kinds == kind]).argmin(axis=0)]
    errors = offsets - onsets[kinds == kind]
    return np.abs(errors - np.median(errors)) <= 0.04 * RATE


rates = [found(kind).mean() for kind in (0, 1)]
print(f"normal beats found: {rates[0]:.1%}, ectopic ones: {rates[1]:.1%}")
