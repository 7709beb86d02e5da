"""Packages that only examples and pictures need, imported where they are used."""

from importlib import import_module


def import_optional(name, needed_by):
    """Import ``name``, or raise an ImportError that says how to install it.

    Parameters
    ----------
    name : str
        Dotted name of the module, for example ``"matplotlib.pyplot"``.

    needed_by : str
        What cannot run without it, for example ``"FilterDisplay.plot"``.

    Returns
    -------
    module : module
        The imported module.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(
            f"{needed_by} needs the package {package!r}, which is not installed. It comes with the "
            'examples\' requirements: pip install "sklvm[examples]"'
        ) from error
