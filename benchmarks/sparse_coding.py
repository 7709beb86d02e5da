"""Microseconds a sample of sparse codes with l1, and of what SPAMS and scikit-learn offer for it.

Every time includes the Gram matrix and the correlations of the data, and ends with CSR codes where
a library has them. The sides take turns, and the median counts. On one thread the clock is the
thread's own CPU time; on more it is the wall's. Behind the times: the worst relative duality gap
and the samples beyond 1e-6, computed for all in the same way from the codes. A slow rival codes
the first rows only. With ``--dtype float32`` data, atoms and codes are that, and samples count as
bad beyond 1e-4, which the rounding of such codes alone may reach.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.decomposition import sparse_encode
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklvm import SparseCoder
from sklvm.datasets import load_photographs, sample_patches

try:
    import spams
except ImportError:
    spams = None

ALPHA = 0.15
TOL = 1e-6
BAD = {"float64": 1e-6, "float32": 1e-4}
# What scikit-learn codes of an easy problem, and of one on which it spends all its iterations.
ROWS_OF_SLOW_RIVALS, ROWS_OF_STUCK_RIVALS = 1_000, 100
# Threads of a library's pool may spin for a while when their work is done.
SETTLING_SECONDS = 0.1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, once: a smoke test")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=sorted(BAD), default="float64")
    arguments = parser.parse_args()
    clock = time.thread_time if arguments.threads == 1 else time.perf_counter
    n_rounds, scale = (1, 20) if arguments.quick else (3, 1)
    is_single = arguments.dtype == "float32"
    print(f"{'workload':<22}{'coder':<26}{'rows':>7}{'us/row':>9}{'ratio':>8}{'gap':>10}{'bad':>6}")
    warnings.simplefilter("ignore", ConvergenceWarning)  # the last column tells
    with threadpool_limits(arguments.threads):
        for name, X, D in workloads(scale):
            is_hard = is_single or "near-duplicates" in name
            slow_rows = ROWS_OF_STUCK_RIVALS if is_hard else ROWS_OF_SLOW_RIVALS
            X, D = X.astype(arguments.dtype), D.astype(arguments.dtype)
            coders = [
                (coder, X[:n_rows], encode)
                for coder, n_rows, encode in rivals(X, D, arguments.threads, slow_rows // scale)
            ]
            race(name, D, coders, n_rounds, clock, BAD[arguments.dtype])


def race(workload, D, coders, n_rounds, clock, bad):
    seconds, codes = [[] for _ in coders], [None for _ in coders]
    for _ in range(n_rounds):
        for i, (_, X, encode) in enumerate(coders):
            if encode is None:
                continue
            time.sleep(SETTLING_SECONDS)
            start = clock()
            codes[i] = encode(X)
            seconds[i].append((clock() - start) / len(X))
    ours = statistics.median(seconds[0])
    for (coder, X, encode), times, Z in zip(coders, seconds, codes, strict=True):
        if encode is None:
            print(f"{workload:<22}{coder:<26}{'absent':>16}")
            continue
        theirs = statistics.median(times)
        gaps = relative_gaps(X, D, Z)
        print(
            f"{workload:<22}{coder:<26}{len(X):>7}{1e6 * theirs:>9.1f}{theirs / ours:>7.1f}x"
            f"{gaps.max():>10.0e}{np.sum(gaps > bad):>6}",
            flush=True,
        )


def relative_gaps(X, D, Z):
    """Of codes, the duality gap relative to the objective, in float64."""
    X, D, Z = X.astype(np.float64), D.astype(np.float64), Z.astype(np.float64)
    residual = X - Z @ D
    slope = np.abs(residual @ D.T).max(axis=1)
    nu = residual * np.minimum(1, ALPHA / np.maximum(slope, 1e-300))[:, np.newaxis]
    primal = 0.5 * (residual**2).sum(axis=1) + ALPHA * np.abs(Z).sum(axis=1)
    dual = (X * nu).sum(axis=1) - 0.5 * (nu**2).sum(axis=1)
    return (primal - dual) / np.maximum(primal, 1e-300)


def workloads(scale):
    """Tuples (name, unit samples, unit atoms)."""
    yield "12x12 patches, K=512", *patches(12, 512, 12_000 // scale)
    yield "8x8 patches, K=256", *patches(8, 256, 12_000 // scale)
    rng = np.random.default_rng(0)
    X, D = rng.standard_normal((100_000 // scale, 100)), rng.standard_normal((200, 100))
    yield "Gaussian 100, K=200", unit_rows(X), unit_rows(D)
    yield "28x28 patches, K=1024", *patches(28, 1024, 6_000 // scale)
    yield "8x8, near-duplicates", *near_duplicates(12_000 // scale)


def patches(side, n_atoms, n_samples):
    """Natural patches without their mean, of norm 1; the atoms are some of them."""
    images = load_photographs()
    drawn = sample_patches(images, (side, side), 2 * (n_atoms + n_samples), random_state=0)
    drawn = drawn.astype(np.float64) - drawn.mean(axis=1, keepdims=True)
    drawn = unit_rows(drawn[drawn.std(axis=1) > 0.01])[: n_atoms + n_samples]
    return drawn[n_atoms:], drawn[:n_atoms].copy()


def near_duplicates(n_samples):
    """8x8 patches and, beside each of 128 atoms, another at a distance of 1e-5.

    At 1e-3 and above SPAMS has no bad samples; from 1e-4 down it has some, at any distance.
    """
    X, D = patches(8, 128, n_samples)
    noise = np.random.default_rng(0).standard_normal(D.shape)
    return X, unit_rows(np.vstack([D, D + 1e-5 * unit_rows(noise)]))


def unit_rows(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def rivals(X, D, n_threads, slow_rows):
    """Tuples (name, rows, function from X to codes); the first is what the others are held to."""
    coder = SparseCoder(D, alpha=ALPHA, tol=TOL, sparse_output=True, n_jobs=n_threads).fit(X[:2])
    yield "sklvm active_set", len(X), coder.transform
    if spams is None:
        yield "SPAMS lasso", len(X), None
    else:
        atoms, samples = np.asfortranarray(D.T), np.asfortranarray(X.T)

        def lasso(X):
            codes = spams.lasso(
                samples[:, : len(X)], atoms, lambda1=ALPHA, mode=2, numThreads=n_threads
            )
            return sparse.csr_array(codes.T)

        yield "SPAMS lasso", len(X), lasso

    def lasso_cd(X):
        return sparse_encode(
            X, D, algorithm="lasso_cd", alpha=ALPHA, n_jobs=n_threads, max_iter=10_000
        )

    yield "scikit-learn lasso_cd", slow_rows, lasso_cd


if __name__ == "__main__":
    main()
