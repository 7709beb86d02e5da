"""Which criteria fit which energy."""

__all__ = [
    "check_capabilities",
    "describe_requirements",
    "missing_capabilities",
    "suitable_objectives",
]


def suitable_objectives(energy, objectives):
    """The names in `objectives` (name → class) that fit the energy at their defaults, sorted."""
    return sorted(
        name for name, objective in objectives.items() if _misfit(objective(), energy) is None
    )


def describe_requirements(requirements):
    """``(Marginal, (Gibbs, Score))`` as "Marginal and (Gibbs or Score)"."""
    names = [
        f"({' or '.join(protocol.__name__ for protocol in requirement)})"
        if isinstance(requirement, tuple)
        else requirement.__name__
        for requirement in requirements
    ]
    return names[0].strip("()") if len(names) == 1 else " and ".join(names)


def check_capabilities(objective, energy, objectives, owner):
    """Raise a ``ValueError`` that names the fitting criteria, unless `objective` is one of them."""
    if (reason := _misfit(objective, energy)) is not None:
        raise ValueError(
            f"The objective {type(objective).__name__} does not fit {owner}: {reason}. Objectives "
            f"that fit are {suitable_objectives(energy, objectives)}."
        )


def missing_capabilities(objective, energy):
    """Those of ``objective.requires`` that the energy does not have."""
    return [need for need in objective.requires if not isinstance(energy, need)]


def _misfit(objective, energy):
    """Why the objective does not fit the energy, or None."""
    if missing := missing_capabilities(objective, energy):
        needs = describe_requirements(missing)
        name = type(energy).__name__
        return f"it needs an energy with the {needs} capability, which {name} lacks"
    return objective.conditional_obstacle(energy) if getattr(energy, "n_inputs", 0) else None
