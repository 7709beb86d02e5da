"""Timing by turns: whatever else the machine does hits all sides alike."""

import statistics
import time

__all__ = ["take_turns"]


def take_turns(sides, n_rounds, *, n_warm_up=0, clock=time.perf_counter):
    """Median seconds of each side's call, the sides called one after the other in each round.

    Parameters
    ----------
    sides : dict of str to callable or None
        None: a side that is absent.
    n_rounds : int
    n_warm_up : int, default=0
        Rounds before those that count.
    clock : callable, default=time.perf_counter

    Returns
    -------
    seconds : dict of str to float or None
    """
    seconds = {name: [] for name in sides}
    for number in range(n_warm_up + n_rounds):
        for name, work in sides.items():
            if work is None:
                continue
            start = clock()
            work()
            if number >= n_warm_up:
                seconds[name].append(clock() - start)
    return {name: statistics.median(times) if times else None for name, times in seconds.items()}
