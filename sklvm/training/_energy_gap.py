"""Whether a model gives its training rows a higher density than other rows of their kind."""

__all__ = ["EnergyGap"]


class EnergyGap:
    """Mean energy of held-out rows minus that of as many training rows, in nats.

    log Z cancels, so that this is the difference of their mean log-densities even where log Z is
    unknown. It stays near 0 while the model does not overfit, and grows when it does (Hinton, "A
    practical guide to training restricted Boltzmann machines", 2010, section 6).

    Parameters
    ----------
    X : ndarray or CSR array of shape (n, d)
    weights : ndarray of shape (n,)
    rows, held_out : ndarray of int
        The training rows, of which as many are drawn as are held out, and the held-out rows.
    batch_size : int
    rng : Generator
    """

    def __init__(self, X, weights, rows, held_out, batch_size, rng):
        some = rng.choice(rows, min(len(rows), len(held_out)), replace=False)
        self._training_part, self._held_out_part = (
            (X[part], weights[part], batch_size) for part in (some, held_out)
        )

    def measure(self, training):
        """The gap at the parameters that training has reached."""
        return training.mean_energy(*self._held_out_part) - training.mean_energy(
            *self._training_part
        )
