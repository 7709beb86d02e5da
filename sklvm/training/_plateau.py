"""Whether a criterion has come to a plateau."""

import numpy as np

__all__ = ["Plateau", "recent_gain"]

# The criterion is at rest where the last third of the epochs gained less than this share of what
# all of them did.
MIN_SHARE = 0.02


def recent_gain(values):
    """What the last third of the epochs gained, its standard error, and what all have gained.

    The mean of the last third is compared with that of the third before it. Means are smooth even
    where random batches make single values noisy, and windows that grow with the fit suit slow and
    fast learning alike.

    Parameters
    ----------
    values : array-like of shape (n_epochs,)
        A criterion that is minimised; 3 or more.

    Returns
    -------
    gain, noise, total : float
        In the units of the criterion.
    """
    values = np.asarray(values, dtype=np.float64)
    third = len(values) // 3
    before, last = values[-2 * third : -third], values[-third:]
    gain = before.mean() - last.mean()
    # Differences of neighbours know the noise, whatever the trend is.
    noise = np.sqrt(np.mean(np.diff(values[-2 * third :]) ** 2) / third) if third > 1 else 0.0
    return float(gain), float(noise), float(values[0] - last.mean())


class Plateau:
    """Watches the records of a fit for a criterion that falls no more.

    Parameters
    ----------
    min_epochs : int
        Epochs before which nothing is said: learning may begin slowly.
    """

    def __init__(self, min_epochs):
        self._min_epochs = max(6, min_epochs)

    def is_reached(self, records):
        """Whether the criterion of the records, held-out where there is one, is at rest."""
        if len(records) < self._min_epochs:
            return False
        name = "validation_objective" if "validation_objective" in records[-1] else "objective"
        values = [record[name] for record in records if name in record]
        if len(values) < len(records):
            return False
        gain, _, total = recent_gain(values)
        return gain <= max(0.0, MIN_SHARE * total)
