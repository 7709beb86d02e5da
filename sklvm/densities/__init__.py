"""Normalised densities with ``fit``, ``log_density`` and ``sample``."""

from sklvm.densities._base import Density, sample_with_log_density
from sklvm.densities._chow_liu_density import ChowLiuDensity
from sklvm.densities._estimator_density import EstimatorDensity, estimator_density
from sklvm.densities._gaussian_density import GaussianDensity
from sklvm.densities._gaussian_kernel_density import GaussianKernelDensity, silverman_bandwidth
from sklvm.densities._gaussian_mixture_density import GaussianMixtureDensity
from sklvm.densities._independent_bernoulli_density import IndependentBernoulliDensity

__all__ = [
    "ChowLiuDensity",
    "Density",
    "EstimatorDensity",
    "GaussianDensity",
    "GaussianKernelDensity",
    "GaussianMixtureDensity",
    "IndependentBernoulliDensity",
    "estimator_density",
    "sample_with_log_density",
    "silverman_bandwidth",
]
