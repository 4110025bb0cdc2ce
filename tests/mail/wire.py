"""An independent reader of IMAP parenthesised data, strict about every octet: what the tests read summaries with."""


class NotWire(Exception):
    """The octets are not what RFC 3501 section 9 allows here."""


def read(octets: bytes):
    """Lists, bytes (strings), int (numbers) and None (NIL); raises NotWire unless all of `octets` is one value."""
    value, position = _value(octets, 0)
    if position != len(octets):
        raise NotWire(f"{octets[position:position + 20]!r} left over")
    return value


def _value(octets, at):
    here = octets[at:at + 1]
    if here == b"(":
        return _list(octets, at + 1)
    if here == b'"':
        return _quoted(octets, at + 1)
    if here == b"{":
        return _literal(octets, at + 1)
    if octets[at:at + 3] == b"NIL":
        return None, at + 3
    end = at
    while octets[end:end + 1].isdigit():
        end += 1
    if end == at:
        raise NotWire(f"{octets[at:at + 20]!r} begins no value")
    return int(octets[at:end]), end


def _list(octets, at):
    """Elements between single spaces; adjacent lists may stand together, as addresses and bodies do."""
    found = []
    while octets[at:at + 1] != b")":
        if found and octets[at:at + 1] == b" ":
            at += 1
        elif found and not (isinstance(found[-1], list) and octets[at:at + 1] == b"("):
            raise NotWire(f"no space before {octets[at:at + 20]!r}")
        value, at = _value(octets, at)
        found.append(value)
    if not found:
        raise NotWire("an empty list")
    return found, at + 1


def _quoted(octets, at):
    found = bytearray()
    while (octet := octets[at:at + 1]) != b'"':
        if octet == b"\\":
            at += 1
            octet = octets[at:at + 1]
            if octet not in (b"\\", b'"'):
                raise NotWire("an escape that is none")
        elif octet in (b"", b"\r", b"\n", b"\0") or octet > b"\x7f":
            raise NotWire(f"{octet!r} in a quoted string")
        found += octet
        at += 1
    return bytes(found), at + 1


def _literal(octets, at):
    end = octets.index(b"}\r\n", at)
    start = end + 3
    size = int(octets[at:end])
    value = octets[start:start + size]
    if len(value) != size or b"\0" in value:
        raise NotWire("a literal cut short, or with NUL")
    return value, start + size


def check_envelope(envelope):
    """Raises NotWire unless it has the ten fields of an ENVELOPE, addresses of four each, groups closed."""
    if len(envelope) != 10:
        raise NotWire(f"{len(envelope)} fields")
    for number in (0, 1, 8, 9):
        _check_string(envelope[number])
    for addresses in envelope[2:8]:
        if addresses is not None:
            _check_addresses(addresses)


def _check_addresses(addresses):
    depth = 0
    for address in addresses:
        if not isinstance(address, list) or len(address) != 4:
            raise NotWire(f"{address!r} is no address")
        for field in address:
            _check_string(field)
        if address[3] is None:
            depth += 1 if address[2] is not None else -1
        elif address[2] is None:
            raise NotWire("a host without a mailbox")
        if depth not in (0, 1):
            raise NotWire("groups inside each other, or an end without a beginning")
    if depth:
        raise NotWire("a group without an end")


def check_body(body, *, extensible):
    """Raises NotWire unless it is a `body` of RFC 3501 section 9 (with or without extension data)."""
    if isinstance(body[0], list):
        parts = 0
        while isinstance(body[parts], list):
            check_body(body[parts], extensible=extensible)
            parts += 1
        _check_string(body[parts], nil=False)
        rest = body[parts + 1:]
        if extensible:
            _check_parameters(rest[0])
            _check_extension(rest[1:])
        elif rest:
            raise NotWire("extension data in BODY")
        return
    kind, sub, parameters, content_id, description, encoding, size, *rest = body
    for text in (kind, sub, encoding):
        _check_string(text, nil=False)
    _check_parameters(parameters)
    _check_string(content_id)
    _check_string(description)
    _check_number(size)
    if kind.lower() == b"text":
        _check_number(rest.pop(0))
    elif (kind.lower(), sub.lower()) == (b"message", b"rfc822"):
        check_envelope(rest.pop(0))
        check_body(rest.pop(0), extensible=extensible)
        _check_number(rest.pop(0))
    if extensible:
        _check_string(rest[0])
        _check_extension(rest[1:])
    elif rest:
        raise NotWire("extension data in BODY")


def _check_extension(rest):
    if len(rest) != 3:
        raise NotWire(f"{len(rest)} extension fields")
    disposition, languages, location = rest
    if disposition is not None:
        _check_string(disposition[0], nil=False)
        _check_parameters(disposition[1])
    if isinstance(languages, list):
        for language in languages:
            _check_string(language, nil=False)
    else:
        _check_string(languages)
    _check_string(location)


def _check_parameters(parameters):
    if parameters is None:
        return
    if not isinstance(parameters, list) or len(parameters) % 2:
        raise NotWire(f"{parameters!r} are no parameters")
    for text in parameters:
        _check_string(text, nil=False)


def _check_string(value, *, nil=True):
    if not isinstance(value, bytes) and not (nil and value is None):
        raise NotWire(f"{value!r} is no string")


def _check_number(value):
    if not isinstance(value, int):
        raise NotWire(f"{value!r} is no number")
