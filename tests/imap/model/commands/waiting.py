"""Clients ask for news or wait for it; and some talk nonsense."""


LOOKING = ("NOOP", "NOOP", "CHECK")
IMPOSSIBLE = (
    "FETCH 1 FLAGS", "UID STORE 1 FLAGS ()", "UID SEARCH ALL", "SORT (DATE) UTF-8 ALL", "UID COPY 1 INBOX",
    "UID MOVE 1:* INBOX", "EXPUNGE", "CHECK",
)  # fmt: skip


def noop(play, talk):
    client = talk.client
    commands = ["NOOP"] if client.box is None or client.is_lost else LOOKING
    return play.ask(talk, play.random.choice(commands), [], "OK")


def idle(play, talk):
    client = talk.client
    if client.is_lost:
        return play.show_out(talk, "IDLE", "+ idling")
    talk.idle_tag = play.next_tag()
    talk.wire.send(f"{talk.idle_tag} IDLE\r\n")
    play.ear.compare(talk.heard(), ["+ idling", *client.catch_up()], f"{client}: IDLE")
    if client.box is not None:
        client.box.idlers.append(client)
    return None


def done(play, talk):
    client = talk.client
    talk.wire.send("DONE\r\n")
    if client.box is not None:
        client.box.idlers.remove(client)
    play.ear.compare(talk.heard(), [*client.catch_up(), f"{talk.idle_tag} OK"], f"{client}: DONE")
    talk.idle_tag = None


def go_on(play, talk):
    """In a mailbox that somebody deleted nothing can be done any more."""
    play.show_out(talk, play.random.choice(IMPOSSIBLE))


def nonsense(play, talk):
    """What is wrong changes nothing, and nothing is told."""
    client = talk.client
    if client.is_lost:
        return go_on(play, talk)
    command = play.random.choice(["FETCH 1 NOTHING", "STORE", "FOO", "SELECT", "UID NOOP", "COPY 1"])
    by_number = client.uid_only and client.box is not None and command.startswith(("FETCH", "STORE", "COPY"))
    return play.ask(talk, command, [], "BAD [UIDREQUIRED]" if by_number else "BAD")
