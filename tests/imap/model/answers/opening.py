"""What opens and closes mailboxes, counts what is in them, and changes how a client is told of it.

Each answer here and beside is the untagged lines, and the end without its words: `OK`, `OK [CODE]`, `NO [CODE]`, `BAD`.
"""

from tests.imap.model.client import Known
from tests.imap.model.numbers import Numbers, number_set

ALL = Numbers((1, None))


def select(client, box, read_only):
    lines = ["* OK [CLOSED]"] if client.box is not None else []
    client.leave()
    client.box, client.read_only, client.called = box, read_only, box.name
    client.view = list(map(Known, box.messages))
    client.highest, client.told = box.uidnext - 1, box.tick
    client.keywords = set(box.keywords)
    client.take_recent()
    told = [
        *client.keyword_lines(), f"* {len(client.view)} EXISTS", *client.recent_line(),
        f"* OK [UIDVALIDITY <validity:{box.key}>]", f"* OK [UIDNEXT {box.uidnext}]",
        f"* OK [HIGHESTMODSEQ {client.modseq(box.tick)}]", f"* OK [MAILBOXID (<id:{box.key}>)]",
    ]  # fmt: skip
    unseen = [number for number, known in enumerate(client.view, 1) if "\\Seen" not in known.flags]
    if unseen and not client.rev2 and not client.uid_only:
        told.append(f"* OK [UNSEEN {unseen[0]}]")
    if client.rev2:
        told.append(f'* LIST (\\HasNoChildren{box.use}) "/" {box.name}')
    return [*lines, frozenset(told)], "OK [READ-ONLY]" if read_only else "OK [READ-WRITE]"


def resynced(client, since):
    """Behind the lines of SELECT (QRESYNC …): what has left and has changed since the tick (RFC 7162, 3.2.5)."""
    lines = vanished_earlier(client, since, ALL)
    for number, known in enumerate(client.view, 1):
        if known.tick > since:
            lines.append(client.changed_line(number, known, True))
    return lines


def vanished_earlier(client, since, uids):
    gone = [uid for uid, tick in client.box.gone if tick > since and uid in uids]
    return ["* VANISHED (EARLIER) " + number_set(sorted(gone))] if gone else []


def close(client, *, expunging):
    if expunging and not client.read_only and not client.box.deleted:
        client.box.expunge()
    client.leave()
    return [], "OK"


def enable(client, word):
    """What is \\Recent is not told any more to who speaks IMAP4rev2."""
    lines = client.learn() if word in ("CONDSTORE", "QRESYNC") else []
    new = word not in client.enabled
    client.enabled.add(word)
    if client.rev2:
        client.recent = set()
    return [*lines, "* ENABLED" + f" {word}" * new], "OK"


def status(box, items):
    """The line of STATUS for these items."""
    values = {
        "MESSAGES": len(box.messages),
        "RECENT": sum(message.uid >= box.recent_from for message in box.messages),
        "UIDNEXT": box.uidnext,
        "UIDVALIDITY": f"<validity:{box.key}>",
        "UNSEEN": sum("\\Seen" not in message.flags for message in box.messages),
        "DELETED": sum("\\Deleted" in message.flags for message in box.messages),
        "SIZE": sum(len(message.letter.octets) for message in box.messages),
        "MAILBOXID": f"(<id:{box.key}>)",
        "HIGHESTMODSEQ": f"<m:{box.key}:{box.tick}>",
    }
    return f"* STATUS {box.name} (" + " ".join(f"{item} {values[item]}" for item in items) + ")"
