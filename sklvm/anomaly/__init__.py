"""Anomaly detection by densities."""

from sklvm.anomaly._density_outlier_detector import DensityOutlierDetector
from sklvm.anomaly._local_density_ensemble import LocalDensityEnsemble

__all__ = ["DensityOutlierDetector", "LocalDensityEnsemble"]
