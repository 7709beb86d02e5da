"""Timing by turns of sides that each have a process of their own.

Libraries wait for work in threads of their own that keep the processors busy for a while. In one
process the threads of one library slow down the other, and the ratio of their times says little.
Here every side runs in a process that no other side shares. Sides take turns: while one works, the
others wait for a line on their standard input and use no processor time.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

__all__ = ["serve", "take_turns_apart", "thread_variables"]

# So long do the threads of the side before may go on spinning.
PAUSE = 0.25


def thread_variables(n_threads):
    """The environment in which every library uses so many threads; None: as many as it likes."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    return environment | dict.fromkeys(names, str(n_threads)) if n_threads else environment


def serve(work):
    """In the process of a side: do one turn of `work` for each line, and report its seconds."""
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        work()
        print(json.dumps(time.perf_counter() - start), flush=True)


def take_turns_apart(script, sides, n_rounds, *, n_threads, n_warm_up=1):
    """Median seconds of a turn of each side.

    Parameters
    ----------
    script : str
        Path of the script. Called with a side's arguments, it ends in ``serve``.
    sides : dict of str to list of str, or None
        None: a side that is absent.
    n_rounds : int
    n_threads : int or None
        Threads of every library; None: no variable is set.
    n_warm_up : int, default=1
        Rounds before those that count.

    Returns
    -------
    seconds : dict of str to float or None

    Raises
    ------
    RuntimeError
        Where a side's process ends before its time.
    """
    seconds = {name: [] for name in sides}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, script, *arguments],
                    env=thread_variables(n_threads),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, arguments in sides.items()
            if arguments is not None
        }
        for name, process in processes.items():
            _line_from(process, name)
        for number in range(n_warm_up + n_rounds):
            for name, process in processes.items():
                time.sleep(PAUSE)
                process.stdin.write("\n")
                process.stdin.flush()
                taken = float(_line_from(process, name))
                if number >= n_warm_up:
                    seconds[name].append(taken)
        for process in processes.values():
            process.stdin.close()
    return {name: statistics.median(times) if times else None for name, times in seconds.items()}


def _line_from(process, name):
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"The process of {name!r} has ended.")
    return line
