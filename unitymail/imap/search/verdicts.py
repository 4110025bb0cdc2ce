"""What can be said of a message and a key: NO, YES, or UNSURE, an octet a message. Knows nothing else."""

from __future__ import annotations

NO, YES, UNSURE = 0, 1, 2
Verdicts = bytes | bytearray
"""One octet a message: NO, YES or UNSURE."""
