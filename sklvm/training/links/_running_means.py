"""Running means of visible and hidden units over the data."""

__all__ = ["RunningMeans"]

# Share of a batch in the new mean.
RATE = 0.01

# The means of hidden units cost a product with W: a fifth of a step's work, if it were made for all
# rows of all batches. So only every tenth batch is looked at, and only 50 of its rows, and that
# batch has the share of ten.
STEPS_BETWEEN = 10
N_ROWS = 50

# Rows whose hidden units make the first mean.
N_STARTING_ROWS = 1000


class RunningMeans:
    """Running means of x and of E[z | x] over the data, never over draws from the model.

    Offsets taken from the model's means make training diverge (Melchior, Fischer & Wiskott, JMLR
    17, 2016, section 5).

    Parameters
    ----------
    energy : PositivePhase
    theta : ndarray
        The energy's parameters.
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)

    Attributes
    ----------
    blocks : tuple of ndarray
        The mean of the visible units, followed by that of each block of hidden units.
    """

    def __init__(self, energy, theta, X, weights):
        hidden = _hidden_means(energy, theta, X, weights, N_STARTING_ROWS)
        self.blocks = (_shares(weights) @ X, *hidden)

    def update(self, energy, theta, X, weights, n_steps):
        """Move towards the means of a batch, in place, after `n_steps` others."""
        visible, *hidden = self.blocks
        _move(visible, _shares(weights) @ X, RATE)
        if n_steps % STEPS_BETWEEN == 0:
            targets = _hidden_means(energy, theta, X, weights, N_ROWS)
            for mean, target in zip(hidden, targets, strict=True):
                _move(mean, target, STEPS_BETWEEN * RATE)


def _hidden_means(energy, theta, X, weights, n_rows):
    """The mean of each block of hidden units, over `n_rows` rows spread over X."""
    few = slice(None, None, -(-len(X) // n_rows))
    shares = _shares(weights[few])
    return [shares @ block for block in energy.infer(theta, X[few])[1:]]


def _move(mean, target, rate):
    mean += mean.dtype.type(rate) * (target - mean)


def _shares(weights):
    return weights / weights.sum()
