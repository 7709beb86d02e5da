"""Sweeps over coupled binary units, one thread: CPU nanoseconds a unit and chain.

Dense: 784 units, 100 chains, single precision, at couplings that make 50%, 18% or 4% of the units
change in a sweep; beside numpy with one product a unit for all chains, and with rank-one updates
of the inputs where units change. Sparse: a lattice of 64 × 64 units with couplings of their own, 64
chains, beside thrml (--rivals names the Python that has it) in a process of its own. Recall: 1,000
probes of a Hopfield network of 1,000 units and 100 patterns, to a fixed point, beside numpy. Step:
one of PCD on a fully visible machine of 784 units, beside its matrix products and kernel passes.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np
from _take_turns import take_turns
from threadpoolctl import threadpool_limits

from sklvm import HopfieldNetwork
from sklvm.energies import BoltzmannMachineEnergy
from sklvm.graphs import grid_graph
from sklvm.kernels import sweep_sites, sweep_sparse_sites, uniform
from sklvm.objectives import PersistentContrastiveDivergence
from sklvm.optimizers import SGD
from sklvm.training import Training

# Of random couplings at which 50%, 18% and 4% of 784 units change in a sweep.
SCALES = (0.0, 0.17, 0.43)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small problems: a smoke test")
    parser.add_argument("--rivals", default=sys.executable, help="Python with thrml")
    parser.add_argument("--only", choices=["dense", "sparse", "recall", "step"])
    arguments = parser.parse_args()
    with threadpool_limits(1):
        for part in (dense, sparse, recall, step):
            if arguments.only in (None, part.__name__):
                part(arguments.quick, arguments.rivals)


# -- dense ----------------------------------------------------------------------------------------


def dense(is_quick, _):
    n, d = (20, 100) if is_quick else (100, 784)
    rng = np.random.default_rng(0)
    print(f"Dense, {d} units, {n} chains: ns a unit (times sklvm's)")
    for scale in SCALES:
        J = np.triu(scale * rng.standard_normal((d, d)), 1).astype(np.float32)
        J += J.T
        X = (rng.random((n, d)) < 0.5).astype(np.float32)
        share, times = dense_at(J, -0.5 * J.sum(axis=1), X, 3 if is_quick else 7)
        own = times["sklvm"]
        cells = [f"{k} {1e9 * t / n / d:.1f} ({t / own:.1f}x)" for k, t in times.items()]
        print(f"  {share:.0%} change: " + ", ".join(cells), flush=True)


def dense_at(J, bias, X, n_rounds):
    """The share of units that change in a sweep, and seconds of a sweep by each way."""
    U, changes = X @ J, []
    for sweep in range(60):
        before = X.copy()
        sweep_sites(X, U, J, bias, 0, sweep=sweep)
        changes.append(np.mean(X != before))
    count = iter(range(100, 10**6))
    sides = {
        "sklvm": lambda: sweep_sites(X, U, J, bias, 0, sweep=next(count)),
        "numpy, product": lambda: by_products(X.copy(), J, bias, next(count)),
        "numpy, rank one": lambda: by_updates(X.copy(), U.copy(), J, bias, next(count)),
    }
    return np.mean(changes[20:]), take_turns(sides, n_rounds, n_warm_up=1, clock=time.process_time)


def by_products(X, J, bias, sweep):
    draws = uniform(X.shape, 0, sweep=sweep, dtype=np.float32)
    logits = np.log(draws) - np.log1p(-draws) - bias
    for j in range(X.shape[1]):
        X[:, j] = X @ J[j] > logits[:, j]


def by_updates(X, U, J, bias, sweep):
    draws = uniform(X.shape, 0, sweep=sweep, dtype=np.float32)
    logits = np.log(draws) - np.log1p(-draws) - bias
    for j in range(X.shape[1]):
        new = U[:, j] > logits[:, j]
        changed = np.flatnonzero(new != X[:, j])
        U[changed] += np.where(new[changed], 1, -1).astype(np.float32)[:, np.newaxis] * J[j]
        X[:, j] = new


# -- sparse ---------------------------------------------------------------------------------------


def sparse(is_quick, rivals):
    side, n = (16, 16) if is_quick else (64, 64)
    rng = np.random.default_rng(0)
    graph = grid_graph((side, side))
    weights = rng.standard_normal(graph.n_edges).astype(np.float32)
    X = (rng.random((n, side * side)) < 0.5).astype(np.float32)
    bias, count = np.zeros(side * side, dtype=np.float32), iter(range(10**6))

    def work():
        for _ in range(10):
            sweep_sparse_sites(X, graph, weights, bias, 0, sweep=next(count))

    own = (
        take_turns({"sklvm": work}, 3 if is_quick else 15, n_warm_up=1, clock=time.process_time)[
            "sklvm"
        ]
        / 10
        / X.size
    )
    other = of_thrml(side, n, rivals)
    cell = "absent" if other is None else f"{1e9 * other:.1f} ({other / own:.1f}x)"
    print(f"Sparse, {side} x {side} units, {n} chains: sklvm {1e9 * own:.2f} ns, thrml {cell}")


THRML = """
import json, sys, time
import jax, jax.numpy as jnp, numpy as np
from thrml import Block, SamplingSchedule, SpinNode, sample_states
from thrml.models import IsingEBM, IsingSamplingProgram, hinton_init
side, n, n_sweeps = map(int, sys.argv[1:])
nodes = [SpinNode() for _ in range(side * side)]
at = np.arange(side * side).reshape(side, side)
edges = [(nodes[a], nodes[b]) for a, b in [*zip(at[:, :-1].ravel(), at[:, 1:].ravel()),
                                           *zip(at[:-1].ravel(), at[1:].ravel())]]
