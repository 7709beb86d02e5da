"""Codes layer by layer, each of the codes below it."""

import numpy as np

from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._image_coding import encode_images
from sklvm.sparse_coding.dictionaries import OnMaps
from sklvm.sparse_coding.layered._layer_stack import geometry_of
from sklvm.sparse_coding.penalties import L1

__all__ = ["pursued_codes", "thresholded_codes"]


def thresholded_codes(chain, alphas, positive, X):
    """z_l = S_{α_l}(z_{l−1} D_lᵀ) on every layer.

    Parameters
    ----------
    chain : ComposedDictionary
    alphas : ndarray of shape (n_layers,)
    positive : bool
    X : ndarray of shape (n, n_features)

    Returns
    -------
    codes : list of ndarray
    """
    codes = []
    for layer, alpha in zip(chain.layers, alphas, strict=True):
        U = layer.correlate(codes[-1] if codes else X)
        codes.append(np.maximum(U - alpha, 0) if positive else U - np.clip(U, -alpha, alpha))
    return codes


def pursued_codes(chain, alphas, positive, X, *, tol, max_iter, n_threads=None):
    """z_l = argmin ½‖z_{l−1} − z D_l‖² + α_l ‖z‖₁ on every layer, each certified.

    Returns
    -------
    codes : list of ndarray
    results : list of CodeResults
    """
    codes, results, below = [], [], X
    for layer, alpha in zip(chain.layers, alphas, strict=True):
        coding = CodingOptions(
            L1(),
            float(alpha),
            positive,
            "auto",
            tol,
            max_iter,
            sparse_output=False,
            n_jobs=n_threads,
        )
        geometry = geometry_of(layer)
        if geometry is None:
            problem, solver = coding.problem(layer)
            found = encode_rows(
                problem, solver, below, None, tol=tol, max_iter=max_iter, sparse_output=False
            )
            below = found.codes
        else:
            is_on_maps = isinstance(layer, OnMaps)
            images = layer.images(below) if is_on_maps else below
            components = (layer.dictionary if is_on_maps else layer).components
            found = encode_images(components, geometry, coding, images, n_threads=n_threads)
            below = found.codes.toarray()
        codes.append(below)
        results.append(found)
    return codes, results
