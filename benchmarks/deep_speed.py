"""Time of training and of annealing of a deep Boltzmann machine, against its matrix products.

The machine is 784-500-1000, float32, batches of 100 rows of bits of which 13% are 1, five sweeps of
mean field and one of Gibbs sampling a step, centred, by Adam. Its products alone are those of numpy
on arrays of the same shapes, dense. A ratio is the median of alternating rounds; one thread.
"""

import argparse
import time
from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_limits

from sklvm import DeepBoltzmannMachine
from sklvm.partition import TemperedPath, fit_reference

SHAPE = 784, 500, 1000
N_ROWS, N_MEAN_FIELD = 100, 5


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few steps: a smoke test")
    parser.add_argument("--steps", type=int, default=20, help="a round")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    n_steps, n_rounds = (3, 2) if arguments.quick else (arguments.steps, arguments.rounds)
    rng = np.random.default_rng(0)
    X = (rng.random((n_steps * N_ROWS, SHAPE[0])) < 0.13).astype(np.float32)
    with threadpool_limits(1):
        training = a_training(X)
        products = Products(rng)
        sides = {
            "a step of training": (lambda: train(training, X), lambda: products.step(n_steps)),
            "a temperature of annealing": (
                annealing(training, X, n_steps),
                lambda: products.temperature(n_steps),
            ),
        }
        for name, (ours, theirs) in sides.items():
            report(name, ours, theirs, n_steps, n_rounds)


def a_training(X):
    model = DeepBoltzmannMachine(SHAPE[1:], n_mean_field=N_MEAN_FIELD, max_iter=1, random_state=0)
    return model.fit(X[: 2 * N_ROWS])._training


def train(training, X):
    weights = np.ones(len(X), dtype=X.dtype)
    for first in range(0, len(X), N_ROWS):
        rows = slice(first, first + N_ROWS)
        training.step(X[rows], weights[rows])


def annealing(training, X, n_temperatures):
    """() → so many temperatures from 100 chains: the change of log p̃, and a sweep."""
    energy, theta = training.energy, training.energy_theta
    path = TemperedPath(energy, theta, fit_reference(energy, X))
    betas = np.linspace(0, 0.99, n_temperatures + 1)

    def run():
        rng = np.random.default_rng(0)
        state = path.start(N_ROWS, rng)
        for before, after in pairwise(betas):
            path.log_density_change(state, before, after)
            state, _ = path.move(state, after, None, rng)

    return run


class Products:
    """What a step and a temperature multiply, and nothing else."""

    def __init__(self, rng):
        d, K1, K2 = SHAPE
        self.W1, self.W2 = (rng.random(s, np.float32) for s in ((K1, d), (K2, K1)))
        self.x, self.h1, self.h2 = (rng.random((N_ROWS, n), np.float32) for n in SHAPE)
        self.both = [rng.random((2 * N_ROWS, n), np.float32) for n in SHAPE]

    def step(self, n_steps):
        for _ in range(n_steps):
            self.x @ self.W1.T
            self.h1 @ self.W2.T
            for _ in range(N_MEAN_FIELD):
                self.h2 @ self.W2
                self.h1 @ self.W2.T
            self.sweep()
            x, h1, h2 = self.both
            h1.T @ x
            h2.T @ h1

    def temperature(self, n_temperatures):
        for _ in range(n_temperatures):
            self.sweep()

    def sweep(self):
        self.h1 @ self.W1
        self.h1 @ self.W2.T
        self.x @ self.W1.T
        self.h2 @ self.W2


def report(name, ours, theirs, n_steps, n_rounds):
    ours(), theirs()
    seconds = np.array([[timed(ours), timed(theirs)] for _ in range(n_rounds)])
    mine, products = 1000 * np.median(seconds, axis=0) / n_steps
    ratio = np.median(seconds[:, 0] / seconds[:, 1])
    print(f"{name}: {mine:.2f} ms, its products alone {products:.2f} ms: {ratio:.2f} times them")


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
