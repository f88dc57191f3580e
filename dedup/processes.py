"""Work spread over processes: jobs go out in order, and what became of them comes back in that order.

Why: a program that is interrupted, killed or loses a worker must end at once, leave nothing behind, and wait for
nobody. A message that is longer than a pipe takes at once would be cut short when its sender is killed, and whoever
reads it would wait for the rest; so jobs and what became of them travel in files, and the pipes carry their names.
"""

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from multiprocessing import active_children, get_context, parent_process
from typing import Any

from dedup.errors import DedupError

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def processes(workers: int, folder: str) -> Iterator[Spread]:
    """Yield a function as `map`; with several workers the work is done in processes that end with the block.

    It takes few jobs ahead of what was asked for, and raises what the work raises; OSError where `folder`, through
    which they travel, is full; DedupError where the system ended a worker.
    """
    if workers == 1:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(workers, get_context("spawn"), _begin) as pool:
        names = (os.path.join(folder, f"job-{number}") for number in count())
        try:
            yield partial(_spread, pool, 2 * workers, names)
        except BaseException as error:  # nobody waits for what is under way
            for child in active_children():
                child.kill()
            if isinstance(error, BrokenProcessPool):
                raise DedupError(
                    "a worker process was ended by the system, perhaps for want of memory; use fewer: -j 1"
                ) from None
            raise


def _spread(
    pool: Any, ahead: int, names: Iterator[str], work: Callable[[Any], Any], jobs: Iterable[Any]
) -> Iterator[Any]:
    waiting: deque[Any] = deque()
    try:
        for job in jobs:
            waiting.append(_submit(pool, _dump(next(names), (work, job))))
            if len(waiting) > ahead:
                yield _load(waiting.popleft().result())
        while waiting:
            yield _load(waiting.popleft().result())
    finally:
        for future in waiting:
            future.cancel()


def _submit(pool: Any, path: str) -> Any:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a worker that starts inherits it
    try:
        return pool.submit(_work, path)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(path: str) -> str:
    work, job = _load(path)
    return _dump(f"{path}-done", work(job))


def _dump(path: str, what: Any) -> str:
    with open(path, "wb") as stream:
        pickle.dump(what, stream, pickle.HIGHEST_PROTOCOL)
    return path


def _load(path: str) -> Any:
    """Return what `_dump` has written. It is read once only."""
    with open(path, "rb") as stream:
        what = pickle.load(stream)
    os.unlink(path)
    return what


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however that comes about."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
