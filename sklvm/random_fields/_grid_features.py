"""Features of the pixels of images and of the edges between them."""

import numpy as np

from sklvm.graphs import grid_graph

__all__ = ["contrast_scale", "edge_features", "site_features"]


def site_features(images, n_sites, transformer):
    """Of shape (n, n_sites, n_features)."""
    values = images if transformer is None else np.asarray(transformer.transform(images), float)
    if values.ndim != 2 or values.shape[1] % n_sites:
        raise ValueError(
            f"features must make columns for each of {n_sites} pixels, got shape {values.shape}."
        )
    return values.reshape(len(values), n_sites, -1)


def _squared_contrasts(images, graph, n_channels):
    pixels = images.reshape(len(images), graph.n_sites, n_channels)
    first, second = graph.edges.T
    return np.square(pixels[:, first] - pixels[:, second]).sum(axis=2)


def contrast_scale(images, image_shape, n_channels, neighbourhood):
    """The mean of ‖x_s − x_t‖² over the edges of all images."""
    contrasts = _squared_contrasts(images, grid_graph(image_shape, neighbourhood), n_channels)
    return float(contrasts.mean()) or 1.0 if contrasts.size else 1.0


def edge_features(images, graph, n_channels, scale):
    """Of shape (n, n_edges, 2) with a contrast, else (1, n_edges, 1)."""
    if scale is None:
        return np.ones((1, graph.n_edges, 1))
    contrasts = np.exp(-_squared_contrasts(images, graph, n_channels) / (2 * scale))
    return np.stack([np.ones_like(contrasts), contrasts], axis=2)