rng = np.random.default_rng(0)
model = IsingEBM(nodes, edges, jnp.zeros(side * side), jnp.array(rng.standard_normal(len(edges))),
                 jnp.array(1.0))
colour = np.indices((side, side)).sum(axis=0) % 2
blocks = [Block([nodes[i] for i in at[colour == c]]) for c in (0, 1)]
program = IsingSamplingProgram(model, blocks, clamped_blocks=[])
schedule = SamplingSchedule(n_warmup=n_sweeps, n_samples=1, steps_per_sample=1)
start = hinton_init(jax.random.key(0), model, blocks, (n,))
run = jax.jit(jax.vmap(lambda k, s: sample_states(k, program, schedule, s, [], blocks)))
keys = jax.random.split(jax.random.key(1), n)
jax.block_until_ready(run(keys, start))
times = []
for _ in range(5):
    began = time.process_time()
    jax.block_until_ready(run(keys, start))
    times.append(time.process_time() - began)
print(json.dumps(sorted(times)[2] / n_sweeps / n / side**2))
"""


def of_thrml(side, n, rivals):
    """Seconds a unit and chain, or None."""
    environment = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "OMP_NUM_THREADS": "1"}
    command = ["taskset", "-c", "0", rivals, "-c", THRML, str(side), str(n), "50"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout) if done.returncode == 0 else None


# -- recall ---------------------------------------------------------------------------------------


def recall(is_quick, _):
    d, n_patterns, n = (200, 20, 50) if is_quick else (1000, 100, 1000)
    rng = np.random.default_rng(0)
    patterns = np.where(rng.random((n_patterns, d)) < 0.5, 1, -1).astype(np.float32)
    network = HopfieldNetwork(states="spin").fit(patterns)
    J = np.rint(network.coupling_ * d)
    print(f"Recall, {d} units, {n_patterns} patterns, {n} probes: probes a second")
    for share in (0.1, 0.25):
        probes = patterns[rng.integers(n_patterns, size=n)]
        probes = np.where(rng.random(probes.shape) < share, -probes, probes)
        sides = {
            "sklvm": lambda probes=probes: network.recall(probes),
            "numpy": lambda probes=probes: numpy_recall(probes.copy(), J),
        }
        np.testing.assert_array_equal(sides["sklvm"](), sides["numpy"]())
        times = take_turns(sides, 3, clock=time.process_time)
        own, other = times["sklvm"], times["numpy"]
        print(
            f"  {share:.0%} wrong: sklvm {n / own:.0f}, numpy {n / other:.0f} ({other / own:.1f}x)"
        )


def numpy_recall(S, J):
    """Unit after unit for all probes, inputs brought up to date where a spin changes."""
    U, moving = S @ J, np.arange(len(S))
    while len(moving):
        before = S[moving].copy()
        for j in range(S.shape[1]):
            wrong = moving[S[moving, j] * U[moving, j] < 0]
            S[wrong, j] *= -1
            U[wrong] += (2 * S[wrong, j])[:, np.newaxis] * J[j]
        moving = moving[np.any(S[moving] != before, axis=1)]
    return S


# -- a step of training ---------------------------------------------------------------------------


def step(is_quick, _):
    d, n = (100, 100) if is_quick else (784, 100)
    rng = np.random.default_rng(0)
    X = (rng.random((5 * n, d)) < 0.13).astype(np.float32)
    weights = np.ones(len(X), dtype=np.float32)
    energy = BoltzmannMachineEnergy(d)
    objective = PersistentContrastiveDivergence(n_chains=n)
    training = Training(energy, objective, SGD(0.001), X, weights, rng)
    batch, ones, count = X[:n], weights[:n], iter(range(10**6))
    J, bias = np.zeros((d, d), dtype=np.float32), np.full(d, -1.9, dtype=np.float32)
    chains, both = X[n : 2 * n].copy(), X[: 2 * n]

    def parts():
        inputs = chains @ J
        sweep_sites(chains, inputs, J, bias, 0, sweep=next(count))
        both.T @ both

    def steps():
        training.step(batch, ones)

    times = take_turns(
        {"step": steps, "parts": parts}, 5 if is_quick else 25, n_warm_up=3, clock=time.process_time
    )
    ratio = times["step"] / times["parts"]
    print(
        f"PCD step, {d} units, batch and chains {n}: {1e3 * times['step']:.2f} ms, its products "
        f"and sweep {1e3 * times['parts']:.2f} ms ({ratio:.2f}x)"
    )


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{time.perf_counter() - start:.0f} s")
