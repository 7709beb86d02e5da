"""Every objective on data so small that all is exact: log-likelihoods and their bounds, in nats.

Bars and stripes: a binary machine learns images of whole bars or whole stripes, by every objective
that fits it. Two data sets go by that name, and bounds differ: "distinct" has every image once,
"solid twice" has the solid images twice, as they are bars and stripes both. No model's mean
log-likelihood is above that of the data's own distribution, which is the bound printed. Criteria
that compare an image with its neighbours see no other image there, and end far below it.

Laplace mixture: a Gaussian machine of 4 hidden units learns half of 100,000 points of the plane,
whitened. What is printed is the true log-density minus the model's, means over the other half:
the same rows for all, so that the luck of the draw cancels. Exact maximum likelihood shows what 4
hidden units can do at all.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklvm import BernoulliRBM, GaussianRBM, ZCAWhitener
from sklvm.datasets import make_bars_and_stripes, make_laplace_mixture
from sklvm.objectives import (
    ContrastiveDivergence,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
)
from sklvm.optimizers import LBFGS

EXACT = {"objective": "mle", "optimizer": LBFGS(gradient_tol=1e-6)}
BINARY = {
    "mle, L-BFGS": {**EXACT, "weight_decay": 1e-6},
    "pcd": {"objective": "pcd"},
    "parallel_tempering": {"objective": "parallel_tempering"},
    "cd, 1 step": {"objective": "cd"},
    "cd, 10 steps": {"objective": ContrastiveDivergence(10)},
    "nce, independent noise": {"objective": "nce"},
    "nce, Chow-Liu noise": {"objective": NoiseContrastiveEstimation(reference="chow_liu")},
    "cnce": {"objective": "cnce"},
    "pseudo_likelihood": {"objective": "pseudo_likelihood"},
    "ratio_matching": {"objective": "ratio_matching"},
}
REAL = {
    "mle, L-BFGS": EXACT,
    "pcd (the default)": {"objective": "pcd"},
    "parallel_tempering": {"objective": "parallel_tempering"},
    "cd, 1 step": {"objective": "cd"},
    "nce": {"objective": "nce"},
    "cnce": {"objective": "cnce"},
    "score_matching": {"objective": "score_matching"},
    "sliced_score_matching": {"objective": "sliced_score_matching"},
    "denoising, noise 0.1": {"objective": DenoisingScoreMatching(0.1)},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short fits: a smoke test")
    is_quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)  # some likelihoods grow to infinity
    with threadpool_limits(1):
        bars_and_stripes(n_epochs=5 if is_quick else 500)
        laplace_mixture(*((2000, 2) if is_quick else (100_000, 20)))


def bars_and_stripes(n_epochs):
    data = {(side, name): images(side, name) for side in (3, 4) for name in SETS}
    print("Bars and stripes, mean log-likelihood")
    print_row("", [f"{side}x{side} {name}" for side, name in data])
    print_row("upper bound", [bound(X) for X in data.values()])
    for name, parameters in BINARY.items():
        print_row(name, [fit_images(X, parameters, n_epochs) for X in data.values()])


SETS = ("distinct", "solid twice")


def images(side, name):
    """All images of a set, once each but for the solid ones of "solid twice"."""
    X = make_bars_and_stripes(side)
    solid = X[np.ptp(X, axis=1) == 0]
    return X if name == "distinct" else np.vstack([X, solid])


def bound(X):
    """Σ p log p of the empirical distribution p."""
    _, counts = np.unique(X, axis=0, return_counts=True)
    p = counts / len(X)
    return float(p @ np.log(p))


def fit_images(X, parameters, n_epochs):
    """Exact mean log-likelihood after training on about 1,000 copies in batches of 100."""
    n_hidden = {9: 12, 16: 15}[X.shape[1]]
    copies = np.tile(X, (-(-1000 // len(X)), 1))
    if parameters["objective"] == "mle":
        copies = X
    model = BernoulliRBM(n_hidden, **parameters, max_iter=n_epochs, random_state=0)
    return model.fit(copies).score(X)


def laplace_mixture(n_rows, n_epochs):
    mixture = make_laplace_mixture(n_rows, random_state=0)
    half = n_rows // 2
    whitener = ZCAWhitener().fit(mixture.data[:half])
    train, test = (whitener.transform(rows) for rows in np.split(mixture.data, 2))
    true = mixture.log_density[half:].mean() - whitener.log_abs_det_jacobian_
    print(f"\nLaplace mixture in the plane, 4 hidden units, {half} rows to train on and to test on")
    print_row("", ["true - model", "sigma", "CPU s"])
    for name, parameters in REAL.items():
        model = GaussianRBM(4, **parameters, max_iter=n_epochs, random_state=0)
        if parameters is EXACT:
            model.set_params(max_iter=100 * n_epochs)
        start = time.process_time()
        model.fit(train)
        seconds = time.process_time() - start
        print_row(name, [true - model.score(test), model.sigma_, seconds])


def print_row(name, cells):
    texts = [cell if isinstance(cell, str) else f"{cell:.4f}" for cell in cells]
    print(f"{name:<26}" + "".join(f"{text:>17}" for text in texts), flush=True)


if __name__ == "__main__":
    main()
