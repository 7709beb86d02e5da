"""The table of objectives and models, from what they declare."""

from sklvm.objectives import (
    OBJECTIVES,
    RECONSTRUCTION_OBJECTIVES,
    describe_requirements,
    missing_capabilities,
)
from sklvm.testing import small_models

ALL = {**dict(sorted(OBJECTIVES.items())), **RECONSTRUCTION_OBJECTIVES}


def objective_matrix():
    """✓ or why not, such as missing capabilities: objective's name → energy's class name → cell."""
    energies = {type(energy).__name__: energy for energy, _, _ in small_models().values()}
    return {
        name: {model: _cell(objective(), energy) for model, energy in sorted(energies.items())}
        for name, objective in ALL.items()
    }


def _cell(objective, energy):
    if missing := missing_capabilities(objective, energy):
        return describe_requirements(missing)
    is_conditional = getattr(energy, "n_inputs", 0) > 0
    if is_conditional and objective.conditional_obstacle(energy) is not None:
        return "joint densities only"
    return "✓"


def table_lines():
    """The matrix as lines of reStructuredText."""
    matrix = objective_matrix()
    models = next(iter(matrix.values()))
    yield from [".. list-table::", "   :header-rows: 1", "   :stub-columns: 1", ""]
    head = ["objective", *(f":class:`~sklvm.energies.{model}`" for model in models)]
    body = [
        [f":class:`{name} <sklvm.objectives.{ALL[name].__name__}>`", *row.values()]
        for name, row in matrix.items()
    ]
    for row in [head, *body]:
        for i, cell in enumerate(row):
            yield f"   {'* -' if i == 0 else '  -'} {cell}"
