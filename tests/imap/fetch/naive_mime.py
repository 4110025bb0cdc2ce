"""Body sections computed in the plainest way: split into lines, look for boundary lines, recurse.

Shares nothing with unitymail; slow and honest. Only for messages that are not malformed.
"""

from email import message_from_bytes

CRLF = b"\r\n"


def split_header(octets):
    """(header with its empty line, body)"""
    if octets.startswith(CRLF):
        return CRLF, octets[2:]
    header, blank, body = octets.partition(b"\r\n\r\n")
    return (header + blank, body) if blank else (octets, b"")


def fields_of(header):
    """[(name, raw)] in order."""
    found = []
    for line in header.splitlines(keepends=True):
        if line == CRLF:
            break
        if line[:1] in b" \t" and found:
            found[-1][1] += line
        else:
            found.append([line.partition(b":")[0].strip().lower(), line])
    return [(name, raw) for name, raw in found]


def parts_of(body, boundary):
    """The octets of each part, without the line end that belongs to the boundary line."""
    parts, current = [], None
    for line in body.splitlines(keepends=True):
        stripped = line.rstrip()
        if stripped in (b"--" + boundary, b"--" + boundary + b"--"):
            if current is not None:
                parts.append(b"".join(current).removesuffix(CRLF))
            current = None if stripped.endswith(boundary + b"--") else []
        elif current is not None:
            current.append(line)
    if current is not None:
        parts.append(b"".join(current))
    return parts


def sections(octets):
    """Every section name that exists -> its octets."""
    header, body = split_header(octets)
    found = {"": octets, "HEADER": header, "TEXT": body}
    found.update(_numbered(header, body, ""))
    return found


def _numbered(header, body, prefix):
    message = message_from_bytes(header)
    if message.get_content_maintype() == "multipart":
        boundary = message.get_boundary().encode()
        found = {}
        for number, part in enumerate(parts_of(body, boundary), 1):
            found.update(_part(*split_header(part), f"{prefix}{number}", message.get_content_subtype() == "digest"))
        return found
    return {f"{prefix}1": body, f"{prefix}1.MIME": header}


def _part(header, body, number, digest):
    message = message_from_bytes(header)
    found = {number: body, f"{number}.MIME": header}
    kind = message.get_content_type() if "content-type" in message or not digest else "message/rfc822"
    if kind == "message/rfc822":
        inner_header, inner_body = split_header(body)
        found[f"{number}.HEADER"], found[f"{number}.TEXT"] = inner_header, inner_body
        found.update(_numbered(inner_header, inner_body, f"{number}."))
    elif message.get_content_maintype() == "multipart":
        found.update(_numbered(header, body, f"{number}."))
    return found
