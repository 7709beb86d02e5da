"""Random fields: denoising, label sequences, log Z, sweeps of a lattice, segmentation.

Denoising: scikit-image's horse, 328 × 400, pixels flipped with probability p, an Ising field of
coupling J (in spins) given h = ½ log((1 − p)/p) y; wrong pixels in percent, and CPU seconds beside
those of the same iterations in numpy. "learned" has its weights from the horse upside down with
other noise. Chains: 1,600 sequences of 20 rows, 10 labels, 2,000 binary features, 50 iterations of
L-BFGS, beside CRFsuite. log Z: Ising lattices by summing sites out, and the bounds. Lattice: sweeps
of 512² spins. Segmentation: three textures, held-out error of pixels and of the field.

CRFsuite runs in a process of its own; --rivals names the Python that has python-crfsuite.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from sklvm import ChainConditionalRandomField, GridConditionalRandomField
from sklvm.graphs import grid_graph
from sklvm.kernels import ising_sweep, uniform
from sklvm.random_fields.inference import (
    BeliefPropagation,
    Exact,
    GibbsSampling,
    GraphCut,
    IteratedConditionalModes,
    MeanField,
    PairwiseModel,
)

SPINS = np.array([-1.0, 1.0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small problems: a smoke test")
    parser.add_argument("--rivals", default=sys.executable, help="Python with python-crfsuite")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        denoising(arguments.quick)
        learned_denoising(arguments.quick)
        chains(arguments.quick, arguments.rivals)
        partition_functions(3 if arguments.quick else 100)
        lattice_sweeps(128 if arguments.quick else 512)
        segmentation(arguments.quick)


def seconds(run, n_rounds=3):
    """The result, and the least CPU seconds."""
    best = np.inf
    for _ in range(n_rounds):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
    return result, best


# -- denoising ------------------------------------------------------------------------------------


def horse(is_quick):
    from skimage import data

    image = (~data.horse()).astype(int)
    return image[::4, ::4] if is_quick else image


def flipped(image, p, seed=0):
    return np.where(np.random.default_rng(seed).random(image.shape) < p, 1 - image, image)


def denoising(is_quick):
    clean = horse(is_quick)
    graph = grid_graph(clean.shape)
    print(f"Denoising, {clean.shape[0]} x {clean.shape[1]}: wrong pixels % (CPU s; numpy / sklvm)")
    for p, J in ((0.1, 0.6), (0.2, 0.6), (0.2, 1.0)):
        h = 0.5 * np.log((1 - p) / p) * (2 * flipped(clean, p) - 1)
        model = PairwiseModel(-h.reshape(-1, 1) * SPINS, graph, -J * np.outer(SPINS, SPINS))
        methods = {
            "icm": IteratedConditionalModes().labels,
            "mean field": lambda m: MeanField(tol=1e-3).marginals(m).sites.argmax(1),
            "belief prop.": lambda m: BeliefPropagation(tol=1e-2).marginals(m).sites.argmax(1),
            "cut": GraphCut().labels,
            "Gibbs, 300": lambda m: GibbsSampling(300, 20).marginals(m, 0).sites.argmax(1),
        }
        in_numpy = {
            "mean field": lambda h=h, J=J: numpy_mean_field(h, J, 1e-3),
            "belief prop.": lambda h=h, J=J: numpy_belief_propagation(h, J, 1e-2),
        }
        cells = []
        for name, method in methods.items():
            labels, own = seconds(lambda method=method, model=model: method(model))
            error = 100 * np.mean(labels != clean.ravel())
            text = f"{name} {error:.2f} ({own:.3f}"
            if name in in_numpy:
                labels, other = seconds(in_numpy[name])
                text += f"; {other / own:.1f}x, {100 * np.mean(labels != clean):.2f}"
            cells.append(text + ")")
        print(f"  p={p} J={J}: " + ", ".join(cells), flush=True)


def learned_denoising(is_quick):
    clean = horse(is_quick)
    row = {"dtype": float}
    X, y = flipped(clean, 0.2, 1)[::-1].reshape(1, -1).astype(**row), clean[::-1].reshape(1, -1)
    test = flipped(clean, 0.2).reshape(1, -1).astype(**row)
    for objective, options in (
        ("mle", {"max_iter": 15}),
        ("pseudo_likelihood", {}),
        ("pcd", {"max_iter": 30 if is_quick else 100, "random_state": 0}),
    ):
        model = GridConditionalRandomField(clean.shape, objective=objective, **options)
        _, fit_seconds = seconds(lambda model=model: model.fit(X, y), 1)
        errors = [
            100 * np.mean(model.predict(test, decision=d, inference=i) != clean.reshape(1, -1))
            for d, i in (("energy", "graph_cut"), ("marginal", "belief_propagation"))
        ]
        print(
            f"  learned by {objective}: J = {model.coupling_[0] / 2:.2f}, cut {errors[0]:.2f}, "
            f"marginals {errors[1]:.2f} ({fit_seconds:.1f} s)",
            flush=True,
        )


def numpy_mean_field(h, J, tol):
    """One colour at a time; labels."""
    m = np.tanh(h)
    colours = np.indices(h.shape).sum(axis=0) % 2
    padded = np.zeros((h.shape[0] + 2, h.shape[1] + 2))
    while True:
        change = 0.0
        for colour in (0, 1):
            padded[1:-1, 1:-1] = m
            around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
            new = np.where(colours == colour, np.tanh(h + J * around), m)
            change = max(change, np.abs(new - m).max())
            m = new
        if change < tol:
            return (m > 0).astype(int)


def numpy_belief_propagation(h, J, tol):
    """All messages at once, u = atanh(tanh J tanh(h + sum of the others)); labels."""
    t = np.tanh(J)
    up, down, left, right = (np.zeros_like(h) for _ in range(4))  # what comes in from there
    while True:
        total = h + up + down + left + right
        send = {
            name: np.arctanh(t * np.tanh(total - back))
            for name, back in (("up", up), ("down", down), ("left", left), ("right", right))
        }
        new_up, new_down, new_left, new_right = (np.zeros_like(h) for _ in range(4))
        new_up[1:], new_down[:-1] = send["down"][:-1], send["up"][1:]
        new_left[:, 1:], new_right[:, :-1] = send["right"][:, :-1], send["left"][:, 1:]
        pairs = ((up, new_up), (down, new_down), (left, new_left), (right, new_right))
        change = max(np.abs(a - b).max() for a, b in pairs)
        up, down, left, right = new_up, new_down, new_left, new_right
        if change < tol:
            return (h + up + down + left + right > 0).astype(int)


# -- chains ---------------------------------------------------------------------------------------

CRFSUITE = """
import json, sys, time
import pycrfsuite
problem = json.load(sys.stdin)
trainer = pycrfsuite.Trainer(verbose=False)
for features, labels in problem["sequences"]:
    trainer.append([[str(j) for j in row] for row in features], [str(label) for label in labels])
