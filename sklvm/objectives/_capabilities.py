"""Which criteria fit which energy."""

__all__ = ["check_capabilities", "suitable_objectives"]


def suitable_objectives(energy, objectives):
    """The names in `objectives` (name → class) whose capabilities the energy has, sorted."""
    return sorted(
        name
        for name, objective in objectives.items()
        if not missing_capabilities(objective, energy)
    )


def check_capabilities(objective, energy, objectives, owner):
    """Raise a ``ValueError`` that names the fitting criteria, unless `objective` is one of them."""
    if missing := missing_capabilities(objective, energy):
        fitting = suitable_objectives(energy, objectives)
        raise ValueError(
            f"The objective {type(objective).__name__} does not fit {owner}: it needs an energy "
            f"with the {' and '.join(missing)} capability, which {type(energy).__name__} lacks. "
            f"Objectives that fit are {fitting}."
        )


def missing_capabilities(objective, energy):
    return [
        protocol.__name__ for protocol in objective.requires if not isinstance(energy, protocol)
    ]
