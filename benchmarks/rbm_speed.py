"""Training and annealing of a restricted Boltzmann machine, beside its matrix products alone.

784 visible and 500 hidden binary units, float32, batches of 100 of 10,000 rows, 100 chains. One
epoch of PCD-1 is a whole ``fit``, start included: by the estimator's defaults (Adam, centred), and
by the rivals' algorithm (plain gradient descent, not centred). The data are binary with 13% ones,
as handwritten digits have, whose zeros sklvm skips; then grey levels, none of them zero. The
products are the five of a step, and the two of a temperature, made by BLAS into arrays that are
there already. Each side has a process of its own. Sides take turns, and medians count: what
disturbs the machine disturbs all of them. Then an epoch of ``GaussianRBM`` by its defaults beside
its products.
"""

import argparse
from functools import partial
from importlib.util import find_spec

import numpy as np
from _own_processes import serve, take_turns_apart
from scipy.sparse import csr_array
from sklearn.neural_network import BernoulliRBM as RivalRBM

from sklvm import BernoulliRBM, GaussianRBM
from sklvm.optimizers import SGD
from sklvm.partition import AnnealedImportanceSampling, annealing_path, fit_reference

N_FEATURES, N_COMPONENTS, BATCH, N_CHAINS = 784, 500, 100, 100
LEARNING_RATE = 0.05
N_TEMPERATURES = 14_500


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, temperatures and rounds")
    parser.add_argument("--threads", type=int, nargs="+", help="default: 1 and 2")
    parser.add_argument("--only", nargs="+", choices=[*DATA, "annealing"], help="parts to run")
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        side, data, n, n_threads = arguments.side
        serve(SIDES[side](data, int(n), int(n_threads)))
        return
    n_rounds = 3 if arguments.quick else 9
    n_rows = 500 if arguments.quick else 10_000
    n_temperatures = N_TEMPERATURES // (100 if arguments.quick else 10)
    parts = arguments.only or (["bits", "annealing"] if arguments.quick else [*DATA, "annealing"])
    for n_threads in arguments.threads or ([1] if arguments.quick else [1, 2]):
        for part in parts:
            if part == "annealing":
                report_annealing(n_temperatures, 3, n_threads)
            else:
                report_epochs(part, n_rows, n_rounds, n_threads)


def report_epochs(data, n_rows, n_rounds, n_threads):
    names = list(EPOCHS)
    if data == "gaussian":
        names = ["sklvm", "products"]
    elif data == "grey":
        names.remove("sklvm, CSR data")
    if find_spec("torch") is None and "torch" in names:
        print("torch is absent")
        names.remove("torch")
    sides = {name: ["--side", name, data, str(n_rows), str(n_threads)] for name in names}
    seconds = take_turns_apart(__file__, sides, n_rounds, n_threads=n_threads)
    plain = seconds.get("sklvm, plain SGD", seconds["sklvm"])
    print(f"\none epoch, {DATA[data]}, {n_rows} rows, threads: {n_threads}, ", end="")
    print(f"medians of {n_rounds} rounds")
    print(f"{'':<20}{'seconds':>9}{'/ sklvm':>10}{'/ plain SGD':>13}{'/ products':>12}")
    for name, value in seconds.items():
        print(f"{name:<20}{value:>9.3f}{value / seconds['sklvm']:>9.2f}x", end="")
        print(f"{value / plain:>12.2f}x{value / seconds['products']:>11.2f}x", flush=True)


def report_annealing(n_temperatures, n_rounds, n_threads):
    sides = {
        name: ["--side", name, "bits", str(n_temperatures), str(n_threads)]
        for name in ("annealing", "annealing, products")
    }
    seconds = take_turns_apart(__file__, sides, n_rounds, n_threads=n_threads)
    mine, bound = seconds.values()
    scale = N_TEMPERATURES / n_temperatures
    print(f"\nannealing of {N_CHAINS} chains, threads: {n_threads}, {n_temperatures} ", end="")
    print("temperatures timed, pilot run included")
    print(f"in proportion, {N_TEMPERATURES} take {scale * mine:.1f} s, ", end="")
    print(f"their products {scale * bound:.1f} s: {mine / bound:.2f}x", flush=True)


def repeat(work, n_times):
    for _ in range(n_times):
        work()


