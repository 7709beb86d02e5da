"""Latent variables that tell nothing of the rows."""

import numpy as np

from sklvm.diagnostics._diagnosis import Diagnosis

__all__ = ["collapsed_latents", "dead_units"]

# A hidden unit is dead whose probability is on one side of this, or of 1 minus this, in all rows;
# and more of them than this share is a problem.
DEAD_PROBABILITY, MAX_DEAD = 1e-3, 0.5
# Variance over the rows below which the mean of a latent variable does not depend on them (Burda,
# Grosse, Salakhutdinov, "Importance weighted autoencoders", 2016, section 4.2: "active units").
ACTIVE_VARIANCE = 0.01


def dead_units(probabilities):
    """The share of hidden units that are on in all rows, or off in all of them.

    Parameters
    ----------
    probabilities : ndarray of shape (n, K)
        p(z_k = 1 | x) of rows that the model was fitted to.
    """
    lowest, highest = probabilities.min(axis=0), probabilities.max(axis=0)
    dead = (highest < DEAD_PROBABILITY) | (lowest > 1 - DEAD_PROBABILITY)
    share = float(np.mean(dead))
    return Diagnosis.of(
        share,
        share > MAX_DEAD,
        f"{dead.sum()} of {len(dead)} hidden units are on in all rows or off in all rows. Use "
        "fewer n_components, a smaller learning rate, or a sparsity_target where there is one.",
    )


def collapsed_latents(means):
    """The share of latent variables whose posterior mean is the same in all rows.

    More latent variables than the data need are no problem, and stay at their prior. It is one if
    none is left.

    Parameters
    ----------
    means : ndarray of shape (n, K)
        Of rows that the model was fitted to.
    """
    share = float(np.mean(means.var(axis=0) < ACTIVE_VARIANCE))
    return Diagnosis.of(
        share,
        share == 1 and len(means) > 1,
        "The posterior of every latent variable is the same in all rows (posterior collapse): "
        "transform tells nothing of them. Raise max_iter, or use a smaller beta or a warm-up.",
    )
