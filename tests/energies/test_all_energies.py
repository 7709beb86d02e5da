"""Every energy of the package inherits the checks of energies, or is named here with a reason."""

import importlib.util
import inspect
import sys
from pathlib import Path

import sklvm.energies
from sklvm.testing import EnergyTestCase

NOT_INHERITED = {
    # Its one capability, a density given latent variables, is checked in tests/objectives/
    # test_evidence_lower_bound.py, against finite differences and quadrature.
    "DecoderEnergy",
}


def test_every_energy_inherits_the_checks():
    public = {
        name
        for name in sklvm.energies.__all__
        if isinstance(value := getattr(sklvm.energies, name), type)
        and hasattr(value, "init_parameters")
        and not getattr(value, "_is_protocol", False)
    }
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"collected_{path.stem}", path)
        sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    sources = [inspect.getsource(case) for case in _collected(EnergyTestCase)]
    tested = {name for name in public if any(f"{name}(" in source for source in sources)}
    assert public - tested == NOT_INHERITED


def _collected(case):
    """Subclasses in the modules just imported."""
    for subclass in case.__subclasses__():
        yield from _collected(subclass)
        if subclass.__module__.startswith("collected_"):
            yield subclass