def binary_strokes(n_images):
    """Images of 28×28 with as much ink as digits have: where smooth noise is highest."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((n_images, 30, 30), dtype=np.float32)
    smooth = sum(noise[:, i : i + 28, j : j + 28] for i in range(3) for j in range(3))
    smooth = smooth.reshape(n_images, N_FEATURES)
    return (smooth > np.quantile(smooth, 0.87)).astype(np.float32)


def make_rows(data, n_rows):
    if data == "gaussian":
        rng = np.random.default_rng(0)
        return rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    X = binary_strokes(n_rows)
    return 0.1 + 0.8 * X if data == "grey" else X


# -- sides ----------------------------------------------------------------------------------------


def sklvm_epoch(data, n_rows, n_threads, *, sparse=False, **parameters):
    X = make_rows(data, n_rows)
    X = csr_array(X) if sparse else X
    return partial(fit, X, GaussianRBM if data == "gaussian" else BernoulliRBM, **parameters)


def fit(X, cls=BernoulliRBM, **parameters):
    model = cls(N_COMPONENTS, max_iter=1, batch_size=BATCH, partition="none")
    return model.set_params(random_state=0, **parameters).fit(X)


def rival_epoch(data, n_rows, n_threads):
    X = make_rows(data, n_rows)
    return lambda: RivalRBM(
        N_COMPONENTS, learning_rate=LEARNING_RATE, batch_size=BATCH, n_iter=1, random_state=0
    ).fit(X)


def epoch_of_products(data, n_rows, n_threads):
    return partial(repeat, products_of_a_step(), n_rows // BATCH)


def annealing(data, n_temperatures, n_threads):
    X = make_rows(data, 1_000)
    energy, theta = fit(X).fitted_energy_
    path = annealing_path(energy, theta, fit_reference(energy, X))
    budget = AnnealedImportanceSampling(n_temperatures, n_chains=N_CHAINS)
    return lambda: budget.estimate(path, np.random.default_rng(0))


def annealing_products(data, n_temperatures, n_threads):
    return partial(repeat, products_of_a_temperature(), n_temperatures)


def torch_epoch(data, n_rows, n_threads):
    import torch

    torch.set_num_threads(n_threads)
    data = torch.from_numpy(make_rows(data, n_rows))

    @torch.inference_mode()
    def epoch():
        torch.manual_seed(0)
        W = 0.01 * torch.randn(N_COMPONENTS, N_FEATURES)
        a, b = torch.zeros(N_FEATURES), torch.zeros(N_COMPONENTS)
        chains = torch.zeros(N_CHAINS, N_COMPONENTS)
        for rows in torch.randperm(len(data)).split(BATCH):
            batch = data[rows]
            hidden = torch.addmm(b, batch, W.T).sigmoid_()
            visible = draw(torch.addmm(a, chains, W).sigmoid_())
            model_hidden = torch.addmm(b, visible, W.T).sigmoid_()
            chains = draw(model_hidden)
            W.addmm_(hidden.T, batch, alpha=LEARNING_RATE / len(batch))
            W.addmm_(model_hidden.T, visible, alpha=-LEARNING_RATE / N_CHAINS)
            a.add_(batch.mean(0) - visible.mean(0), alpha=LEARNING_RATE)
            b.add_(hidden.mean(0) - model_hidden.mean(0), alpha=LEARNING_RATE)

    def draw(probabilities):
        return (torch.rand_like(probabilities) < probabilities).float()

    return epoch


def products_of_a_step():
    W, batch, chains, hidden, gradient = product_arrays()
    visible = np.empty_like(batch)

    def multiply():
        np.matmul(batch, W.T, out=hidden)
        np.matmul(chains, W, out=visible)
        np.matmul(visible, W.T, out=hidden)
        np.matmul(chains.T, batch, out=gradient)
        np.matmul(chains.T, visible, out=gradient)

    return multiply


def products_of_a_temperature():
    W, visible, hidden, inputs, _ = product_arrays()

    def multiply():
        np.matmul(hidden, W, out=visible)
        np.matmul(visible, W.T, out=inputs)

    return multiply


def product_arrays():
    """W, two binary layers, and room for hidden inputs and for a gradient."""
    rng = np.random.default_rng(0)
    W = 0.01 * rng.standard_normal((N_COMPONENTS, N_FEATURES), dtype=np.float32)
    visible = (rng.random((BATCH, N_FEATURES)) < 0.13).astype(np.float32)
    hidden = (rng.random((N_CHAINS, N_COMPONENTS)) < 0.3).astype(np.float32)
    return W, visible, hidden, np.empty_like(hidden), np.empty_like(W)


DATA = {"bits": "bits", "grey": "grey levels, none of them zero", "gaussian": "standard normal"}
EPOCHS = {
    "sklvm": sklvm_epoch,
    "sklvm, plain SGD": partial(sklvm_epoch, optimizer=SGD(LEARNING_RATE), centered=False),
    "sklvm, CSR data": partial(sklvm_epoch, sparse=True),
    "scikit-learn": rival_epoch,
    "torch": torch_epoch,
    "products": epoch_of_products,
}
SIDES = EPOCHS | {"annealing": annealing, "annealing, products": annealing_products}


if __name__ == "__main__":
    main()
