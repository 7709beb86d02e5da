"""Nanoseconds an element of each kernel, and of what numpy or scipy offer for it, on one thread.

The two sides of a race take turns, and the median counts: what disturbs the machine disturbs both.
The clock is the thread's own CPU time.
"""

import argparse
import time

import numpy as np
from _take_turns import take_turns
from scipy.special import expit
from threadpoolctl import threadpool_limits

from sklvm import kernels

ROWS, UNITS = 128, 512  # the arrays of one race fit in the second-level cache


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a smoke test")
    n_rounds = 7 if parser.parse_args().quick else 101
    print(f"{'kernel':<18}{'dtype':<9}{'sklvm':>9}  {'rival':<32}{'rival':>9}{'ratio':>8}")
    with threadpool_limits(1):
        for dtype in (np.float32, np.float64):
            for name, ours, rival_name, rival in races(dtype):
                sides = {"sklvm": ours, "rival": rival}
                seconds = take_turns(sides, n_rounds, clock=time.thread_time).values()
                mine, theirs = (1e9 * each / (ROWS * UNITS) for each in seconds)
                print(
                    f"{name:<18}{np.dtype(dtype).name:<9}{mine:>6.2f} ns  "
                    f"{rival_name:<32}{theirs:>6.2f} ns{theirs / mine:>7.1f}x"
                )


def races(dtype):
    """Tuples (kernel's name, kernel, rival's name, rival), each run over ROWS * UNITS elements."""
    rng = np.random.default_rng(0)
    x = rng.normal(scale=3, size=(ROWS, UNITS)).astype(dtype)
    bias = rng.normal(size=UNITS).astype(dtype)
    out = np.empty_like(x)
    yield "sigmoid", lambda: kernels.sigmoid(x, out=out), *numpy_sigmoid(x, out)
    yield "softplus", lambda: kernels.softplus(x, out=out), *numpy_softplus(x)
    yield "uniform", lambda: kernels.uniform(x.shape, 0, dtype=dtype), *numpy_uniform(rng, x)
    yield (
        "standard_normal",
        lambda: kernels.standard_normal(x.shape, 0, dtype=dtype),
        *numpy_normal(rng, x),
    )
    yield (
        "sample_bernoulli",
        lambda: kernels.sample_bernoulli(x, bias, 0, out=out),
        *numpy_bernoulli(rng, x, bias),
    )
    yield from update_races(dtype, rng)


def numpy_sigmoid(x, out):
    return "scipy.special.expit", lambda: expit(x, out=out)


def numpy_softplus(x):
    return "numpy max + log1p(exp(-|x|))", lambda: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def numpy_uniform(rng, x):
    return "numpy Generator.random", lambda: rng.random(x.shape, dtype=x.dtype)


def numpy_normal(rng, x):
    return "numpy Generator.standard_normal", lambda: rng.standard_normal(x.shape, dtype=x.dtype)


def numpy_bernoulli(rng, x, bias):
    def sample():
        return (rng.random(x.shape, dtype=x.dtype) < expit(x + bias)).astype(x.dtype)

    return "numpy random < expit(x + bias)", sample


def update_races(dtype, rng):
    gradient = rng.normal(size=ROWS * UNITS).astype(dtype)
    state = [np.zeros(ROWS * UNITS, dtype) for _ in range(6)]
    yield (
        "sgd, momentum",
        lambda: kernels.sgd_update(state[0], gradient, state[1], 1e-3, 0.9),
        "numpy, in place",
        lambda: numpy_sgd(state[2], gradient, state[3], 1e-3, 0.9),
    )
    yield (
        "adam",
        lambda: kernels.adam_update(
            state[0], gradient, state[1], state[2], 1e-3, 0.9, 0.999, 1e-8, 10
        ),
        "numpy, in place",
        lambda: numpy_adam(state[3], gradient, state[4], state[5], 1e-3, 0.9, 0.999, 1e-8, 10),
    )


def numpy_sgd(theta, gradient, velocity, learning_rate, momentum):
    velocity *= momentum
    velocity -= learning_rate * gradient
    theta += velocity
    return float(velocity @ velocity)


def numpy_adam(theta, gradient, m, v, learning_rate, beta1, beta2, epsilon, n_steps):
    m *= beta1
    m += (1 - beta1) * gradient
    v *= beta2
    v += (1 - beta2) * gradient**2
    change = m / (1 - beta1**n_steps)
    change *= -learning_rate
    change /= np.sqrt(v / (1 - beta2**n_steps)) + epsilon
    theta += change
    return float(change @ change)


if __name__ == "__main__":
    main()
