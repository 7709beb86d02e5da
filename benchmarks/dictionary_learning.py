"""How fast dictionaries get good: held-out objective against seconds of training.

10,000 natural patches of 12×12 pixels, of mean 0 and norm 1, K = 256 atoms, l1 with α = 0.15. All
start from the same atoms. The objective is that of 5,000 further patches, by the same coder for
all. Behind each rival: what sklvm took to get below it, for which it trains for more and more
passes, each time from the start. On one thread the clock is the thread's own CPU time; on more it
is the wall's. The sides take turns, and the median counts.

With ``--batches`` sklvm and SPAMS learn online from batches of each of these sizes, in as many
passes, on one thread and on two. Each fit has a process of its own, and the wall's clock counts.

    python benchmarks/dictionary_learning.py --batches 64 128 256 512 1024 2048 --passes 2 5 20
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
from _own_processes import thread_variables
from sklearn.decomposition import MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklvm import DictionaryLearner, SparseCoder
from sklvm.datasets import load_photographs, sample_patches

try:
    import spams
except ImportError:
    spams = None

ALPHA = 0.15
SPAMS_ITERATIONS = (50, 200, 800)  # batches of 256
SCIKIT_LEARN_PASSES = (2, 6)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows and passes: a smoke test")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--batches", type=int, nargs="+", help="sizes of batches to compare")
    parser.add_argument("--passes", type=int, nargs="+", default=[2, 5, 20])
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        library, *numbers = arguments.one
        learn_alone(library, *map(int, numbers))
        return
    if arguments.batches:
        compare_batches(arguments.batches, arguments.passes)
        return
    n_rows, side, n_atoms = (1000, 8, 64) if arguments.quick else (10_000, 12, 256)
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, held_out = patches(n_rows, n_rows // 2, side)
    start = X[np.random.default_rng(0).choice(n_rows, n_atoms, replace=False)]
    with threadpool_limits(arguments.threads):
        sides = contestants(X, start, arguments)
        race(sides, held_out, arguments)


def patches(n_train, n_test, side):
    """Unit patches to train on, and others."""
    n = n_train + n_test
    drawn = sample_patches(load_photographs(), (side, side), 2 * n, random_state=0)
    drawn = drawn.astype(np.float64) - drawn.mean(axis=1, keepdims=True)
    drawn = drawn[drawn.std(axis=1) > 0.01][:n]
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn[:n_train], drawn[n_train:]


def contestants(X, start, arguments):
    """Tuples (name, function to atoms or None); sklvm's own come first."""
    n_threads = arguments.threads
    for n_passes in (1, 2) if arguments.quick else (1, 2, 3, 5, 7, 10, 14):
        learner = DictionaryLearner(
            len(start),
            alpha=ALPHA,
            init=start,
            batch_size=min(1024, len(X) // 2),
            max_iter=n_passes,
            tol=0,
            random_state=0,
            n_jobs=n_threads,
        )
        yield f"sklvm, {n_passes} passes", lambda learner=learner: learner.fit(X).components_
    for n_iter in (8,) if arguments.quick else SPAMS_ITERATIONS:
        name = f"SPAMS, {n_iter} iterations"
        yield name, spams and (lambda n=n_iter: spams_atoms(X, start, n, n_threads))
    for n_passes in (1,) if arguments.quick else SCIKIT_LEARN_PASSES:
        rival = MiniBatchDictionaryLearning(
            len(start),
            alpha=ALPHA,
            dict_init=start,
            fit_algorithm="cd",
            batch_size=256,
            max_iter=n_passes,
            tol=0,
            max_no_improvement=None,
            random_state=0,
            n_jobs=n_threads,
        )
        name = f"scikit-learn, {n_passes} passes"
        yield name, lambda rival=rival: rival.fit(X).components_


def spams_atoms(X, start, n_iter, n_threads, batch_size=256):
    return spams.trainDL(
        np.asfortranarray(X.T),
        K=len(start),
        D=np.asfortranarray(start.T),
        lambda1=ALPHA,
        mode=2,
        iter=n_iter,
        batchsize=batch_size,
        numThreads=n_threads,
        verbose=False,
    ).T


def race(sides, held_out, arguments):
    clock = time.thread_time if arguments.threads == 1 else time.perf_counter
    sides = list(sides)
    seconds, objectives = {name: [] for name, _ in sides}, {}
    for _ in range(arguments.rounds):
        for name, learn in sides:
            if learn is None:
                continue
            begun = clock()
            atoms = learn()
            seconds[name].append(clock() - begun)
            coder = SparseCoder(atoms, alpha=ALPHA).fit(held_out)
            objectives[name] = -coder.score(held_out)
    print(f"{'learner':<28}{'seconds':>9}{'held out':>11}{'sklvm gets there in':>24}")
    ours = [name for name in objectives if name.startswith("sklvm")]
    for name, _ in sides:
        if name not in objectives:
            print(f"{name:<28}{'absent':>9}")
            continue
        took = statistics.median(seconds[name])
        line = f"{name:<28}{took:>9.2f}{objectives[name]:>11.5f}"
        if name not in ours:
            better = [n for n in ours if objectives[n] <= objectives[name]]
            fastest = min((statistics.median(seconds[n]) for n in better), default=None)
            line += f"{'–' if fastest is None else f'{fastest:.2f} s ({took / fastest:.1f}x)':>24}"
        print(line)


# -- batches --------------------------------------------------------------------------------------


def compare_batches(sizes, passes):
    print(f"{'batch':>6}{'passes':>8}{'threads':>9}", end="")
    print("".join(f"{f'{name}: seconds':>17}{'held out':>11}" for name in ("sklvm", "SPAMS")))
    for size in sizes:
        for n_passes in passes:
            for n_threads in (1, 2):
                print(f"{size:>6}{n_passes:>8}{n_threads:>9}", end="", flush=True)
                for library in ("sklvm", "SPAMS"):
                    if library == "SPAMS" and spams is None:
                        print(f"{'absent':>17}", end="")
                        continue
                    command = [sys.executable, __file__, "--one", library]
                    result = subprocess.run(
                        [*command, str(size), str(n_passes), str(n_threads)],
                        env=thread_variables(n_threads),
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    seconds, objective = json.loads(result.stdout.splitlines()[-1])
                    print(f"{seconds:>17.2f}{objective:>11.5f}", end="", flush=True)
                print()


def learn_alone(library, batch_size, n_passes, n_threads):
    """In a process of its own: seconds and held-out objective, as JSON."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, held_out = patches(10_000, 5_000, 12)
    start = X[np.random.default_rng(0).choice(len(X), 256, replace=False)]
    begun = time.perf_counter()
    if library == "SPAMS":
        n_iter = n_passes * len(X) // batch_size
        atoms = spams_atoms(X, start, n_iter, n_threads, batch_size)
    else:
        learner = DictionaryLearner(
            256, alpha=ALPHA, init=start, batch_size=batch_size, max_iter=n_passes, tol=0
        )
        atoms = learner.set_params(random_state=0, n_jobs=n_threads).fit(X).components_
    seconds = time.perf_counter() - begun
    coder = SparseCoder(np.ascontiguousarray(atoms), alpha=ALPHA).fit(held_out)
    print(json.dumps([seconds, -coder.score(held_out)]))


if __name__ == "__main__":
    main()
