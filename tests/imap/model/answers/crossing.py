"""Messages that come and go: COPY and MOVE, REPLACE, EXPUNGE (RFC 3501, 4315, 6851, 8508)."""

from tests.imap.model.numbers import Saved, number_set


def copy(client, numbers, by_uid, target, *, moving=False):
    """The copies keep flags and octets; MOVE says COPYUID first, then what has left."""
    if client.is_wrong(numbers, by_uid):
        return [], "BAD"
    if moving and client.read_only:
        return [], "NO"
    there = client.box.by_uid()
    sources = [there[known.uid] for _, known in client.chosen(numbers, by_uid) if known.uid in there]
    if not sources:
        return [], "OK" if by_uid or isinstance(numbers, Saved) else "NO [EXPUNGEISSUED]"
    targets = target.add([(message.flags, message.letter) for message in sources])
    if moving:
        client.box.remove({message.uid for message in sources})
    code = f"[COPYUID <validity:{target.key}> {number_set(m.uid for m in sources)} {number_set(targets)}]"
    if not moving:
        return [], "OK " + code
    return ["* OK " + code, *client.catch_up(by_uid=by_uid)], client.ended()


def replace(client, number, by_uid, target, pair):
    """`number` is a set of one. What comes is told before what goes (RFC 8508, 4.3)."""
    if client.is_wrong(number, by_uid):
        return [], "BAD"
    if client.read_only:
        return [], "NO"
    known = next((known for _, known in client.chosen(number, by_uid)), None)
    if known is None or known.uid not in client.box.by_uid():
        return [], "NO [EXPUNGEISSUED]"
    (uid,) = target.add([pair])
    client.box.remove({known.uid})
    come = f"* OK [APPENDUID <validity:{target.key}> {uid}]"
    return [come, *client.catch_up(by_uid=by_uid)], client.ended()


def expunge(client, numbers=None):
    """`numbers` are UIDs: of these only."""
    if client.read_only:
        return [], "NO"
    client.box.expunge(None if numbers is None else {known.uid for _, known in client.chosen(numbers, True)})
    return client.catch_up(by_uid=numbers is not None), client.ended()
