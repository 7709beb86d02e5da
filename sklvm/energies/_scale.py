"""The scale σ of Gaussian noise: given, or learned above a floor."""

import numpy as np

from sklvm.layouts import ParameterLayout

__all__ = ["Scale"]


class Scale:
    """σ > 0, given or learned: σ² = σ_min² + exp(rate·ρ), ρ free to move.

    The floor keeps σ from a collapse onto single rows, where densities have no maximum.

    Parameters
    ----------
    sigma : float or str
        σ. A string says that it is learned; "predict", that ρ is not a parameter but computed
        by whoever asks.
    floor : float, default=1e-3
        σ_min, in the units of σ; used where σ is learned.
    shape : tuple of int, default=()
        Of σ where it is learned: () is one for all, (d,) one for each feature.
    rate : float, default=2.0
        With 2, ρ = log √(σ² − σ_min²). Gradient descent moves log σ² at the rate²-fold of its
        learning rate.

    Attributes
    ----------
    is_learned : bool
    layout : ParameterLayout
        ``log_scale`` (ρ), where it is a parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import Scale
    >>> scale = Scale("learn", floor=0.5)
    >>> theta = scale.layout.pack(log_scale=scale.start(4.0))
    >>> float(scale.variance(scale.layout.views(theta)).round(6))
    4.0
    """

    def __init__(self, sigma, floor=1e-3, shape=(), rate=2.0):
        self.sigma, self.floor, self.rate = sigma, floor, rate
        self.is_learned = isinstance(sigma, str)
        is_parameter = self.is_learned and sigma != "predict"
        self.layout = ParameterLayout({"log_scale": shape} if is_parameter else {})

    def start(self, variance):
        """ρ for a σ² of `variance`, but no nearer to the floor than √2 times it."""
        excess = np.maximum(variance - self.floor**2, self.floor**2)
        return np.log(excess) / self.rate

    def start_values(self, variance):
        """``start`` by the parameter's name; nothing where σ is no parameter."""
        return {name: self.start(variance) for name in self.layout}

    def at(self, rho):
        """σ² for ρ, and ∂σ²/∂ρ."""
        dtype = rho.dtype.type
        excess = np.exp(dtype(self.rate) * rho)
        return excess + dtype(self.floor**2), dtype(self.rate) * excess

    def variance(self, views):
        """σ², a scalar or an array of σ's shape, of the parameters' dtype.

        Parameters
        ----------
        views : dict of str to ndarray
            Parameters by name, ρ among them where it is one.
        """
        if not self.is_learned:
            dtype = next(iter(views.values())).dtype.type
            return dtype(self.sigma**2)
        rho = views["log_scale"]
        dtype = rho.dtype.type
        return np.exp(dtype(self.rate) * rho) + dtype(self.floor**2)

    def pull(self, views, variance_bar, out):
        """Write ρ's gradient to `out`, by name, from the cotangent of σ²; none where it is given.

        `variance_bar` may have leading axes more than σ: it is summed over them.
        """
        if "log_scale" not in self.layout:
            return
        rho = views["log_scale"]
        while np.ndim(variance_bar) > rho.ndim:
            variance_bar = variance_bar.sum(axis=0)
        out["log_scale"][...] = variance_bar * self.at(rho)[1]
