"""Synthetic data whose distribution is known exactly."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_array, check_scalar


def make_bars_and_stripes(side):
    """Every distinct image that consists of whole bars or of whole stripes.

    The standard test of binary models. With the solid images counted once there are
    2^(side + 1) − 2 images, so that no model's mean log-likelihood of them can be above
    −log(2^(side + 1) − 2) nats: −2.6391 at side 3 and −3.4012 at side 4.

    Parameters
    ----------
    side : int
        Height and width of an image, from 2 to 12.

    Returns
    -------
    X : ndarray of shape (2 ** (side + 1) - 2, side ** 2), float64
        One flattened image of zeros and ones a row.

    References
    ----------
    D. J. C. MacKay, "Information Theory, Inference, and Learning Algorithms" (2003), chapter 43.

    Examples
    --------
    >>> from sklvm.datasets import make_bars_and_stripes
    >>> make_bars_and_stripes(2)
    array([[0., 0., 0., 0.],
           [0., 0., 1., 1.],
           [0., 1., 0., 1.],
           [1., 0., 1., 0.],
           [1., 1., 0., 0.],
           [1., 1., 1., 1.]])
    """
    check_scalar(side, "side", Integral, min_val=2, max_val=12)
    codes = np.arange(2**side)[:, np.newaxis] >> np.arange(side) & 1
    stripes = np.broadcast_to(codes[:, :, np.newaxis], (2**side, side, side))
    bars = stripes.swapaxes(1, 2)
    images = np.concatenate([stripes, bars]).reshape(-1, side * side)
    return np.unique(images, axis=0).astype(np.float64)


def make_laplace_mixture(n_samples, *, mixing=None, random_state=None):
    """Linear mixtures of independent Laplace sources, with their exact log-density.

    x = A s, where each source s_j has density ``exp(−√2 |s_j|) / √2``: mean 0 and variance 1. So
    ``log p(x) = −Σ_j √2 |(A⁻¹x)_j| − (d/2) log 2 − log |det A|``.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    mixing : array-like of shape (n_features, n_features) or None, default=None
        The invertible matrix A. None is a rotation of the plane by 30°, which leaves the data
        white.

    random_state : int, RandomState instance or None, default=None
        Draws the sources.

    Returns
    -------
    mixture : Bunch
        ``data``, ndarray of shape (n_samples, n_features); ``log_density``, ndarray of shape
        (n_samples,), the true log p(x) in nats; and ``mixing``.

    Examples
    --------
    >>> from sklvm.datasets import make_laplace_mixture
    >>> mixture = make_laplace_mixture(10_000, random_state=0)
    >>> mixture.data.shape
    (10000, 2)
    >>> print(f"{-mixture.log_density.mean():.1f} nats; the entropy is 2 + log 2 = 2.7")
    2.7 nats; the entropy is 2 + log 2 = 2.7
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    if mixing is None:
        cosine, sine = np.sqrt(0.75), 0.5
        mixing = [[cosine, -sine], [sine, cosine]]
    mixing = check_array(mixing, dtype=np.float64, input_name="mixing")
    if mixing.shape[0] != mixing.shape[1]:
        raise ValueError(f"mixing must be square, got shape {mixing.shape}")
    sign, log_abs_det = np.linalg.slogdet(mixing)
    if sign == 0:
        raise ValueError("mixing must be invertible, got a singular matrix")

    n_features = len(mixing)
    sources = check_random_state(random_state).laplace(
        scale=np.sqrt(0.5), size=(n_samples, n_features)
    )
    log_density = (
        -np.sqrt(2) * np.abs(sources).sum(axis=1) - n_features / 2 * np.log(2) - log_abs_det
    )
    return Bunch(data=sources @ mixing.T, log_density=log_density, mixing=mixing)
