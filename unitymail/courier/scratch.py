"""What a conversion needs of the disk for a while. Refuses to know what is converted.

Temporary files lie beside the item and have no name: nothing is left of them, whatever happens.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.spool import Item

FULL = (errno.ENOSPC, errno.EDQUOT)


def temporary(item: Item) -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile(dir=os.path.dirname(item.path)))


@contextmanager
def tried_again(what: str) -> Iterator[None]:
    """A disk that fails is no fault of the message."""
    try:
        yield
    except OSError as error:
        raise TryAgain(DISK_FULL if error.errno in FULL else None, why=f"{what}: {error}") from error
