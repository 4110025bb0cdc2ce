"""A thread that ends this process some time after its parent is gone, even if nothing else here moves any more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Thread


def hold(descriptor: int, grace_s: float, end: Callable[[int], object] = os._exit) -> Thread:
    """`descriptor` is a pipe whose other end only the parent has; nothing is ever written to it."""
    thread = Thread(target=_wait, args=(descriptor, grace_s, end), name="lifeline", daemon=True)
    thread.start()
    return thread


def _wait(descriptor: int, grace_s: float, end: Callable[[int], object]) -> None:
    try:
        while os.read(descriptor, 64):
            pass
    except OSError:
        pass
    time.sleep(grace_s)
    end(1)
