"""Filters of mailboxes take those that they mean."""

import pytest

from unitymail.imap.mailbox_filter import MOST_NAMES, NAMED, WHOLE, MailboxFilter, mailbox_filter
from unitymail.imap.registry import No
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import FolderInfo

FOLDERS = [
    FolderInfo("INBOX"), FolderInfo("INBOX/old"), FolderInfo("été", subscribed=False), FolderInfo("Work"),
    FolderInfo("Work/2026"), FolderInfo("Work/2026/May"), FolderInfo("Workshop"),
]


@pytest.mark.parametrize(("text", "names"), [
    ("inboxes", ["INBOX"]),
    ("PERSONAL", [folder.name for folder in FOLDERS]),
    ("subscribed", ["INBOX", "INBOX/old", "Work", "Work/2026", "Work/2026/May", "Workshop"]),
    ("selected", []),
    ("mailboxes Work", ["Work"]),
    ("mailboxes (inbox &AOk-t&AOk- none)", ["INBOX", "été"]),
    ('subtree "Work"', ["Work", "Work/2026", "Work/2026/May"]),
    ("subtree (Work/2026 inbox)", ["INBOX", "INBOX/old", "Work/2026", "Work/2026/May"]),
    ("subtree-one Work", ["Work", "Work/2026"]),
    ("subtree none", []),
])
def test_filters(text, names):
    """Each filter of RFC 5465, 6 and RFC 7377, 2.2; only whole levels of a name count."""
    found = mailbox_filter(Reader([text.encode()]), NAMED | WHOLE)
    assert [folder.name for folder in FOLDERS if found.takes(folder)] == names


def test_only_the_known():
    """A command takes the filters that it knows."""
    assert mailbox_filter(Reader([b"selected"]), {"selected"}) == MailboxFilter("selected")
    for text in ("selected-delayed", "foo", "(inboxes)", "", "mailboxes", "mailboxes ()", "mailboxes (a", "subtree x"):
        with pytest.raises(BadSyntax):
            mailbox_filter(Reader([text.encode()]), {"selected", "mailboxes"})


def test_limit():
    """More names than anybody needs are refused by name of the limit."""
    with pytest.raises(No) as refusal:
        mailbox_filter(Reader([b"mailboxes (" + b" ".join([b"a"] * (MOST_NAMES + 1)) + b")"]), NAMED)
    assert refusal.value.code == b"LIMIT"
