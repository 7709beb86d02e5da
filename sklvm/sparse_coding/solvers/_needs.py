"""What solvers need."""

__all__ = ["fits", "lacks", "needs"]


def needs(*, dictionary=(), penalty=()):
    """A decorator that notes what a solver asks of dictionaries and penalties.

    Parameters
    ----------
    dictionary : tuple of str or tuple of str, default=()
        Attributes that a dictionary's class must have; of an inner tuple, one of them.
    penalty : tuple of str, default=()
        Attributes of a penalty that must be true.
    """

    def mark(solver):
        solver.requires, solver.requires_of_penalty = dictionary, penalty
        return solver

    return mark


def fits(solver, penalty):
    """Whether a solver can do with that penalty."""
    return all(getattr(penalty, name, False) for name in solver.requires_of_penalty)


def lacks(solver, dictionary_class):
    """What a solver needs and dictionaries of that class lack."""
    alternatives = [(name,) if isinstance(name, str) else name for name in solver.requires]
    return [
        " or ".join(names)
        for names in alternatives
        if not any(hasattr(dictionary_class, name) for name in names)
    ]
