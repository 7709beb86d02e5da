"""Stacks of hidden layers: which one is asked for, and whether they live."""

from numbers import Integral

from sklvm._compat import Interval, StrOptions
from sklvm.networks import check_layer_sizes

__all__ = [
    "DEAD_SPREAD",
    "OUTPUT_LAYER",
    "STEPS_TO_LIVE",
    "check_output_layer",
    "check_stack",
    "layer_spreads",
]

# A layer whose means vary less over the data, after so many steps of training, is dead.
DEAD_SPREAD, STEPS_TO_LIVE = 0.01, 500

# What ``output_layer`` may be.
OUTPUT_LAYER = [StrOptions({"last", "all"}), Interval(Integral, 1, None, closed="left")]


def check_stack(sizes):
    """The widths of at least one layer as a tuple; raises a ``ValueError`` for anything else."""
    if len(sizes) == 0:
        raise ValueError("hidden_layer_sizes must hold the size of at least one layer, got ().")
    return check_layer_sizes(sizes, "hidden_layer_sizes")


def check_output_layer(output_layer, n_layers):
    """Raise a ``ValueError`` where there is no such layer."""
    if not isinstance(output_layer, str) and output_layer > n_layers:
        raise ValueError(
            f"output_layer must be 'last', 'all' or at most {n_layers}, the number of hidden "
            f"layers, got {output_layer}."
        )


def layer_spreads(layers):
    """The standard deviation over the rows of each layer's units, averaged over these, by name."""
    return {
        f"spread_{number}": float(means.std(axis=0, dtype=float).mean())
        for number, means in enumerate(layers, start=1)
    }
