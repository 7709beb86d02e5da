"""Anomaly detection by densities."""

from sklvm.anomaly._density_outlier_detector import DensityOutlierDetector

__all__ = ["DensityOutlierDetector"]
