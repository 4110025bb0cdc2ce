"""Flags are changed, messages are read, copied, moved, brought, replaced and expunged."""

from tests.imap.model.answers import crossing
from tests.imap.model.answers.flags import store
from tests.imap.model.answers.reading import fetch as fetched
from tests.imap.model.commands import arguments
from tests.imap.model.commands.arguments import is_full, uid
from tests.imap.model.letters import date_time
from tests.imap.model.numbers import Numbers, number_set


def store_flags(play, talk):
    client = talk.client
    by_uid = arguments.by_uid(play, client)
    numbers, flags = arguments.numbers(play, client, by_uid), arguments.flags(play)
    change = play.random.choice(["add", "add", "remove", "replace"])
    silent = play.chance(0.4)
    since, modifier = None, ""
    if play.chance(0.4 if client.aware else 0.02) and (known := arguments.heard_of(play, client)):
        since, modifier = known[0], f"(UNCHANGEDSINCE {known[1]}) "
    sign = {"add": "+", "remove": "-", "replace": ""}[change]
    item = f"{sign}FLAGS{'.SILENT' * silent} ({' '.join(sorted(flags))})"
    lines, end = store(client, numbers, by_uid, change, silent, flags, since)
    play.ask(talk, f"{uid(by_uid)}STORE {numbers.text} {modifier}{item}", lines, end, expunges=by_uid, by_uid=by_uid)


def fetch(play, talk):
    client = talk.client
    by_uid = arguments.by_uid(play, client)
    numbers = arguments.numbers(play, client, by_uid)
    items = set(play.random.sample(["FLAGS", "UID", "RFC822.SIZE"], play.random.randint(1, 3)))
    items |= {play.random.choice(["BODY[]", "BODY.PEEK[]"])} if play.chance(0.4) else set()
    items |= {"MODSEQ"} if play.chance(0.3 if client.aware else 0.02) else set()
    since, page, modifiers = None, None, []
    if play.chance(0.4 if client.aware else 0.02) and (known := arguments.heard_of(play, client)):
        since = known[0]
        modifiers.append(f"CHANGEDSINCE {known[1]}")
        if client.qresync and by_uid and play.chance(0.6):
            modifiers.append("VANISHED")
    vanished = "VANISHED" in modifiers
    if by_uid and play.chance(0.2):
        page = arguments.page(play)
        modifiers.append(f"PARTIAL {page.text}")
    play.random.shuffle(modifiers)
    modifier = f" ({' '.join(modifiers)})" if modifiers else ""
    lines, end = fetched(client, numbers, by_uid, items, since, vanished, page)
    command = f"{uid(by_uid)}FETCH {numbers.text} ({' '.join(sorted(items))}){modifier}"
    play.ask(talk, command, lines, end, expunges=by_uid, by_uid=by_uid)


def copy(play, talk):
    client = talk.client
    by_uid, moving = arguments.by_uid(play, client), play.chance(0.5)
    target = arguments.mailbox(play)
    if not moving and is_full(target):
        return expunge(play, talk)
    numbers = arguments.numbers(play, client, by_uid)
    lines, end = crossing.copy(client, numbers, by_uid, target, moving=moving)
    command = f"{uid(by_uid)}{'MOVE' if moving else 'COPY'} {numbers.text} {target.name}"
    return play.ask(talk, command, lines, end, by_uid=by_uid)


def append(play, talk):
    box = arguments.mailbox(play)
    if is_full(box):
        return play.instead(expunge, talk)
    pairs = [(arguments.flags(play), play.letter()) for _ in range(play.random.choice([1, 1, 2]))]
    literal = b"".join(
        b" (%b) %b {%d+}\r\n%b"
        % (" ".join(sorted(flags)).encode(), date_time(letter.arrived).encode(), len(letter.octets), letter.octets)
        for flags, letter in pairs
    )
    end = f"OK [APPENDUID <validity:{box.key}> {number_set(box.add(pairs))}]"
    return play.ask(talk, f"APPEND {box.name}", [], end, literal=literal)


def replace(play, talk):
    client = talk.client
    by_uid = arguments.by_uid(play, client) or not client.view
    target = arguments.mailbox(play)
    if target is not client.box and is_full(target):
        return expunge(play, talk)
    top = (client.view[-1].uid if client.view else 1) + 1 if by_uid else len(client.view)
    end = None if play.chance(0.1) else play.random.randint(1, top)
    number, letter = Numbers((end, end)), play.letter()
    lines, end = crossing.replace(client, number, by_uid, target, (frozenset(), letter))
    literal = b" %b {%d+}\r\n%b" % (date_time(letter.arrived).encode(), len(letter.octets), letter.octets)
    command = f"{uid(by_uid)}REPLACE {number.text} {target.name}"
    return play.ask(talk, command, lines, end, literal=literal, by_uid=by_uid)


def expunge(play, talk):
    client = talk.client
    if play.chance(0.5):
        lines, end = crossing.expunge(client)
        return play.ask(talk, "EXPUNGE", lines, end)
    numbers = arguments.numbers(play, client, True)
    lines, end = crossing.expunge(client, numbers)
    return play.ask(talk, f"UID EXPUNGE {numbers.text}", lines, end, by_uid=True)