trainer.set_params({"c1": 0, "c2": 0.5, "max_iterations": problem["max_iter"], "epsilon": 1e-12,
                    "delta": 1e-14, "feature.possible_transitions": True,
                    "feature.possible_states": True})
start = time.process_time()
trainer.train("/dev/null")
last = trainer.logparser.last_iteration
print(json.dumps([time.process_time() - start, last["loss"], last["num"]]))
"""


def chains(is_quick, python):
    n, T, n_labels, d = (100, 20, 10, 2000) if is_quick else (1600, 20, 10, 2000)
    rng = np.random.default_rng(0)
    y = rng.integers(n_labels, size=(n, T))
    for t in range(1, T):
        follows = rng.random(n) < 0.5
        y[follows, t] = (y[follows, t - 1] + 1) % n_labels
    own = y.reshape(-1, 1) * (d // n_labels) + rng.integers(d // n_labels, size=(n * T, 5))
    columns = np.where(rng.random((n * T, 5)) < 0.5, own, rng.integers(d, size=(n * T, 5)))
    rows = np.repeat(np.arange(n * T), 5)
    X = csr_array((np.ones(5 * n * T), (rows, columns.ravel())), shape=(n * T, d))
    X.data[:] = 1
    groups = np.repeat(np.arange(n), T)
    for max_iter in (50, 1000):
        model = ChainConditionalRandomField(fit_intercept=False, max_iter=max_iter, tol=1e-9)
        _, own_seconds = seconds(
            lambda model=model: model.fit(X, y.ravel(), groups=groups), 3 if max_iter == 50 else 1
        )
        loss = n * model.history_["objective"][-1]
        text = f"  sklvm {own_seconds:.2f} s, loss {loss:.8f}, {model.n_iter_} iterations"
        other = run_crfsuite(python, X, y, max_iter)
        if isinstance(other, str):
            text += f"; CRFsuite absent ({other})"
        else:
            text += f"; CRFsuite {other[0]:.2f} s, loss {other[1]:.8f}, {other[2]} iterations"
            text += f": {other[0] / own_seconds:.1f}x"
        if max_iter == 50:
            print(f"Chains, {n} x {T}, {n_labels} labels, {d} features")
        print(text, flush=True)


def run_crfsuite(python, X, y, max_iter):
    indices = np.split(X.indices, X.indptr[1:-1])
    T = y.shape[1]
    sequences = [
        ([row.tolist() for row in indices[i * T : (i + 1) * T]], labels.tolist())
        for i, labels in enumerate(y)
    ]
    problem = json.dumps({"sequences": sequences, "max_iter": max_iter})
    result = subprocess.run(
        [python, "-c", CRFSUITE], input=problem, capture_output=True, text=True, check=False
    )
    if result.returncode:
        return result.stderr.strip().splitlines()[-1]
    return json.loads(result.stdout)


# -- log Z ----------------------------------------------------------------------------------------


def partition_functions(n_grids):
    known = {
        (4, 4, 0.4, 0.0): 13.186573, (4, 4, 0.4, 0.1): 13.557199, (3, 5, 0.7, -0.2): 18.745244,
        (8, 8, 0.4, 0.0): 54.443626, (14, 14, 0.4, 0.0): 169.088522,
        (10, 10, 0.44068679, 0.0): 89.692348,
    }  # fmt: skip
    print("log Z of Ising lattices with free borders")
    for (height, width, J, h), value in known.items():
        unary = np.tile(-h * SPINS, (height * width, 1))
        model = PairwiseModel(unary, grid_graph((height, width)), -J * np.outer(SPINS, SPINS))
        marginals, cpu = seconds(lambda model=model: Exact().marginals(model), 1)
        error = marginals.log_partition - value
        print(
            f"  {height}x{width} J={J} h={h}: {marginals.log_partition:.6f}, {error:+.1e} "
            f"({cpu:.3f} s)"
        )
    rng = np.random.default_rng(0)
    n_right = 0
    for _ in range(n_grids):
        graph = grid_graph((4, 4), int(rng.choice([4, 8])))
        tables = rng.standard_normal((graph.n_edges, 2, 2))
        model = PairwiseModel(rng.standard_normal((16, 2)), graph, tables)
        exact = Exact().marginals(model).log_partition
        lower = MeanField().marginals(model).log_partition
        upper = BeliefPropagation(True, damping=0.5, tol=1e-8, max_iter=5000).marginals(model)
        n_right += lower <= exact + 1e-9 and upper.log_partition >= exact - 1e-6
    print(f"  mean field <= log Z <= tree-reweighted on {n_right} of {n_grids} random grids")


# -- lattice --------------------------------------------------------------------------------------


def lattice_sweeps(side, J=0.44, n_sweeps=20):
    bits = np.ones((1, side, side), dtype=np.uint8)

    def ours():
        for sweep in range(n_sweeps):
            ising_sweep(bits, 2 * J, 0.0, 0, sweep, n_threads=1)

    graph = grid_graph((side, side))
    model = PairwiseModel(np.zeros((side**2, 2)), graph, -J * np.outer(SPINS, SPINS))
    sweeps = model.sweeps(1)
    labels = np.zeros(side**2, dtype=np.int32)

    def on_any_graph():
        for sweep in range(n_sweeps):
            sweeps.gibbs(1.0, uniform((1, side**2), 0, sweep=sweep)[0], labels, None)

    rng = np.random.default_rng(0)
    s = np.ones((side + 2, side + 2), dtype=np.int8)
    p = 1 / (1 + np.exp(-2 * J * np.arange(-4, 5))).astype(np.float32)

    def in_numpy():
        """Packed colours: the rows of one colour as a strided view, probabilities from a table."""
        for _ in range(n_sweeps):
            for a, b in ((0, 0), (1, 1), (0, 1), (1, 0)):
                site = s[1 + a : -1 : 2, 1 + b : -1 : 2]
                n_rows, n_columns = site.shape
                around = s[a : a + 2 * n_rows : 2, 1 + b : -1 : 2] + s[2 + a :: 2, 1 + b : -1 : 2]
                around = around + s[1 + a : -1 : 2, b : b + 2 * n_columns : 2]
                around = around + s[1 + a : -1 : 2, 2 + b :: 2]
                draws = rng.random(around.shape, dtype=np.float32)
                site[...] = np.where(draws < p[around + 4], 1, -1)

    own, general, other = (
        1e3 * seconds(run)[1] / n_sweeps for run in (ours, on_any_graph, in_numpy)
    )
    print(
        f"Lattice of {side}^2 spins, ms a sweep: sklvm {own:.3f}, on any graph {general:.2f}, ",
        end="",
    )
    print(f"numpy with packed colours {other:.2f}: {other / own:.1f}x", flush=True)


# -- segmentation ---------------------------------------------------------------------------------


def textures(n_images, side, seed):
    """Images of three textures in regions of random shape; noisy grey levels and their variance."""
    rng = np.random.default_rng(seed)
    images, labels = [], []
    for _ in range(n_images):
        fields = [gaussian_filter(rng.standard_normal((side, side)), 6) for _ in range(3)]
        label = np.argmax(fields, axis=0)
        fine = rng.standard_normal((side, side))
        coarse = gaussian_filter(fine, 1.0) * 3.5
        grey = np.choose(label, [fine, coarse, 0.5 + 0.8 * fine])
        local = [gaussian_filter(grey, 1.5), np.sqrt(gaussian_filter(grey**2, 1.5))]
        step = np.hypot(*np.gradient(grey))
        images.append(np.stack([grey, *local, gaussian_filter(step, 1.5)], axis=2).ravel())
        labels.append(label.ravel())
    return np.array(images), np.array(labels)


def segmentation(is_quick):
    side, n = (24, 6) if is_quick else (64, 12)
    X, y = textures(n, side, 0)
    X_test, y_test = textures(n, side, 1)
    pixels = LogisticRegression(max_iter=1000).fit(X.reshape(-1, 4), y.ravel())
    alone = 1 - pixels.score(X_test.reshape(-1, 4), y_test.ravel())
    print(f"Segmentation, 3 textures, {side} x {side}: pixel by pixel {100 * alone:.1f}% wrong")
    for objective in ("mle", "pseudo_likelihood"):
        model = GridConditionalRandomField((side, side), objective=objective, max_iter=25)
        _, cpu = seconds(lambda model=model: model.fit(X, y), 1)
        by = {
            d: 100 * (1 - np.mean(model.predict(X_test, decision=d) == y_test)) for d in DECISIONS
        }
        text = ", ".join(f"{name} {error:.1f}%" for name, error in by.items())
        print(f"  field by {objective}: {text} ({cpu:.1f} s)", flush=True)


DECISIONS = ("energy", "marginal")

if __name__ == "__main__":
    main()
