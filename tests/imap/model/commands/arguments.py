"""What random commands are about: sets of messages, pages, flags, mailboxes, mod-sequences that the client has heard.

A `talk` is a connection and what its client knows; see ``play``.
"""

from tests.imap.model.numbers import Numbers, Page, Saved

FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "\\Draft", "work", "$Junk", "home")
MOST_MESSAGES = 24


def by_uid(play, client):
    return client.uid_only or play.chance(0.5)


def numbers(play, client, by_uid):
    """Mostly of messages that are there; now and then beyond the last one, or with `*`, or what was saved."""
    random = play.random
    top = max(1, (client.view[-1].uid if client.view else 1) if by_uid else len(client.view))
    if client.saved and play.chance(0.15):
        return Saved()
    if play.chance(0.04):
        top += random.randint(1, 3)
    if play.chance(0.2):
        return Numbers(random.choice([(random.randint(1, top), None), (None, random.randint(1, top)), (None, None)]))
    if not by_uid and not client.view:
        return Numbers((1, None))
    ranges = []
    for _ in range(random.randint(1, 3)):
        first = random.randint(1, top)
        ranges.append((first, min(top, max(1, first + random.choice([0, 0, 1, 2, -2])))))
    return Numbers(*ranges, *[(None, None)] * play.chance(0.05))


def page(play):
    sign = play.random.choice([1, -1])
    return Page(sign * play.random.randint(1, 9), sign * play.random.randint(1, 9))


def flags(play):
    return frozenset(play.random.sample(FLAGS, play.random.randint(0, 2)))


def heard_of(play, client):
    """(tick, MODSEQ) of some change that a client may have heard of; None when there is none."""
    return play.ear.modseq(client.box.key, play.random.randint(0, client.box.tick))


def mailbox(play):
    return play.boxes[play.random.choice(list(play.boxes))]


def is_full(box):
    return len(box.messages) > MOST_MESSAGES


def uid(by_uid):
    return "UID " if by_uid else ""
