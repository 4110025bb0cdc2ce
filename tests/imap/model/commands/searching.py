"""Messages are searched for, sorted and put into threads."""

from tests.imap.model.answers import order, searching
from tests.imap.model.commands import arguments
from tests.imap.model.commands.arguments import uid
from tests.imap.model.commands.keys import key


def search(play, talk):
    client = talk.client
    by_uid, asked = arguments.by_uid(play, client), key(play, client)
    options, returning, page = _returning(play)

    def answer(tag):
        found = searching.found(client, asked)
        return searching.told(client, "SEARCH", asked, found, by_uid, returning, tag, page)

    play.ask(talk, f"{uid(by_uid)}SEARCH {options}{asked.text}", answer, "", expunges=by_uid, by_uid=by_uid)


def sort(play, talk):
    client = talk.client
    by_uid, asked = arguments.by_uid(play, client), key(play, client)
    options, returning, page = _returning(play)
    program = [
        (criterion, play.chance(0.4)) for criterion in play.random.sample(list(order.VALUES), play.random.randint(1, 3))
    ]
    spelled = " ".join("REVERSE " * reverse + criterion for criterion, reverse in program)

    def answer(tag):
        found = order.arranged(client, searching.found(client, asked), program)
        return searching.told(client, "SORT", asked, found, by_uid, returning, tag, page)

    command = f"{uid(by_uid)}SORT {options}({spelled}) UTF-8 {asked.text}"
    play.ask(talk, command, answer, "", expunges=by_uid, by_uid=by_uid)


def thread(play, talk):
    client = talk.client
    by_uid, asked = arguments.by_uid(play, client), key(play, client)
    algorithm = play.random.choice(["REFERENCES", "ORDEREDSUBJECT"])
    lines, end = order.thread(client, asked, searching.found(client, asked), by_uid, algorithm)
    command = f"{uid(by_uid)}THREAD {algorithm} UTF-8 {asked.text}"
    play.ask(talk, command, lines, end, expunges=by_uid, by_uid=by_uid)


def _returning(play):
    """(as it is written, its words, the page)"""
    if play.chance(0.5):
        return "", None, None
    returning = play.random.sample(["MIN", "MAX", "COUNT", "ALL", "SAVE"], play.random.randint(0, 3))
    page = arguments.page(play) if "ALL" not in returning and play.chance(0.3) else None
    options = [*returning, *([f"PARTIAL {page.text}"] if page else [])]
    return f"RETURN ({' '.join(options)}) ", returning, page
