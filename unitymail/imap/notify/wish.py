"""What a client wants to be notified of, and the words in which it says so (RFC 5465, 5, 6 and 8).

Knows events and filters; refuses to know what happens in mailboxes, and how it is told.

*Note: NONE.* Several groups may apply to a mailbox; it has the events of all of them, but none at all when a group with
NONE is among them: so `(personal (...)) (mailboxes Junk NONE)` leaves Junk out.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.imap.fetch.attribute import Item
from unitymail.imap.fetch.grammar import attributes
from unitymail.imap.mailbox_filter import MailboxFilter, mailbox_filter
from unitymail.imap.registry import Bad, No
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import FolderInfo

NEW, GONE, FLAGS = "MessageNew", "MessageExpunge", "FlagChange"
NAMES, SUBSCRIPTIONS, METADATA, SERVER = (
    "MailboxName", "SubscriptionChange", "MailboxMetadataChange", "ServerMetadataChange",
)  # fmt: skip
OF_MESSAGES = frozenset({NEW, GONE, FLAGS})
EVENTS = {event.lower(): event for event in (NEW, GONE, FLAGS, NAMES, SUBSCRIPTIONS, METADATA, SERVER)}
BADEVENT = b"BADEVENT (%b)" % " ".join(EVENTS.values()).encode("ascii")
SELECTED = frozenset({"selected", "selected-delayed"})
FILTERS = SELECTED | {"inboxes", "personal", "subscribed", "subtree", "mailboxes"}
MOST_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Selected:
    """Events of the selected mailbox. delayed: EXPUNGE waits for a command that allows it. `items` of new messages."""

    events: frozenset[str]
    delayed: bool = False
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Events of other mailboxes; none at all is NONE."""

    filter: MailboxFilter
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wish:
    """The default is NOTIFY NONE."""

    selected: Selected = Selected(frozenset())
    groups: tuple[Group, ...] = ()

    def events_of(self, folder: FolderInfo) -> frozenset[str]:
        """Those of a mailbox that is not selected."""
        taking = [group.events for group in self.groups if group.filter.takes(folder)]
        return frozenset().union(*taking) if all(taking) else frozenset()

    def watches(self, folder: FolderInfo) -> bool:
        """Whether somebody has to look at its messages."""
        return folder.selectable and not OF_MESSAGES.isdisjoint(self.events_of(folder))

    @property
    def looks_around(self) -> bool:
        """Whether anything but the selected mailbox is of interest."""
        return any(group.events for group in self.groups)

    @property
    def hears_of_server(self) -> bool:
        return any(SERVER in group.events for group in self.groups)


def wish(reader: Reader) -> Wish:
    """The event groups, to the end of the command. Raises No for events that nobody here knows."""
    selected: Selected | None = None
    groups: list[Group] = []
    unknown: list[str] = []
    count = 0
    while count == 0 or (reader.take(b" ") and not reader.at_end()):
        reader.expect(b"(")
        found = mailbox_filter(reader, FILTERS)
        reader.space()
        events, items = _events(reader, found, unknown)
        reader.expect(b")")
        if found.kind not in SELECTED:
            groups.append(Group(found, events))
        elif selected is None:
            selected = Selected(events, found.kind == "selected-delayed", items)
        else:
            raise Bad("The selected mailbox has one group of events")
        count += 1
        if count > MOST_GROUPS:
            raise No(f"More than {MOST_GROUPS} groups of events", b"NOTIFICATIONOVERFLOW")
    reader.end()
    if unknown:
        raise No(f"There are no events {unknown[0][:40]} here", BADEVENT)
    return Wish(selected or Selected(frozenset()), tuple(groups))


def _events(reader: Reader, found: MailboxFilter, unknown: list[str]) -> tuple[frozenset[str], tuple[Item, ...]]:
    """`(MessageNew (UID) MessageExpunge)`, the same without parentheses as in the RFC's example, or NONE."""
    listed = reader.take(b"(")
    events: set[str] = set()
    items: tuple[Item, ...] = ()
    while True:
        word = reader.atom()
        event = EVENTS.get(word.lower())
        if event is not None:
            events.add(event)
        elif word.upper() == "NONE" and not listed and not events:
            return frozenset(), ()
        else:
            unknown.append(word)
        if reader.rest().startswith(b" ("):
            if event != NEW or found.kind not in SELECTED:
                raise BadSyntax("What to fetch is said behind MessageNew of the selected mailbox")
            reader.space()
            items = attributes(reader)
        if not reader.take(b" "):
            break
    if listed:
        reader.expect(b")")
    _check(events, found)
    return frozenset(events), items


def _check(events: set[str], found: MailboxFilter) -> None:
    if (NEW in events) != (GONE in events):
        raise Bad("MessageNew and MessageExpunge go together")
    if FLAGS in events and NEW not in events:
        raise Bad("FlagChange needs MessageNew and MessageExpunge")
    if found.kind in SELECTED and events - OF_MESSAGES:
        raise Bad("The selected mailbox has events of messages only")
