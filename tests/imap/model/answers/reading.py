"""FETCH (RFC 3501, 6.4.5; RFC 7162, 3.1.4 and 3.2.6; RFC 9394)."""

from zlib import crc32

from tests.imap.model.answers.opening import vanished_earlier


def literal(octets):
    """As ``hearing`` writes a literal into its line."""
    return f"{{{len(octets)}}}{crc32(octets):08x}"


def fetch(client, numbers, by_uid, items, since=None, vanished=False, page=None):
    """`items` of FLAGS, UID, MODSEQ, RFC822.SIZE, BODY[], BODY.PEEK[]; BODY[] marks as read.

    since, vanished: (CHANGEDSINCE … VANISHED). page: (PARTIAL …).
    """
    lines = client.learn() if since is not None else []
    if since is not None:
        items = {*items, "MODSEQ"}
        lines += client.catch_up(expunges=by_uid, by_uid=by_uid)
    if vanished:
        lines += vanished_earlier(client, since, numbers)
    if client.is_wrong(numbers, by_uid):
        return lines, "BAD"
    lines += client.learn() if "MODSEQ" in items else []
    chosen = [one for one in client.chosen(numbers, by_uid) if since is None or one[1].tick > since]
    if page is not None:
        chosen = page.of(chosen)
    marked = _marked(client, chosen) if "BODY[]" in items and not client.read_only else set()
    there = client.box.by_uid()
    reading = bool(items & {"BODY[]", "BODY.PEEK[]"})
    gone = False
    for number, known in chosen:
        unreadable = "RFC822.SIZE" in items or (reading and known.uid in client.box.lost)
        if known.uid not in there and unreadable:
            gone = True
            continue
        rest = [f"RFC822.SIZE {len(known.letter.octets)}"] if "RFC822.SIZE" in items else []
        rest += ["BODY[] " + literal(known.letter.octets)] if reading else []
        shown = known.uid in marked
        uid = "UID" in items or ((by_uid or (client.aware and "BODY[]" in items)) and not client.uid_only)
        lines.append(client.fetch_line(
            number, known, uid=uid, flags="FLAGS" in items or shown,
            modseq="MODSEQ" in items or (shown and client.aware), rest=" ".join(rest),
        ))  # fmt: skip
    return lines, "OK [EXPUNGEISSUED]" if gone else "OK"


def _marked(client, chosen):
    """Those that were not \\Seen are now."""
    lacking = {known.uid for _, known in chosen if "\\Seen" not in known.flags}
    client.box.store(lacking, "add", frozenset({"\\Seen"}))
    there = client.box.by_uid()
    for _, known in chosen:
        if known.uid in lacking and known.uid in there:
            known.flags, known.tick = there[known.uid].flags, there[known.uid].tick
    return lacking
