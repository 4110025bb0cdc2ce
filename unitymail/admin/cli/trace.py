"""`unitymail trace`: what happened to a message, and why, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations.paragraph import Paragraph
from unitymail.admin.operations.story_words import paragraphs
from unitymail.admin.operations.trace import (
    Search,
    event_facts,
    local,
    moment,
    nothing_found,
    search,
    summary,
    waiting,
)
from unitymail.interfaces.directory import IDirectoryView
from unitymail.interfaces.errors import Never
from unitymail.interfaces.history import Story
from unitymail.interfaces.spool import Item
from unitymail.mail.vpim.heading import trace_in
from unitymail.people.location import Location

COLUMNS = ("time", "trace", "from", "to", "subject", "latest")
MOST = 100
TOLD_AT_ONCE = 5
"""Stories told below the table of matches; of more the table only."""
LAG_S = 1.2
INDENT = " " * 21


@click.group()
def _alone() -> None:
    pass


@verb(_alone, "trace")
@click.argument("id", required=False)
@click.option("--message-id", metavar="ID", help="The Message-ID that the sender's program gave it.")
@click.option("--from", "sender", metavar="ADDRESS", help="Who sent it: any address of theirs, or an alias.")
@click.option("--to", "recipient", metavar="ADDRESS", help="Who should have it: any address of theirs, or an alias.")
@click.option("--since", metavar="TIME", help="90m, 2h, 3d, 1w ago, or a date and time. Default: all that is kept.")
def command(
    office: Office, id: str | None, message_id: str | None, sender: str | None, recipient: str | None, since: str | None
) -> None:
    """The story of a message, by its trace ID (from a reply, a report or a header), or by what is known of it.

    Times are local; with --json they are UTC.
    """
    known = (message_id, sender, recipient)
    if (id is None) == (not any(known)) or (id is not None and since is not None):
        raise click.UsageError("Give either a trace ID, or some of --message-id, --from and --to (with --since).")
    wanted = Search(message_id or "", sender or "", recipient or "", _since(since, office.desk.now))
    with office.desk.directory.read() as view:
        stories = _found(office, lambda: _look(office, view, id, wanted))
        if not stories:
            what = f"with the trace {id}" if id is not None else wanted.in_words()
            raise nothing_found(f"a message {what}", office.desk.site.trace_days)
        _show(office, [_with_present(office, story) for story in stories], _names(view))


def _found(office: Office, look: Callable[[], list[Story]]) -> list[Story]:
    """What was found; when it was nothing, once more: a running node writes its history a moment behind."""
    found = look()
    if not found and getattr(office.desk, "running", None) is not None:
        time.sleep(LAG_S)
        found = look()
    return found


def _look(office: Office, view: IDirectoryView, id: str | None, wanted: Search) -> list[Story]:
    if id is not None:
        return _one(office, id.strip())
    stories = search(office.desk.history, view, wanted, MOST)
    # Voice-mail systems name the copy that was made for them.
    original = "" if stories else trace_in(wanted.message_id, office.desk.host)
    return _one(office, original) if original else stories


def _since(text: str | None, now: float) -> float:
    try:
        return moment(text, now) if text is not None else 0.0
    except ValueError as error:
        raise click.UsageError(f"--since: {error}") from None


def _one(office: Office, id: str) -> list[Story]:
    """The story of this trace; of a message that waits but has none yet, what the queue knows."""
    story = office.desk.history.story(id)
    if story is None and (item := _item(office, id)) is not None:
        to = tuple(recipient.address for recipient in item.envelope.recipients)
        story = Story(item.trace, item.message_id, item.envelope.sender, to, ())
    return [story] if story is not None else []


def _with_present(office: Office, story: Story) -> Story:
    """The story with what the queue still has of it, and of what was derived from it."""
    traces = dict.fromkeys([story.trace, *(event.facts["trace"] for event in story.events)])
    items = [item for trace in traces if (item := _item(office, trace)) is not None]
    now, desk = office.desk.now, office.desk
    present = [waiting(item, now, tried=desk.queue.in_hand(item.trace)) for item in items]
    return replace(story, events=(*story.events, *present))


def _item(office: Office, trace: str) -> Item | None:
    queue = getattr(office.desk, "queue", None)
    if queue is None:
        return None
    try:
        found: Item | None = queue.item(trace)
    except Never:
        return None
    return found


def _names(view: IDirectoryView) -> Callable[[str], str]:
    """The alias or name behind an id; the id when nothing is behind it any more."""

    def name_of(id: str) -> str:
        entry = view.entry(id) if id else None
        if entry is not None:
            return entry.alias
        location: Location | None = view.get(Location, id) if id else None
        return location.name if location is not None else id

    return name_of


def _show(office: Office, stories: Sequence[Story], name_of: Callable[[str], str]) -> None:
    if office.json:
        output.show_json([event_facts(event) for story in stories for event in story.events])
        return
    if len(stories) > 1:
        output.show_table([summary(story) for story in stories], COLUMNS)
        click.echo()
    if len(stories) >= MOST:
        click.echo(f"These are the newest {MOST}; say more of the message, or --since, to see others.")
    if len(stories) > TOLD_AT_ONCE:
        click.echo("`unitymail trace ID` tells one of them.")
        return
    for story in stories:
        _tell(story, name_of)


def _tell(story: Story, name_of: Callable[[str], str]) -> None:
    click.echo(click.style(output.words(f"Message {story.trace}"), bold=True))
    for paragraph in paragraphs(story, name_of):
        _print(paragraph)
    click.echo()


def _print(paragraph: Paragraph) -> None:
    before = f"{click.style(local(paragraph.time), dim=True)}  "
    for said in output.broken(output.words(paragraph.words), len(INDENT)):
        click.echo(before + _coloured(said, paragraph.bad))
        before = INDENT
    for line in paragraph.details:
        for said in output.broken(output.words(line), len(INDENT)):
            click.echo(INDENT + said)
    for line in paragraph.dialogue:
        colour = "blue" if line.startswith("C") else "cyan"
        for said in output.broken(output.words(line), len(INDENT) + 4):
            click.echo(click.style(f"{INDENT}    {said}", fg=colour))


def _coloured(words: str, bad: bool) -> Any:
    return click.style(words, fg="red") if bad else words
