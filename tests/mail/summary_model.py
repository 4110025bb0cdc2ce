"""ENVELOPE, BODYSTRUCTURE and the rest of a summary, put together piece by piece and nothing remembered.

Takes values apart with the functions for single fields; which field goes where, and how, is written down here again.
"""

from unitymail.mail.dates import read_date
from unitymail.mail.headers import decode, entries, fields
from unitymail.mail.lexical import unfold, unquoted, without_comments
from unitymail.mail.parameters import octets_of
from unitymail.mail.summary import _WORDS, KEPT_FIELDS, Summary, nstring
from unitymail.mail.text import fold

LONGEST_HEADER = 256 * 1024


def model(octets, root):
    """What `summary.summarise` should give."""
    named = bodies(octets, root)
    moment = read_date(named["date"][0]) if named["date"] else None
    return Summary(
        envelope(named),
        body(octets, root),
        b"".join(field.raw for field in fields(octets, root.start, root.body) if field.name.lower() in KEPT_FIELDS),
        "\n".join(fold(", ".join(map(decode, named[name]))) for name in ("from", "to", "cc", "bcc", "subject")),
        moment.seconds if moment else None,
    )


def bodies(octets, root):
    """{name: [field body, ...]} of what ENVELOPE shows."""
    names = ["date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "message-id"]
    found = {name: [] for name in names}
    offset = 0
    for field in fields(octets, root.start, root.body):
        name = field.name.lower().decode("latin-1")
        if name in found and offset < LONGEST_HEADER:
            found[name].append(field.value)
        offset += len(field.raw)
    return found


def envelope(named):
    sender = addresses(named["from"])
    words = [
        *(text(named[name]) for name in ("date", "subject")), sender,
        *(sender if addresses(named[name]) == b"NIL" else addresses(named[name]) for name in ("sender", "reply-to")),
        *(addresses(named[name]) for name in ("to", "cc", "bcc")),
        *(text(named[name]) for name in ("in-reply-to", "message-id")),
    ]
    return b"(" + b" ".join(words) + b")"


def text(raws):
    return nstring(unfold(raws[0])) if raws else b"NIL"


def addresses(raws):
    found = b"".join(address(entry) for raw in raws for entry in entries(raw))
    return b"(" + found + b")" if found else b"NIL"


def address(entry):
    if entry.group == "end":
        return b"(NIL NIL NIL NIL)"
    local = nstring(b"".join(unquoted(word) for word in _WORDS.findall(entry.local)))
    if entry.group:
        return b"(NIL NIL " + local + b" NIL)"
    return b"(" + b" ".join([nstring(entry.name), nstring(entry.route), local, nstring(entry.domain)]) + b")"


def body(octets, part):
    disposition = b"(" + string(part.disposition) + b" " + pairs(part.disposition_parameters) + b")"
    extension = [disposition if part.disposition else b"NIL", languages(part.language), field(part.location)]
    if part.type == "multipart":
        inside = b"".join(body(octets, child) for child in part.children)
        return b"(" + b" ".join([inside, string(part.subtype), pairs(part.parameters), *extension]) + b")"
    parameters = part.parameters
    if part.media_type == "text/plain" and part.parameter("charset") is None:
        parameters = (*parameters, ("charset", "us-ascii"))
    words = [
        string(part.type), string(part.subtype), pairs(parameters), field(part.content_id), field(part.description),
        string(part.encoding), b"%d" % part.size,
    ]  # fmt: skip
    if part.media_type == "message/rfc822" and part.children:
        child = part.children[0]
        words += [envelope(bodies(octets, child)), body(octets, child)]
    if part.type == "text" or (part.media_type == "message/rfc822" and part.children):
        words.append(b"%d" % part.lines)
    return b"(" + b" ".join([*words, field(part.md5), *extension]) + b")"


def string(value):
    return nstring(value.encode("ascii"))


def pairs(parameters):
    inside = b" ".join(nstring(octets_of(value)) for pair in parameters for value in pair)
    return b"(" + inside + b")" if inside else b"NIL"


def field(raw):
    return b"NIL" if raw is None else nstring(unfold(raw))


def languages(raw):
    tags = [] if raw is None else [tag.strip() for tag in without_comments(unfold(raw)).split(b",") if tag.strip()]
    words = b" ".join(map(nstring, tags))
    return b"NIL" if not tags else words if len(tags) == 1 else b"(" + words + b")"
