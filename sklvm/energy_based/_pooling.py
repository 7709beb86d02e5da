"""Which filters a covariance unit pools: where that starts, and the set in which it stays."""

import numpy as np

__all__ = ["project_pooling", "resolve_pooling"]

# Of a row's sum, what goes to all filters alike where all may be pooled.
EVEN_SHARE = 0.1


def resolve_pooling(pooling, n_units, n_factors):
    """The P of shape (n_units, F) where learning starts, its rows of sum 1; None is the identity.

    Raises
    ------
    ValueError
        For another number of factors than `pooling` has, and for an array of another shape, with
        entries that are negative or not finite, or with a row of zeros.
    """
    if pooling is None:
        if n_factors not in (None, n_units):
            raise ValueError(
                f"n_factors={n_factors} filters for {n_units} covariance units: pooling=None gives "
                f"each unit one filter of its own. Use pooling='full', or n_factors={n_units}."
            )
        return None
    if isinstance(pooling, str):
        return _neighbouring(n_units, n_units if n_factors is None else n_factors)
    P = np.asarray(pooling, dtype=np.float64)
    n_factors = P.shape[-1] if n_factors is None and P.ndim else n_factors
    if P.shape != (n_units, n_factors):
        raise ValueError(
            f"pooling must have the shape (n_covariance_components, n_factors) = ({n_units}, "
            f"{n_factors}), got {P.shape}."
        )
    if not np.all(np.isfinite(P)) or P.min() < 0 or not np.all(P.sum(axis=1) > 0):
        raise ValueError(
            "pooling must hold finite numbers of at least 0, with no row of zeros, got values from "
            f"{P.min():g} to {P.max():g}."
        )
    return P / P.sum(axis=1, keepdims=True)


def _neighbouring(n_units, n_factors):
    """Unit n pools the filters next to n/N on a line, and all others a little."""
    share = np.zeros((n_units, n_factors))
    places = np.arange(max(n_units, n_factors))
    size = len(places)
    np.add.at(share, (places * n_units // size, places * n_factors // size), 1.0)
    share /= share.sum(axis=1, keepdims=True)
    return (1 - EVEN_SHARE) * share + EVEN_SHARE / n_factors


def project_pooling(views, start, equal_norms):
    """Move P and C, in place, to the nearest ones that are allowed.

    Rows of P are non-negative, of sum 1, and 0 where `start` is 0. With `equal_norms`, rows of C
    have one norm: the nearest such C has the mean of its norms.
    """
    if start is not None:
        views["pooling"][...] = _nearest_shares(views["pooling"], start > 0)
    if equal_norms:
        C = views["factors"]
        norms = np.sqrt(np.einsum("fj,fj->f", C, C))
        C *= (norms.mean() / np.maximum(norms, np.finfo(C.dtype).tiny))[:, np.newaxis]


def _nearest_shares(P, allowed):
    """The nearest rows of non-negative entries of sum 1 which are 0 outside of a mask.

    Row by row max(p − τ, 0), with the τ for which the sum is 1 (Held, Wolfe and Crowder,
    "Validation of subgradient optimization", 1974).
    """
    masked = np.where(allowed, P.astype(np.float64), -np.inf)
    ordered = -np.sort(-masked, axis=1)
    finite = np.where(np.isfinite(ordered), ordered, 0.0)
    counts = np.arange(1, P.shape[1] + 1)
    thresholds = (finite.cumsum(axis=1) - 1) / counts
    n_positive = np.sum(ordered > thresholds, axis=1)
    threshold = np.take_along_axis(thresholds, n_positive[:, np.newaxis] - 1, axis=1)
    return np.maximum(masked - threshold, 0.0)
