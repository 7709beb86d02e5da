"""Training and annealing of a restricted Boltzmann machine, beside its matrix products alone.

784 visible and 500 hidden binary units, float32, batches of 100 of 10,000 rows, 100 chains. One
epoch of PCD-1 is a whole ``fit``, start included: by the estimator's defaults (Adam, centred), and
by the rivals' algorithm (plain gradient descent, not centred). The data are binary with 13% ones,
as handwritten digits have, whose zeros sklvm skips; then grey levels, none of them zero. The
products are the five of a step, and the two of a temperature, made by BLAS into arrays that are
there already. Sides take turns, and medians count: what disturbs the machine disturbs all of them.
"""

import argparse
from functools import partial
from importlib.util import find_spec

import numpy as np
from _take_turns import take_turns
from scipy.sparse import csr_array
from sklearn.neural_network import BernoulliRBM as RivalRBM
from threadpoolctl import threadpool_limits

from sklvm import BernoulliRBM
from sklvm.kernels import effective_n_threads
from sklvm.optimizers import SGD
from sklvm.partition import AnnealedImportanceSampling, annealing_path, fit_reference

N_FEATURES, N_COMPONENTS, BATCH, N_CHAINS = 784, 500, 100, 100
LEARNING_RATE = 0.05
N_TEMPERATURES = 14_500


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, temperatures and rounds")
    parser.add_argument("--threads", type=int, nargs="+", help="default: 1, and all there are")
    arguments = parser.parse_args()
    n_rounds = 3 if arguments.quick else 9
    X = binary_strokes(1_000 if arguments.quick else 10_000)
    n_temperatures = N_TEMPERATURES // (100 if arguments.quick else 10)
    for n_threads in arguments.threads or sorted({1, effective_n_threads()}):
        with threadpool_limits(n_threads):
            report_epochs("binary data", X, n_rounds, n_threads)
            report_epochs("grey levels", 0.1 + 0.8 * X, n_rounds, n_threads)
            report_annealing(X, n_temperatures, 3)


def report_epochs(name, X, n_rounds, n_threads):
    n_steps, sparse = len(X) // BATCH, csr_array(X)
    sides = {
        "sklvm": lambda: fit(X),
        "sklvm, plain SGD": lambda: fit(X, optimizer=SGD(LEARNING_RATE), centered=False),
        "sklvm, CSR data": (lambda: fit(sparse)) if sparse.nnz < X.size else None,
        "scikit-learn": lambda: RivalRBM(
            N_COMPONENTS, learning_rate=LEARNING_RATE, batch_size=BATCH, n_iter=1, random_state=0
        ).fit(X),
        "torch": torch_epoch(X, n_threads) if find_spec("torch") else None,
        "five products": partial(repeat, products_of_a_step(), n_steps),
    }
    seconds = take_turns(sides, n_rounds)
    print(f"\none epoch of PCD-1, {name}, {len(X)} rows, {n_threads} threads, ", end="")
    print(f"medians of {n_rounds} rounds")
    print(f"{'':<20}{'seconds':>9}{'/ sklvm':>10}{'/ plain SGD':>13}{'/ products':>12}")
    for name, value in seconds.items():
        if value is None:
            if name == "torch":
                print(f"{name:<20}{'absent':>9}")
            continue
        print(f"{name:<20}{value:>9.3f}{value / seconds['sklvm']:>9.2f}x", end="")
        print(f"{value / seconds['sklvm, plain SGD']:>12.2f}x", end="")
        print(f"{value / seconds['five products']:>11.2f}x")


def report_annealing(X, n_temperatures, n_rounds):
    energy, theta = fit(X).fitted_energy_
    path = annealing_path(energy, theta, fit_reference(energy, X))
    budget = AnnealedImportanceSampling(n_temperatures, n_chains=N_CHAINS)
    sides = {
        "annealing": lambda: budget.estimate(path, np.random.default_rng(0)),
        "products": partial(repeat, products_of_a_temperature(), n_temperatures),
    }
    mine, bound = take_turns(sides, n_rounds).values()
    scale = N_TEMPERATURES / n_temperatures
    print(
        f"annealing of {N_CHAINS} chains, {n_temperatures} temperatures timed, pilot run included"
    )
    print(f"in proportion, {N_TEMPERATURES} take {scale * mine:.1f} s, ", end="")
    print(f"their products {scale * bound:.1f} s: {mine / bound:.2f}x")


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


# -- sides ----------------------------------------------------------------------------------------


def fit(X, **parameters):
    model = BernoulliRBM(N_COMPONENTS, max_iter=1, batch_size=BATCH, partition="none")
    return model.set_params(random_state=0, **parameters).fit(X)


def torch_epoch(X, n_threads):
    import torch

    torch.set_num_threads(n_threads)
    data = torch.from_numpy(X)

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


if __name__ == "__main__":
    main()
