"""What an error of the disk means to a client: try again. Refuses to know where it came from."""

from __future__ import annotations

import errno

from unitymail.interfaces.errors import DISK_FULL, Trouble, TryAgain

FULL = (errno.ENOSPC, errno.EDQUOT)


def try_again(error: Exception) -> Trouble:
    """The error as one that carries a reply: 452 4.3.1 when the disk is full, else 451 4.3.0."""
    if isinstance(error, Trouble):
        return error
    full = isinstance(error, OSError) and error.errno in FULL
    trouble = TryAgain(DISK_FULL if full else None, why=str(error))
    trouble.__cause__ = error
    return trouble
