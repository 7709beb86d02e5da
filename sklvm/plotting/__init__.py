"""Displays: pictures of weights, scores and training, in scikit-learn's manner."""

from sklvm.plotting._explanation import ExplanationDisplay
from sklvm.plotting._filters import FilterDisplay
from sklvm.plotting._latent_traversal import LatentTraversalDisplay
from sklvm.plotting._log_density import LogDensityDisplay
from sklvm.plotting._topics import TopicDisplay
from sklvm.plotting._training_curve import TrainingCurveDisplay

__all__ = [
    "ExplanationDisplay",
    "FilterDisplay",
    "LatentTraversalDisplay",
    "LogDensityDisplay",
    "TopicDisplay",
    "TrainingCurveDisplay",
]
