"""Test log-likelihood of binary restricted Boltzmann machines on MNIST, in nats a digit.

How grey levels become bits changes the figure by several nats, so each line says it: "threshold"
sets the pixels above one half, "drawn once" draws every pixel with its grey level as probability,
once for all epochs. "inverted" swaps ink and paper.

All machines train by 100 persistent chains of one sweep a step, batches of 100, for the number of
epochs of their line; sklvm's by stochastic gradient descent whose rate falls from 0.1 to 0. With 16
hidden units log Z is the exact sum over their states, and beside it are scikit-learn's machine, at
two learning rates, and ebmkit's, where installed, their parameters scored by the same sum. Seconds
are CPU time on one thread. With 500 hidden units log Z is bracketed by
annealing to the model and back: the test figure from the upper end is a lower bound in expectation.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import BernoulliRBM as SklearnBernoulliRBM
from threadpoolctl import threadpool_limits

from sklvm import BernoulliRBM
from sklvm.datasets import load_digit_images, read_idx_images
from sklvm.energies import BernoulliRBMEnergy
from sklvm.optimizers import SGD
from sklvm.partition import AnnealedImportanceSampling

try:
    import ebm
    import torch
except ImportError:
    ebm = None

BATCH_SIZE = 100
COLUMNS = "{:<12}{:<10}{:>7}{:>9}  {:<34}{:>7}{:>9}{:>9}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", metavar="DIR", help="folder of the four idx files")
    parser.add_argument("--quick", action="store_true", help="a few epochs: a smoke test")
    parser.add_argument("--hidden", type=int, nargs="+", choices=[16, 500], default=[16, 500])
    parser.add_argument("--epochs", type=int, default=90, help="of the 500 hidden units")
    arguments = parser.parse_args()
    grey = grey_digits(arguments.mnist)
    print(f"{len(grey[0])} training and {len(grey[1])} test digits of 784 pixels")
    print(COLUMNS.format("bits", "", "hidden", "epochs", "trained by", "CPU s", "train", "test"))
    with threadpool_limits(1):
        if 16 in arguments.hidden:
            small_machines(grey, epochs=[2] if arguments.quick else [1, 5, 20, 50])
        if 500 in arguments.hidden:
            large_machine(grey, *((1, 100) if arguments.quick else (arguments.epochs, 10_000)))


def grey_digits(folder):
    """Training and test digits, float32 in [0, 1]."""
    if folder is None:
        digits = load_digit_images().data
        order = np.random.default_rng(0).permutation(len(digits))
        return digits[order[1000:]], digits[order[:1000]]
    digits = read_idx_images(folder)
    return digits.data, digits.test_data


def threshold(grey):
    return (grey > 0.5).astype(np.float32)


def drawn_once(grey):
    return (np.random.default_rng(0).random(grey.shape, np.float32) < grey).astype(np.float32)


def machine(n_components, n_epochs):
    return BernoulliRBM(
        n_components,
        optimizer=SGD(0.1, schedule="linear"),
        max_iter=n_epochs,
        partition="none",
        random_state=0,
    )


# -- 16 hidden units ------------------------------------------------------------------------------


def small_machines(grey, epochs):
    """All sides against seconds on one kind of bits; on the others the longest fit of two."""
    for name, bits in {"drawn once": drawn_once, "threshold": threshold}.items():
        for kind in ("", "inverted"):
            train, test = (1 - bits(X) if kind else bits(X) for X in grey)
            whole = (name, kind) == ("drawn once", "")
            for n_epochs in epochs if whole else epochs[-1:]:
                for side in SIDES if whole else list(SIDES)[:2]:
                    line = race(SIDES[side], train, test, n_epochs)
                    print(COLUMNS.format(name, kind, 16, n_epochs, side, *line), flush=True)


def race(fit, train, test, n_epochs):
    """CPU seconds, and mean log-likelihoods of training and test digits, as texts."""
    if fit is None:
        return "absent", "", ""
    start = time.process_time()
    parameters = fit(train, n_epochs)
    seconds = time.process_time() - start
    return f"{seconds:.1f}", *(f"{score:.2f}" for score in exact((train, test), *parameters))


def exact(parts, weights, visible_bias, hidden_bias):
    """Mean log-likelihood of each part, log Z by the sum over all states of the hidden units."""
    energy = BernoulliRBMEnergy(parts[0].shape[1], len(weights))
    theta = energy.layout.pack(
        weights=weights, visible_bias=visible_bias, hidden_bias=hidden_bias, dtype=np.float64
    )
    log_partition = energy.log_partition(theta)
    for X in parts:
        energies = [energy.evaluate(theta, rows)[0] for rows in np.array_split(X, 10)]
        yield -np.concatenate(energies).mean() - log_partition


def by_sklvm(X, n_epochs):
    model = machine(16, n_epochs).fit(X)
    return model.components_, model.intercept_visible_, model.intercept_hidden_


def by_sklearn(learning_rate):
    def fit(X, n_epochs):
        model = SklearnBernoulliRBM(
            16,
            learning_rate=learning_rate,
            batch_size=BATCH_SIZE,
            n_iter=n_epochs,
            random_state=0,
        ).fit(X)
        return model.components_, model.intercept_visible_, model.intercept_hidden_

    return fit


def by_ebmkit(X, n_epochs):
    """Its RBM by its contrastive divergence from 100 chains that persist, and its trainer."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rows = torch.from_numpy(X)
    model = ebm.nets.RBM(X.shape[1], 16)
    chains = ebm.ReplayBuffer(BATCH_SIZE, X.shape[1:], reinit_prob=0.0, init_fn=random_bits)
    loss = ebm.ContrastiveDivergence(ebm.samplers.GibbsSampler(steps=1), chains)
    ebm.Trainer(model, loss).fit(
        rows, n_epochs * len(X) // BATCH_SIZE, batch_size=BATCH_SIZE, verbose=False
    )
    return [parameter.detach().double().numpy() for parameter in (model.W, model.b, model.c)]


def random_bits(shape):
    return torch.bernoulli(torch.full(shape, 0.5))


SIDES = {
    "sklvm": by_sklvm,
    "scikit-learn, rate 0.1": by_sklearn(0.1),
    "scikit-learn, rate 0.01": by_sklearn(0.01),
    "ebmkit, its Adam(0.001)": None if ebm is None else by_ebmkit,
}


# -- 500 hidden units -----------------------------------------------------------------------------


def large_machine(grey, n_epochs, n_temperatures):
    train, test = (drawn_once(X) for X in grey)
    model = machine(500, n_epochs)
    start = time.process_time()
    model.fit(train)
    seconds = f"{time.process_time() - start:.0f}"
    budget = AnnealedImportanceSampling(n_temperatures, bracket=True)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the width below tells
        model.estimate_log_partition(partition=budget, random_state=0)
    annealing = time.process_time() - start
    scores = [f"{model.score(X):.2f}" for X in (train, test)]
    line = "drawn once", "", 500, n_epochs, "sklvm", seconds, *scores
    print(COLUMNS.format(*line))
    lower, upper = model.log_partition_bracket_
    at_upper = model.score(test) + model.log_partition_ - upper
    print(
        f"log Z from {lower:.2f} (annealing there, standard error "
        f"{model.log_partition_std_err_:.2f}, {model.log_partition_effective_sample_size_:.0f} "
        f"effective chains of 100) to {upper:.2f} (and back): a width of {upper - lower:.2f}; the "
        f"test figure at the upper end is {at_upper:.2f}. {n_temperatures} temperatures, "
        f"{annealing:.0f} s."
    )


if __name__ == "__main__":
    main()
