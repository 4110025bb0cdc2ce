"""STORE (RFC 3501, 6.4.6; RFC 7162, 3.1.3)."""

from tests.imap.model.numbers import number_set


def store(client, numbers, by_uid, change, silent, flags, unchanged_since=None):
    if client.read_only:
        return [], "NO"
    lines = client.learn() if unchanged_since is not None else []
    if client.is_wrong(numbers, by_uid):
        return lines, "BAD"
    chosen = client.chosen(numbers, by_uid)
    if not chosen or (not flags and change != "replace" and unchanged_since is None):
        return lines, "OK"
    failed = set(client.box.store({known.uid for _, known in chosen}, change, flags, unchanged_since))
    there = client.box.by_uid()
    done = [(number, known) for number, known in chosen if known.uid in there and known.uid not in failed]
    for _, known in done:
        message = there[known.uid]
        after = {"add": known.flags | flags, "remove": known.flags - flags, "replace": flags}[change]
        if not silent or after == message.flags:
            known.flags, known.tick = message.flags, message.tick
    if not silent or client.aware:
        lines += client.new_keywords()
        uid = (by_uid or client.aware) and not client.uid_only
        lines += [
            client.fetch_line(number, known, uid=uid, flags=not silent, modseq=client.aware)
            for number, known in done if known.tick == there[known.uid].tick
        ]  # fmt: skip
    gone = any(known.uid not in there for _, known in chosen)
    if failed:
        code = number_set(known.uid if by_uid else number for number, known in chosen if known.uid in failed)
        return lines, ("NO" if gone and not by_uid else "OK") + f" [MODIFIED {code}]"
    return lines, "OK [EXPUNGEISSUED]" if gone else "OK"
