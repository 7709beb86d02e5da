"""
Anomalies: how sure, and why
============================

A detector that only says "outlier" leaves two questions. How often would a normal row look as odd?
And which of its entries is to blame? :class:`~sklvm.DensityOutlierDetector` answers both. The last
section is about images, where a log-density alone is the wrong score.
"""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from sklvm import BernoulliRBM, DensityOutlierDetector
from sklvm.datasets import load_digit_images
from sklvm.plotting import ExplanationDisplay

# %%
# Tumours
# -------
# Two thirds of the benign tumours are the normal rows. They come as they are: the default estimator
# scales its features. ``calibration=0.4`` keeps two fifths of them from the fit, to compare with.

cancer = load_breast_cancer(as_frame=True)
benign, malignant = (cancer.data[cancer.target == label] for label in (1, 0))
benign = benign.sample(frac=1, random_state=0)
train, test = benign[:240], benign[240:]
detector = DensityOutlierDetector(calibration=0.4, contamination=0.05, random_state=0).fit(train)
scores = np.concatenate([detector.score_samples(rows) for rows in (test, malignant)])
truth = np.repeat([0, 1], [len(test), len(malignant)])
print(f"area under the ROC curve {roc_auc_score(truth, -scores):.3f}")

# %%
# How sure
# --------
# ``tail_probability`` is a p-value: the share of the rows held out that score as low, the row
# itself counted in. Of normal rows it is uniform, whatever the detector, so that a p-value of at
# most 0.05 is a false alarm for one normal row in twenty.

p_values = {"benign": detector.tail_probability(test)}
p_values["malignant"] = detector.tail_probability(malignant)
for name, values in p_values.items():
    print(f"{name:10} p ≤ 0.05: {np.mean(values <= 0.05):.2f}")

figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for name, values in p_values.items():
    axis.hist(values, np.linspace(0, 1, 21), density=True, alpha=0.6, label=name)
axis.set(xlabel="p-value", ylabel="density of rows")
axis.legend()
plt.show()

# %%
# Why
# ---
# ``explain`` says how improbable each entry is, given the other entries of its row: the ordinary
# log p(x_j | others) less that of the row, exactly, under the kernel density of the default
# estimator. Bars to the right speak for an outlier. The first tumour is the oddest of the malignant
# ones; the second is the benign one of the test rows that is most of an outlier.

odd = [malignant.iloc[[int(np.argmin(detector.score_samples(malignant)))]]]
odd.append(test.iloc[[int(np.argmin(detector.score_samples(test)))]])
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
for axis, row, name in zip(axes, odd, ("malignant", "benign"), strict=True):
    ExplanationDisplay.from_estimator(detector, row, ax=axis, n_features=7)
    axis.set_title(f"{name}, p = {detector.tail_probability(row)[0]:.3f}")
plt.show()

# %%
# Where log p is the wrong score
# ------------------------------
# A restricted Boltzmann machine of digits is asked to tell letters from digits. Letters are strokes
# of a pen, too. Most of log p is how much ink there is, and where; letters hardly differ in that
# from digits, and the area is little above chance. The ratio to a model that knows no more is of
# use. ``reference="independent"`` fits the same machine to digits whose pixels were shuffled
# among the images, each on its own; ``"blurred"`` shuffles half of the pixels of an image.
# ``typicality``, which suspects images that are too probable as well, does not help here: letters
# are not too probable, they are as probable as digits.

rng = np.random.default_rng(0)
grey = rng.permutation(load_digit_images().data)
bits = (rng.random(grey.shape) < grey).astype(np.float32)
digits, test_digits = bits[:3000], bits[4000:]
fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
faces = ["DejaVuSans-Bold", "DejaVuSans-BoldOblique", "DejaVuSerif-Bold", "cmb10"]


def letter(character, face):
    font = ImageFont.truetype(fonts / f"{face}.ttf", 22)
    image = Image.new("L", (56, 56))
    ImageDraw.Draw(image).text((28, 28), character, fill=255, font=font, anchor="mm")
    ink = np.asarray(image, dtype=np.float32) / 255
    centre = [round(np.average(np.arange(56), weights=ink.sum(axis=axis))) for axis in (1, 0)]
    top, left = (c - 14 for c in centre)
    return ink[top : top + 28, left : left + 28].ravel()


alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrtuvwxy"
letters = np.array([letter(character, face) for face in faces for character in alphabet])
letters = (rng.random(letters.shape) < letters).astype(np.float32)
truth = np.repeat([0, 1], [len(test_digits), len(letters)])

machine = BernoulliRBM(100, max_iter=15, weight_decay=1e-4, partition="none", random_state=0)
QUESTIONS = {
    "log p": {},
    "log p, typicality": {"typicality": True},
    "ratio to independent": {"reference": "independent"},
    "ratio to blurred": {"reference": "blurred"},
}
areas, figure = {}, plt.figure(figsize=(11, 3), layout="constrained")
for axis, (name, options) in zip(figure.subplots(1, 4), QUESTIONS.items(), strict=True):
    asked = DensityOutlierDetector(machine, random_state=0, **options).fit(digits)
    scores = [asked.score_samples(rows) for rows in (test_digits, letters)]
    areas[name] = roc_auc_score(truth, -np.concatenate(scores))
    for label, values in zip(("digits", "letters"), scores, strict=True):
        axis.hist(values, 40, density=True, alpha=0.6, label=label)
    axis.set(title=f"{name}\narea {areas[name]:.2f}", xlabel="nats", yticks=[])
    print(f"{name:24}{areas[name]:.2f}")
axis.legend()
plt.show()
