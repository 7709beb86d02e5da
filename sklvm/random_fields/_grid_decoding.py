"""What a fitted grid field says of images: labels, probabilities, energies, likelihoods."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from sklvm.random_fields._grid_features import edge_features, site_features
from sklvm.random_fields._grid_likelihood import GridLikelihood
from sklvm.random_fields.inference import INFERENCES, BeliefPropagation, Exact, GraphCut
from sklvm.settings import resolve

__all__ = ["GridDecodingMixin"]


class GridDecodingMixin:
    """Inference for an estimator with ``_potentials``, ``_theta`` and ``_coder``."""

    def predict(self, X, *, decision=None, inference=None):
        """Labels of the pixels.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
        decision : {"energy", "marginal"}, default=None
            The image of least energy, or each pixel's most probable label; None: as in the fit.
        inference : str or Inference, default=None
            How they are found; None: as in the fit.

        Returns
        -------
        y : ndarray of shape (n_samples, height * width), or (n_samples,) where y was
        """
        check_is_fitted(self)
        decision = self._fitted_decision if decision is None else decision
        if decision not in ("energy", "marginal"):
            raise ValueError(f"decision must be 'energy' or 'marginal', got {decision!r}.")
        if decision == "marginal":
            return self._coder.decode(self._marginals(X, inference).argmax(axis=2))
        labels = [
            self._chosen(inference, model, "labels").labels(model, self._inference_seed)
            for model in self._models(X)
        ]
        return self._coder.decode(np.array(labels))

    def predict_proba(self, X, *, inference=None):
        """Probabilities of the labels of each pixel.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
        inference : str or Inference, default=None
            How they are found; None: as in the fit.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, height * width, n_labels)
            Or (n_samples, n_labels), where y was a vector.
        """
        p = self._marginals(X, inference).astype(self.coef_.dtype, copy=False)
        return p[:, 0] if self._coder.is_flat else p

    def energy(self, X, y):
        """E(y; x) = −log P(y|x) − log Z(x) of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
        y : array-like of shape (n_samples, height * width)
            Labels of all pixels.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
        """
        models = list(self._models(X))
        labels = self._complete_labels(y, len(models))
        return np.array([model.energy(z) for model, z in zip(models, labels, strict=True)])

    def log_likelihood(self, X, y, *, inference=None, return_bound=False):
        """log P(y|x) of each image, in nats.

        Exact where log Z is; else as ``inference`` finds it: "auto" gives a lower bound, by
        tree-reweighted belief propagation.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
        y : array-like of shape (n_samples, height * width)
            Labels; unlabelled pixels are summed out, which has to be exact.
        inference : str or Inference, default=None
            How log Z is found; None: as in the fit.
        return_bound : bool, default=False
            Whether to say what the values are.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        bound : {"exact", "lower", "upper", "approximate"}
            With ``return_bound``.

        Raises
        ------
        ValueError
            If the inference has no log Z, or pixels are unlabelled and the sum is not exact.
        """
        check_is_fitted(self)
        method = self._resolved(inference)
        exact = Exact() if method is None else method
        elimination = None
        if isinstance(exact, Exact):
            elimination = exact.find(self._potentials.graph, len(self.classes_))
        if elimination is not None:
            features, edges = self._all_features(self._check_X(X))
            labels = self._coder.encode(y, features.shape[:2])
            likelihood = GridLikelihood(
                self._potentials, elimination, features, edges, labels, np.ones(len(labels))
            )
            values, bound = likelihood.log_likelihood(self._theta), "exact"
        else:
            values, bound = self._bounded_log_likelihood(X, y, method)
        values = values.astype(self.coef_.dtype, copy=False)
        return (values, bound) if return_bound else values

    def _bounded_log_likelihood(self, X, y, method):
        method = BeliefPropagation(True, damping=0.5) if method is None else method
        if not method.has_log_partition:
            raise ValueError(
                f"{type(method).__name__} has no log Z. Exact, BeliefPropagation and MeanField do."
            )
        models = list(self._models(X))
        labels = self._complete_labels(y, len(models))
        found = [method.marginals(model, self._inference_seed) for model in models]
        values = [
            -model.energy(z) - marginals.log_partition
            for model, z, marginals in zip(models, labels, found, strict=True)
        ]
        bounds = {marginals.bound for marginals in found}
        turned = {"upper": "lower", "lower": "upper", "exact": "exact"}
        bound = turned.get(bounds.pop(), "approximate") if len(bounds) == 1 else "approximate"
        return np.array(values), bound

    def score(self, X, y, sample_weight=None):
        """Share of the labelled pixels whose predicted label is right.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
        y : array-like of shape (n_samples, height * width)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the images.

        Returns
        -------
        accuracy : float
        """
        predicted = self.predict(X)
        predicted = predicted.reshape(len(predicted), -1)
        labels = self._coder.encode(y, predicted.shape)
        weights = np.broadcast_to(
            np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, float),
            len(labels),
        )
        counts = (labels >= 0) * weights[:, np.newaxis]
        if not counts.any():
            raise ValueError("y has no labelled pixel: all of them are -1.")
        right = predicted == self.classes_[labels]
        return float((counts * right).sum() / counts.sum())

    # -- the field of an image --------------------------------------------------------------------

    def _check_X(self, X):
        return validate_data(self, X, dtype=[np.float64, np.float32], order="C", reset=False)

    def _all_features(self, X):
        images, graph = X.astype(np.float64, copy=False), self._potentials.graph
        of_sites = site_features(images, graph.n_sites, getattr(self, "features_", None))
        scale = getattr(self, "contrast_scale_", None)
        return of_sites, edge_features(images, graph, self.n_channels_, scale)

    def _models(self, X):
        """The energy of each image's labels."""
        check_is_fitted(self)
        features, edges = self._all_features(self._check_X(X))
        for i, of_sites in enumerate(features):
            of_edges = edges[0 if len(edges) == 1 else i]
            yield self._potentials.model(self._theta, of_sites, of_edges)

    def _marginals(self, X, inference):
        found = [
            self._chosen(inference, model, "marginals").marginals(model, self._inference_seed).sites
            for model in self._models(X)
        ]
        return np.array(found)

    def _resolved(self, inference):
        """The inference of a call, or that of the fit; None: "auto"."""
        inference = self._fitted_inference if inference is None else inference
        if isinstance(inference, str) and inference == "auto":
            return None
        return resolve(inference, INFERENCES, "inference", type(self).__name__)

    def _chosen(self, inference, model, task):
        method = self._resolved(inference)
        if method is not None:
            return method
        if Exact().find(model.graph, model.n_labels) is not None:
            return Exact()
        if task == "labels" and self._potentials.is_potts and np.all(model.weights >= 0):
            return GraphCut()
        return BeliefPropagation(damping=0.3)

    def _complete_labels(self, y, n_images):
        labels = self._coder.encode(y, (n_images, self._potentials.graph.n_sites))
        if np.any(labels < 0):
            raise ValueError(
                "y has unlabelled pixels: the sum over their labels is not exact here."
            )
        return labels
