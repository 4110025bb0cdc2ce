"""The MIME tree of a message, found line by line: slow, plain, and written without `structure`.

Reads a field's value with the functions that `structure` has; offsets, nesting, limits and flaws are its own.
"""

import re

from unitymail.mail import parameters
from unitymail.mail.structure import Part, Structure

PLAIN = parameters.MediaType("text", "plain", ())
OPAQUE = parameters.MediaType("application", "octet-stream", ())
ENCLOSED = parameters.MediaType("message", "rfc822", ())


class Node:
    """A part that is still open."""

    def __init__(self, start, body, media, fields):
        self.start, self.body, self.media, self.fields = start, body, media, fields
        self.children, self.boundary, self.digest, self.counted = [], None, False, False


class Model:
    def __init__(self, octets):
        self.octets = octets
        self.flaws, self.beyond = [], False
        self.open, self.root, self.parts = [], None, 0
        self.run()

    def run(self):
        start = at = 0
        in_header = True
        self.parts = 1
        while at <= len(self.octets):
            newline = self.octets.find(b"\n", at)
            line = self.octets[at:] if newline < 0 else self.octets[at:newline]
            after = len(self.octets) if newline < 0 else newline + 1
            delimiter = self.delimiter(line) if at else None
            if delimiter is not None:
                while in_header:
                    body = max(start, self.before(at))
                    in_header, start = self.begin(start, body, True), body
                depth, closing = delimiter
                self.close(depth + 1, self.before(at))
                if closing:
                    self.leave(self.open[depth])
                elif self.parts >= 1000:
                    self.limit("more than 1000 parts")
                    break
                else:
                    self.parts += 1
                    in_header, start = True, after
            elif in_header and newline >= 0 and line in (b"", b"\r"):
                in_header, start = self.begin(start, after, False), after
            if newline < 0:
                break
            at = after
        while in_header:
            in_header, start = self.begin(start, len(self.octets), False), len(self.octets)
        self.close(0, len(self.octets))

    def delimiter(self, line):
        """(depth, closing) when the line is one of an open multipart."""
        if not line.startswith(b"--") or len(line) > 2 + 1024:
            return None
        open_ones = {node.boundary: depth for depth, node in enumerate(self.open) if node.boundary is not None}
        word = line[2:].rstrip(b" \t\r")
        if word in open_ones:
            return open_ones[word], False
        if word[-2:] == b"--" and word[:-2] in open_ones:
            return open_ones[word[:-2]], True
        return None

    def before(self, at):
        """The end of what stands before a delimiter's line at `at`: without the line end that belongs to it."""
        return at - 2 if self.octets[at - 2:at - 1] == b"\r" else at - 1

    def limit(self, flaw):
        self.flaws.append(flaw)
        self.beyond = True

    def begin(self, start, body, cut_short):
        """The header from `start` to `body` has ended. Whether another one begins at `body`: an enclosed message's."""
        fields = self.fields(start, body)
        if start == 0 and not re.match(rb"[!-9;-~\x80-\xff]+[ \t]*:", self.octets[:body]):
            self.flaws.append("no header")
        if b"type" in fields:
            media = parameters.media_type(fields[b"type"])
            if not media.sound:
                self.flaws.append("a Content-Type that cannot be read")
        else:
            media = ENCLOSED if self.open and self.open[-1].digest else PLAIN
        node = Node(start, body, media, fields)
        self.open.append(node)
        if media.type == "message" and media.subtype in ("rfc822", "global"):
            if sum(one.counted for one in self.open if one.media.type == "message") >= 20 or self.parts >= 1000:
                self.limit("messages nested deeper than 20")
                node.media = OPAQUE
            else:
                node.counted = True
                self.parts += 1
                return True
        elif media.type == "multipart" and not cut_short:
            self.begin_multipart(node)
        return False

    def begin_multipart(self, node):
        boundary = parameters.raw_value_of(node.media.parameters, "boundary").rstrip(b" \t")
        if sum(one.boundary is not None for one in self.open) >= 50:
            self.limit("multiparts nested deeper than 50")
            node.media = OPAQUE
        elif not boundary:
            self.flaws.append("a multipart without a boundary parameter")
            node.media = PLAIN
        else:
            node.boundary, node.digest = boundary, node.media.subtype == "digest"

    def fields(self, start, body):
        if body - start > 262144:
            self.limit("a header over 262144 octets")
        block = self.octets[start:min(body, start + 262144)]
        whole = re.findall(rb"[^\n]*(?:\n[ \t][^\n]*)*\n?", block)
        if 65536 < body - start <= 262144 and any(len(field) > 65536 for field in whole):
            self.limit("a header field over 65536 octets")
        found = {}
        for field in whole:
            name, colon, value = field.partition(b":")
            matched = re.fullmatch(rb"content-([a-z0-9-]+)[ \t]*", name.lower())
            if not colon or not matched:
                continue
            if matched[1] in found:
                if matched[1] in (b"type", b"transfer-encoding"):
                    self.flaws.append(f"two Content-{matched[1].decode().title()} fields in one header")
                continue
            found[matched[1]] = value = value.removesuffix(b"\n")
            if len(self.file_name(matched[1], value)) > 255:
                self.limit("a file name over 255 characters")
        return found

    def file_name(self, name, value):
        if name == b"disposition":
            return parameters.value_of(parameters.disposition(value)[1], "filename") or ""
        return parameters.value_of(parameters.media_type(value).parameters, "name") or "" if name == b"type" else ""

    def leave(self, node):
        node.boundary = None

    def close(self, depth, end):
        while len(self.open) > depth:
            node = self.open.pop()
            end = max(end, node.body)
            part = self.finished(node, end)
            if self.open:
                self.open[-1].children.append(part)
            else:
                self.root = part

    def finished(self, node, end):
        media, get = node.media, node.fields.get
        if media.type == "multipart" and not node.children:
            self.flaws.append("a multipart whose boundary never occurs")
            media = PLAIN
        has_lines = media.type == "text" or (media.type == "message" and node.children)
        word, pairs = parameters.disposition(get(b"disposition", b"")) if get(b"disposition") else ("", ())
        return Part(
            node.start, node.body, end, *media[:3],
            parameters.word(get(b"transfer-encoding", b"")) or "7bit", word, pairs,
            self.octets[node.body:end].count(b"\n") if has_lines else 0, tuple(node.children),
            get(b"id"), get(b"description"), get(b"language"), get(b"location"), get(b"md5"),
        )


def model(octets):
    """What `structure.scan` should find."""
    found = Model(octets)
    flaws = tuple(dict.fromkeys(found.flaws))
    return Structure(found.root, bool(flaws), flaws, len(octets), found.beyond)
