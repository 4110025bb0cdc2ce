"""Mailboxes are selected, left and counted; clients ask for extensions, and come anew."""

from tests.imap.model.answers import opening as answers
from tests.imap.model.commands import arguments

ITEMS = ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "MAILBOXID")


def select(play, talk):
    client, box = talk.client, arguments.mailbox(play)
    verb = play.random.choice(["SELECT", "SELECT", "SELECT", "EXAMINE"])
    since, parameter = None, ""
    if client.qresync and play.chance(0.7):
        validity = play.ear.learnt.get(f"validity:{box.key}")
        known = play.ear.modseq(box.key, play.random.randint(0, box.tick))
        if validity and known:
            since = known[0]
            parameter = f" (QRESYNC ({validity} {known[1]}))"
    lines, end = answers.select(client, box, verb == "EXAMINE")
    if since is not None:
        lines = [*lines, *answers.resynced(client, since)]
    play.ask(talk, f"{verb} {box.name}{parameter}", lines, end)


def leave(play, talk):
    verb = play.random.choice(["CLOSE", "UNSELECT"])
    lines, end = answers.close(talk.client, expunging=verb == "CLOSE")
    play.ask(talk, verb, lines, end)


def status(play, talk):
    """Who asks for HIGHESTMODSEQ knows of mod-sequences from then on: few of the others do."""
    client, box = talk.client, arguments.mailbox(play)
    items = play.random.sample(ITEMS, play.random.randint(1, len(ITEMS)))
    lines = []
    if play.chance(0.5 if client.aware else 0.05):
        items.append("HIGHESTMODSEQ")
        lines = client.learn()
    lines = [*lines, answers.status(box, items)]
    play.ask(talk, f"STATUS {box.name} ({' '.join(items)})", lines, "OK")


def enable(play, talk):
    """In the middle of everything, whatever is selected."""
    word = play.random.choice(["CONDSTORE", "QRESYNC", "IMAP4rev2", "UIDONLY"])
    lines, end = answers.enable(talk.client, word)
    play.ask(talk, f"ENABLE {word}", lines, end)


def sign_out(play, talk):
    """Who comes anew has enabled nothing, or some of it at once."""
    play.ask(talk, "LOGOUT", ["* BYE"], "OK", news=False)
    play.come(talk)
