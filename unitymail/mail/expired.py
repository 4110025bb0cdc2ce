"""What is kept of a message whose recording has expired: its header, and a notice where the recording was.

Knows the notice; refuses to know when a recording expires. The recording itself is gone: nothing else is kept.
"""

from __future__ import annotations

from unitymail.mail.windows import Octets
from unitymail.mail.withheld import with_notice

_NOTICE = """\
The recording of this message is not here any more. Recordings are kept for
a limited time, which is over.

If you still need it, ask the sender to send it again.
"""
_END = _NOTICE.replace("\n", "\r\n").encode("ascii")


def expired_form(buffer: Octets) -> bytes:
    """The message in `buffer` (any line ends) with the notice in the place of its body, in CRLF form."""
    return with_notice(buffer, _NOTICE)


def is_expired(buffer: Octets) -> bool:
    """Whether the notice is all that there is."""
    return bytes(buffer[max(len(buffer) - len(_END), 0) : len(buffer)]) == _END
