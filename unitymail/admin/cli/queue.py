"""`unitymail queue`: the messages that wait, and what may be done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import YES, confirm
from unitymail.admin.operations import queue
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.spool import Busy, Changed, Item, NoSuchItem

COLUMNS = ("trace", "age", "size", "sender", "recipients", "next_at", "last_error")
SHOWN_RECIPIENTS = 3


@click.group("queue")
def command() -> None:
    """Mail that waits for its next attempt: look at it, try it now, hold it, let it go, return or delete it."""


@verb(command, "list")
@click.option("--to", "domain", metavar="DOMAIN", help="Only mail for somebody there (or for this one address).")
@click.option("--held", is_flag=True, help="Only what is held.")
def list_(office: Office, domain: str | None, held: bool) -> None:
    """All messages, oldest first."""
    now = office.desk.now
    desk = office.desk.queue
    rows = (
        queue.item_facts(item, now, tried=desk.in_hand(item.trace))
        for item in queue.chosen(desk.items(), domain, held=held)
    )
    if office.json:
        _stream(rows)
    else:
        output.show_table([_line(facts) for facts in rows], COLUMNS)


@verb(command, "show")
@click.argument("id")
def show(office: Office, id: str) -> None:
    """One message: each recipient, what was tried, what came of it, and when it is tried again."""
    desk, now = office.desk.queue, office.desk.now
    office.facts(queue.item_page(desk.item(id), now, tried=desk.in_hand(id)))


def _chosen(function: Callable[..., None]) -> Any:
    """IDs, or --all, or --to."""
    for option in (
        click.option("--to", "domain", metavar="DOMAIN", help="Every message for somebody there (or for one address)."),
        click.option("--all", "everything", is_flag=True, help="Every message of the queue."),
        click.argument("ids", nargs=-1, metavar="[ID]..."),
    ):
        function = option(function)
    return function


@verb(command, "retry")
@_chosen
def retry(office: Office, ids: tuple[str, ...], everything: bool, domain: str | None) -> None:
    """Try now what waits for its next attempt. Of --all and --to, what is being tried already is left alone."""
    traces = _traces(office, ids, everything, domain)
    changes = office.desk.queue.retry(traces)
    _report(office, changes if ids else _but_for_what_went_on(changes), "retried", "is tried now")


@verb(command, "hold")
@_chosen
def hold(office: Office, ids: tuple[str, ...], everything: bool, domain: str | None) -> None:
    """Let nobody work on it until `queue release`. Its time to expire runs on."""
    traces = _traces(office, ids, everything, domain, lambda item: not item.held)
    _report(office, office.desk.queue.hold(traces), "held", "is held")


@verb(command, "release")
@_chosen
def release(office: Office, ids: tuple[str, ...], everything: bool, domain: str | None) -> None:
    """Let go what is held; by its ID also what its sender wanted to be sent later."""
    traces = _traces(office, ids, everything, domain, lambda item: item.held)
    _report(office, office.desk.queue.unhold(traces), "released", "is let go")


@verb(command, "bounce")
@_chosen
@click.option("--why", default="It cannot be delivered.", help="What the sender is told.", show_default=True)
@YES
def bounce(
    office: Office, ids: tuple[str, ...], everything: bool, domain: str | None, why: str, yes: bool
) -> None:
    """Return it to its sender, for everybody who does not have it yet."""
    traces = _traces(office, ids, everything, domain)
    confirm(f"Return {_how_many(traces)} to the sender?", yes=yes)
    _report(office, office.desk.queue.bounce(traces, why), "bounced", "goes back to its sender")


@verb(command, "delete")
@_chosen
@YES
def delete(office: Office, ids: tuple[str, ...], everything: bool, domain: str | None, yes: bool) -> None:
    """Remove it for good; nobody is told."""
    traces = _traces(office, ids, everything, domain)
    confirm(f"Delete {_how_many(traces)} for good, telling nobody?", yes=yes)
    _report(office, office.desk.queue.delete(traces), "deleted", "is deleted")


def _traces(
    office: Office, ids: Sequence[str], everything: bool, domain: str | None,
    fits: Callable[[Item], bool] = lambda item: True,
) -> list[str]:
    """The messages that are meant. Of --all and --to only those that it `fits`."""
    if bool(ids) + everything + (domain is not None) != 1:
        raise click.UsageError("Give IDs, or --all, or --to DOMAIN.")
    if ids:
        return list(dict.fromkeys(ids))
    items = queue.chosen(office.desk.queue.items(), domain)
    return [item.trace for item in items if fits(item)]


def _how_many(traces: Sequence[str]) -> str:
    return traces[0] if len(traces) == 1 else f"{len(traces)} messages"


def _report(office: Office, changes: Iterable[Changed], word: str, words: str) -> None:
    """Say what was done message by message; refused when nothing was, or not everything."""
    count, refused = 0, []
    with output.progress(f"{word} so far", None) as advance:
        rows = _followed(changes, advance)
        if office.json:
            facts = [queue.change_facts(change, word) for change in rows]
            count, refused = sum(row[word] for row in facts), [row["refusal"] for row in facts if not row[word]]
            output.show_json(facts)
        else:
            for change in rows:
                if change.refusal is None:
                    count += 1
                    click.echo(f"{change.trace} {words}.")
                else:
                    refused.append(str(change.refusal))
    if refused:
        raise Refused("\n".join(refused))
    if not count and not office.json:
        click.echo("There is no such message in the queue.")


def _but_for_what_went_on(changes: Iterable[Changed]) -> Iterator[Changed]:
    """Messages that are worked on, or went, while others were looked at do not wait: nothing is refused to them."""
    return (change for change in changes if not isinstance(change.refusal, Busy | NoSuchItem))


def _followed(changes: Iterable[Changed], advance: Callable[[], None]) -> Iterator[Changed]:
    for change in changes:
        advance()
        yield change


def _line(facts: Facts) -> Facts:
    """What a table shows: few recipients of many, and in place of its time whether it is held or tried."""
    recipients: list[str] = facts["recipients"]
    shown = recipients[:SHOWN_RECIPIENTS]
    if len(recipients) > len(shown):
        shown = [*shown, f"and {len(recipients) - len(shown)} more"]
    line = {name: facts[name] for name in COLUMNS}
    return line | {
        "age": _age(facts["age"]),
        "recipients": ", ".join(shown) or " ".join(facts["steps"]),
        "next_at": _next_words(facts),
    }


def _next_words(facts: Facts) -> str:
    if facts["being_tried"]:
        return "being tried now"
    return "held" if facts["held"] else facts["next_at"] or "now"


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _stream(rows: Iterable[Facts]) -> None:
    """A JSON list, object by object: a hundred thousand of them need no room."""
    before = "["
    for facts in rows:
        click.echo(before + "\n" + output.as_json(facts), nl=False)
        before = ","
    click.echo("\n]" if before == "," else "[]")
