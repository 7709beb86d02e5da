"""Coding of images by adaptive deconvolutional networks."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklvm._warnings import warn
from sklvm.base import (
    FLOATS,
    LatentVariableModel,
    check_data,
    check_latent_rows,
    has_finite_squares,
)
from sklvm.sparse_coding.layered._adaptive_coding import encode_images
from sklvm.sparse_coding.layered._adaptive_training import pooled_layer
from sklvm.sparse_coding.layered._pooling import middle_switches
from sklvm.sparse_coding.layered._switched_chain import SwitchedChain

__all__ = ["AdaptiveCodingInfo", "AdaptiveModel"]


@dataclass(frozen=True)
class AdaptiveCodingInfo:
    """How good the codes of an adaptive deconvolutional network are.

    Attributes
    ----------
    objective_ : ndarray of shape (n_samples, n_layers)
        ½‖x − R_l z_l‖² + α_l ‖z_l‖₁.
    dual_gap_ : ndarray of shape (n_samples, n_layers)
        Duality gap of the lasso at the switches that there are, relative to the objective. Other
        switches may be better.
    n_iter_ : ndarray of int, shape (n_samples, n_layers)
    """

    objective_: np.ndarray
    dual_gap_: np.ndarray
    n_iter_: np.ndarray


class AdaptiveModel(LatentVariableModel):
    """What a network does once its layers are there: those of ``_training``, its learner."""

    def transform(self, X, *, layer=None):
        """Codes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        layer : int, default=None
            The layer whose codes are wanted, from 1; None: the last.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components * n_places)
            Map after map, at most one entry of each block nonzero.
        """
        X = self._checked(X)
        index = self._layer_index(layer)
        return self._codes_of(self._infer(X, index + 1)[-1]).astype(X.dtype, copy=False)

    def encode(self, X, *, return_info=False):
        """Codes of X on all layers, and where in their blocks they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        return_info : bool, default=False
            Whether to return objectives and certificates too.

        Returns
        -------
        codes : list of ndarray of shape (n_samples, n_components * n_places)
        switches : list of ndarray of int, shape (n_samples, rows, columns, maps)
            Of the pools of each layer: which entry of a block, in lexicographic order.
        info : AdaptiveCodingInfo
            If `return_info`.
        """
        X = self._checked(X)
        inferred = self._infer(X)
        codes = [self._codes_of(found).astype(X.dtype, copy=False) for found in inferred]
        switches = [found.switches for found in inferred]
        if not return_info:
            return codes, switches
        columns = zip(*((f.objectives, f.certificates, f.n_iter) for f in inferred), strict=True)
        return codes, switches, AdaptiveCodingInfo(*(np.stack(c, axis=1) for c in columns))

    def inverse_transform(self, Z, *, layer=None, switches=None):
        """Images of codes: R_l z.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components * n_places)
            Codes.
        layer : int, default=None
            The layer that they are codes of, from 1; None: the last.
        switches : list of ndarray, default=None
            As ``encode`` returns them; those of the layers below count. None: entries are put into
            the middle of their blocks, which makes poorer images. ``reconstruct`` has each image's
            own.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        index = self._layer_index(layer)
        plan = self._training.plans[index]
        width = plan.n_components * plan.geometry.n_places
        Z = check_latent_rows(self, Z, width)
        below = self._training.plans[:index]
        if switches is None:
            switches = [middle_switches((len(Z), *p.pooled), p.pool_size) for p in below]
        else:
            switches = [np.asarray(s) for s in switches[:index]]
            for number, (s, p) in enumerate(zip(switches, below, strict=False), 1):
                n_entries = int(np.prod(p.pool_size))
                if s.shape != (len(Z), *p.pooled) or s.min() < 0 or s.max() >= n_entries:
                    raise ValueError(
                        f"The switches of layer {number} must have shape {(len(Z), *p.pooled)} and "
                        f"be from 0 to below {n_entries}, got shape {s.shape}."
                    )
            if len(switches) < index:
                raise ValueError(
                    f"Codes of layer {index + 1} need switches of {index} layers, got "
                    f"{len(switches)}."
                )
        rows, columns, n_maps = plan.maps_shape
        maps = Z.astype(np.float64).reshape(len(Z), n_maps, rows, columns).transpose(0, 2, 3, 1)
        images = self._chain(index, switches).synthesize(maps)
        return images.reshape(len(Z), -1).astype(Z.dtype, copy=False)

    def reconstruct(self, X, *, layer=None):
        """Images as the codes of a layer have them, through the switches of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        layer : int, default=None
            From 1; None: the last.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        X = self._checked(X)
        index = self._layer_index(layer)
        inferred = self._infer(X, index + 1)
        chain = self._chain(index, [found.switches for found in inferred[:-1]])
        return chain.synthesize(inferred[-1].maps).reshape(len(X), -1).astype(X.dtype, copy=False)

    def strongest(self, X, *, layer=None):
        """What each feature stands for where it is strongest, in pixels.

        Of each map of a layer the entry of greatest magnitude among all images is projected to
        pixels alone, through the switches of its image: the pictures of Zeiler, Taylor and Fergus
        (2011).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.
        layer : int, default=None
            From 1; None: the last.

        Returns
        -------
        projections : ndarray of shape (n_components, n_features)
            Zero for a feature that no image has.
        rows : ndarray of int, shape (n_components,)
            The image that each is from.
        """
        X = self._checked(X)
        index = self._layer_index(layer)
        inferred = self._infer(X, index + 1)
        maps = inferred[-1].maps
        n, n_maps = len(maps), maps.shape[-1]
        flat = maps.reshape(n, -1, n_maps)
        sizes = np.abs(flat).max(axis=1)
        images = sizes.argmax(axis=0)
        alone = np.zeros((n_maps, *flat.shape[1:]))
        for k, image in enumerate(images):
            place = np.abs(flat[image, :, k]).argmax()
            alone[k, place, k] = flat[image, place, k]
        switches = [found.switches[images] for found in inferred[:-1]]
        pictures = self._chain(index, switches).synthesize(alone.reshape(n_maps, *maps.shape[1:]))
        return pictures.reshape(n_maps, -1).astype(X.dtype, copy=False), images

    def score_samples(self, X):
        """Minus the objective of the last layer: greater where a few features explain an image.

        Scores are **not comparable across** strengths or networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images, flat, channels last.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            −∞ for a row so far away that its squares overflow.
        """
        X = self._checked(X)
        scores = np.full(len(X), -np.inf, dtype=X.dtype)
        if (near := has_finite_squares(X)).any():
            scores[near] = -self._infer(X if near.all() else X[near])[-1].objectives
        return scores

    @property
    def score_normalized_(self):
        """False: ``score_samples`` is no log-density, and ranks the rows by one model only."""
        check_is_fitted(self)
        return False

    @property
    def n_layers_(self):
        check_is_fitted(self)
        return self._training.n_layers

    @property
    def map_shapes_(self):
        check_is_fitted(self)
        return [p.geometry.map_shape for p in self._training.plans[: self.n_layers_]]

    @property
    def pool_sizes_(self):
        check_is_fitted(self)
        return [p.pool_size for p in self._training.plans[: self.n_layers_]]

    def _checked(self, X):
        check_is_fitted(self)
        return self._check_rows(X)

    def _layers(self):
        training = self._training
        pairs = zip(training.components, training.plans, strict=False)
        return [pooled_layer(D, plan) for D, plan in pairs]

    def _chain(self, index, switches):
        return SwitchedChain(self._layers()[: index + 1], switches)

    def _infer(self, X, n_layers=None):
        options = self._training.options
        layers = self._layers()[:n_layers]
        plans = self._training.plans[: len(layers)]
        geometry = plans[0].geometry
        shape = geometry.two_axes(geometry.image_shape)
        inferred = encode_images(
            layers,
            plans,
            np.asarray(X, dtype=np.float64).reshape(len(X), *shape, -1),
            positive=options.positive,
            tol=options.tol,
            max_iter=options.max_iter,
            n_threads=options.n_threads,
        )
        if options.tol > 0:
            worst = np.max([found.certificates for found in inferred], axis=0)
            if (unfinished := worst > options.tol).any():
                warn(
                    f"{unfinished.sum()} of {len(X)} samples did not reach "
                    f"code_tol={options.tol} in code_max_iter={options.max_iter} iterations.",
                    ConvergenceWarning,
                )
        return inferred

    @staticmethod
    def _codes_of(found):
        return found.maps.transpose(0, 3, 1, 2).reshape(len(found.maps), -1)

    def _layer_index(self, layer):
        n_layers = self.n_layers_
        if layer is None:
            return n_layers - 1
        if not isinstance(layer, Integral) or isinstance(layer, bool) or not 1 <= layer <= n_layers:
            raise ValueError(f"layer must be an integer from 1 to {n_layers}, got {layer!r}.")
        return int(layer) - 1

    @property
    def _n_features_out(self):
        plan = self._training.plans[self.n_layers_ - 1]
        return plan.n_components * plan.geometry.n_places

    def _check_rows(self, X, *, reset=False, **options):
        squares = None if reset else "float64"
        return check_data(self, X, squares=squares, dtype=FLOATS, reset=reset, **options)
