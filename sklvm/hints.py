"""Error messages that name the last step: names elsewhere, near misses, a class for an object."""

import difflib
import functools
import inspect

__all__ = ["NAMES_ELSEWHERE", "did_you_mean", "explains_unknown_names", "instead_of_class"]

# What a parameter is called in scikit-learn's estimators of the same kind, and elsewhere, and what
# does its work here: the parameter, and how it is written if its name alone does not say it.
NAMES_ELSEWHERE = {
    "learning_rate": ("optimizer", "optimizer=Adam({value})"),
    "learning_rate_init": ("optimizer", "optimizer=Adam({value})"),
    "lr": ("optimizer", "optimizer=Adam({value})"),
    "momentum": ("optimizer", "optimizer=SGD(momentum={value})"),
    "solver": ("optimizer", "optimizer={value!r}"),
    "n_iter": ("max_iter", None),
    "n_epochs": ("max_iter", None),
    "epochs": ("max_iter", None),
    "n_hidden": ("n_components", None),
    "n_latent": ("n_components", None),
    "n_topics": ("n_components", None),
    "n_clusters": ("n_components", None),
    "latent_dim": ("n_components", None),
    "criterion": ("objective", None),
    "loss": ("objective", None),
    "algorithm": ("objective", None),
    "l2": ("weight_decay", None),
    "seed": ("random_state", None),
    "patience": ("n_iter_no_change", None),
}


def did_you_mean(word, known):
    """ " Did you mean …?" with the nearest of the known words; "" where none is near."""
    plain = {_letters(name): name for name in known}
    near = difflib.get_close_matches(_letters(word), plain, n=1, cutoff=0.7)
    return f" Did you mean {plain[near[0]]!r}?" if near else ""


def _letters(word):
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def instead_of_class(value):
    """What to add to a message where a class was given in place of an object of it."""
    if not isinstance(value, type):
        return ""
    return f" That is a class: pass an object of it, {value.__name__}()."


def explains_unknown_names(cls):
    """Let the constructor of `cls`, if it has its own, say what an unknown keyword is here."""
    init = vars(cls).get("__init__")
    if init is None:
        return
    parameters = [p for p in inspect.signature(init).parameters.values() if p.name != "self"]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    names = [p.name for p in parameters]

    @functools.wraps(init)
    def constructor(self, *args, **kwargs):
        for name in kwargs.keys() - set(names):
            raise TypeError(_unknown(cls.__name__, name, kwargs[name], names))
        init(self, *args, **kwargs)

    cls.__init__ = constructor


def _unknown(owner, name, value, names):
    message = f"{owner} got an unexpected keyword argument {name!r}."
    here, written = NAMES_ELSEWHERE.get(name, (None, None))
    if here in names:
        return f"{message} Use {(written or f'{here}={{value!r}}').format(value=value)}."
    return message + did_you_mean(name, names)
