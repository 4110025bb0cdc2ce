"""What an SMTP session asks of its transport, whatever kind that is. Refuses to know what goes over it."""

from __future__ import annotations

from typing import Any


def no_delay(transport: Any) -> None:
    """A reply leaves at once, not with the one behind it."""
    set_no_delay = getattr(transport, "setTcpNoDelay", None)
    if set_no_delay is not None:
        set_no_delay(True)


def ip_of(peer: Any) -> str:
    """The peer's address as the policies know it. Who comes through a UNIX socket is on this machine."""
    ip: str = getattr(peer, "host", None) or "127.0.0.1"
    return ip.removeprefix("::ffff:") if "." in ip else ip


def tls_version(transport: Any) -> str:
    """`TLSv1.3:TLS_AES_256_GCM_SHA384`, version and cipher, or just TLS where the transport does not say."""
    handle: Any = transport.getHandle() if hasattr(transport, "getHandle") else None
    if not hasattr(handle, "get_protocol_version_name"):
        return "TLS"
    return ":".join(filter(None, (handle.get_protocol_version_name(), handle.get_cipher_name())))
