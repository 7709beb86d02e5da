"""Which criteria fit which energy."""

__all__ = ["check_capabilities", "describe_requirements", "suitable_objectives"]


def suitable_objectives(energy, objectives):
    """The names in `objectives` (name → class) that fit the energy at their defaults, sorted."""
    return sorted(
        name
        for name, objective in objectives.items()
        if not missing_capabilities(objective(), energy)
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
    if missing := missing_capabilities(objective, energy):
        fitting = suitable_objectives(energy, objectives)
        raise ValueError(
            f"The objective {type(objective).__name__} does not fit {owner}: it needs an energy "
            f"with the {describe_requirements(missing)} capability, which {type(energy).__name__} "
            f"lacks. Objectives that fit are {fitting}."
        )


def missing_capabilities(objective, energy):
    return [need for need in objective.requires if not isinstance(energy, need)]
