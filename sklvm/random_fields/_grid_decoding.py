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

    def predict(self, X):
        """Labels of the pixels, by ``decision``.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)

        Returns
        -------
        y : ndarray of shape (n_samples, height * width), or (n_samples,) where y was
        """
        if self.decision == "marginal":
            return self._coder.decode(self._marginals(X).argmax(axis=2))
        models = self._models(X)
        labels = [
            self._inference(model, "labels").labels(model, self._seed()) for i, model in models
        ]
        return self._coder.decode(np.array(labels))

    def predict_proba(self, X):
        """Probabilities of the labels of each pixel, as ``inference`` finds them.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, height * width, n_labels)
            Or (n_samples, n_labels), where y was a vector.
        """
        p = self._marginals(X).astype(self.coef_.dtype, copy=False)
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
        return np.array([model.energy(labels[i]) for i, model in models])

    def log_likelihood(self, X, y, return_bound=False):
        """log P(y|x) of each image, in nats.

        Exact where log Z is; else by ``inference``, and ``inference="auto"`` gives a lower bound,
        by tree-reweighted belief propagation.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
        y : array-like of shape (n_samples, height * width)
            Labels; unlabelled pixels are summed out, which has to be exact.
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
        elimination = None
        if self.inference == "auto" or isinstance(self._given_inference(), Exact):
            exact = Exact() if self.inference == "auto" else self._given_inference()
            elimination = exact.find(self._potentials.graph, len(self.classes_))
        if elimination is not None:
            features, edges = self._all_features(self._check_X(X))
            labels = self._coder.encode(y, features.shape[:2])
            likelihood = GridLikelihood(
                self._potentials, elimination, features, edges, labels, np.ones(len(labels))
            )
            values, bound = likelihood.log_likelihood(self._theta), "exact"
        else:
            values, bound = self._bounded_log_likelihood(X, y)
        values = values.astype(self.coef_.dtype, copy=False)
        return (values, bound) if return_bound else values

    def _bounded_log_likelihood(self, X, y):
        method = BeliefPropagation(True, damping=0.5)
        if self.inference != "auto":
            method = self._given_inference()
        if not method.has_log_partition:
            raise ValueError(
                f"{type(method).__name__} has no log Z. Exact, BeliefPropagation and MeanField do."
            )
        models = list(self._models(X))
        labels = self._complete_labels(y, len(models))
        found = [method.marginals(model, self._seed()) for i, model in models]
        values = [
            -model.energy(z) - marginals.log_partition
            for (_, model), z, marginals in zip(models, labels, found, strict=True)
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
        """Pairs (number, PairwiseModel) of the images."""
        check_is_fitted(self)
        features, edges = self._all_features(self._check_X(X))
        for i, of_sites in enumerate(features):
            of_edges = edges[0 if len(edges) == 1 else i]
            yield i, self._potentials.model(self._theta, of_sites, of_edges)

    def _marginals(self, X):
        found = [
            self._inference(model, "marginals").marginals(model, self._seed()).sites
            for i, model in self._models(X)
        ]
        return np.array(found)

    def _given_inference(self):
        return resolve(self.inference, INFERENCES, "inference", type(self).__name__)

    def _inference(self, model, task):
        if self.inference != "auto":
            return self._given_inference()
        if Exact().find(model.graph, model.n_labels) is not None:
            return Exact()
        if task == "labels" and self._potentials.is_potts and np.all(model.weights >= 0):
            return GraphCut()
        return BeliefPropagation(damping=0.3)

    def _seed(self):
        """Of chains: the same for every image, whatever other images come with it."""
        return self._inference_seed

    def _complete_labels(self, y, n_images):
        labels = self._coder.encode(y, (n_images, self._potentials.graph.n_sites))
        if np.any(labels < 0):
            raise ValueError(
                "y has unlabelled pixels: the sum over their labels is not exact here."
            )
        return labels
