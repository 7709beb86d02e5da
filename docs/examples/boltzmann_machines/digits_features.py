"""
Hidden units as features of digits
==================================

Scikit-learn's gallery feeds the hidden units of its restricted Boltzmann machine to logistic
regression. This page takes the same data and the same split, searches the number of hidden units
with the classifier behind them, and sets the two machines side by side. As there, every 8×8 digit
comes five times: as it is, and moved by a pixel in each direction, which is hard on a linear
classifier of pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import convolve
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import BernoulliRBM as SklearnBernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklvm import BernoulliRBM
from sklvm.optimizers import SGD
from sklvm.plotting import FilterDisplay

SHIFTS = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]


def nudged(image, shift):
    kernel = np.zeros((3, 3))
    kernel[1 - shift[0], 1 - shift[1]] = 1
    return convolve(image, kernel, mode="constant")


digits = load_digits()
X = np.array([nudged(image, shift).ravel() for shift in SHIFTS for image in digits.images])
y = np.tile(digits.target, len(SHIFTS))
X = MinMaxScaler().fit_transform(X).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)

# %%
# Three classifiers
# -----------------
# Pixels and scikit-learn's machine have the settings of its page but for the tolerance of the
# regression. Grey levels are taken as probabilities of ink, and ``partition="none"`` skips log Z,
# which features do not need. Ours learns by the same steps, batches of ten and a constant rate, and
# without centring, of which more below.


def regression(C):
    return LogisticRegression(C=C, solver="newton-cg", tol=1e-3, max_iter=1000)


machine = BernoulliRBM(
    centered=False,
    optimizer=SGD(0.06),
    batch_size=10,
    max_iter=10,
    partition="none",
    random_state=0,
)
search = GridSearchCV(
    make_pipeline(machine, StandardScaler(), regression(C=100)),
    {"bernoullirbm__n_components": [50, 100, 200]},
    cv=3,
)
models = {
    "pixels": regression(C=100),
    "scikit-learn's machine": make_pipeline(
        SklearnBernoulliRBM(100, learning_rate=0.06, n_iter=10, random_state=0),
        regression(C=6000),
    ),
    "BernoulliRBM, searched": search,
}
accuracy = {}
for name, model in models.items():
    accuracy[name] = model.fit(X_train, y_train).score(X_test, y_test)
    print(f"{name:24} {accuracy[name]:.3f}")
sizes = search.cv_results_["param_bernoullirbm__n_components"]
for size, value in zip(sizes, search.cv_results_["mean_test_score"], strict=True):
    print(f"{size:4} hidden units, cross-validated: {value:.3f}")

# %%
# The better density is not the better feature
# --------------------------------------------
# With centred gradients, the default, the same machine learns the better density, and its hidden
# units serve the classifier less. Likelihood does not ask that units tell classes apart: where they
# shall, let the classifier choose. Exact log-likelihoods come from 20 hidden units.

for centered in (False, True):
    small = clone(machine).set_params(n_components=20, centered=centered, partition="exact")
    large = clone(search.best_estimator_).set_params(bernoullirbm__centered=centered)
    nats = small.fit(X_train).score(X_test)
    share = large.fit(X_train, y_train).score(X_test, y_test)
    print(f"centered={centered!s:6} {nats:.2f} nats with 20 hidden units, accuracy {share:.3f}")

# %%
# The filters
# -----------

best = search.best_estimator_[0]
figure, axes = plt.subplots(1, 2, figsize=(9, 4.8), layout="constrained")
FilterDisplay.from_estimator(models["scikit-learn's machine"][0], ax=axes[0])
axes[0].set_title("scikit-learn, 100 hidden units")
FilterDisplay(best.components_[:100]).plot(axes[1])
axes[1].set_title(f"BernoulliRBM, 100 of {best.n_components} hidden units")
plt.show()
