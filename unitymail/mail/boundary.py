"""The boundary of a multipart that we write (RFC 2046 5.1.1). Refuses to know what stands between its delimiters."""

from __future__ import annotations

from unitymail.mail.windows import Octets, holds
from unitymail.mail.writing import token


def boundary_for(trace: str, content: Octets) -> bytes:
    """One that stands nowhere in `content`, which the multipart holds as it is; the same each time."""
    boundary = b"=_unitymail_" + token(trace)
    while holds(content, boundary):
        boundary += b"_"
    return boundary
