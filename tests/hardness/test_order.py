"""Class: commands that overtake each other. However long each takes inside, they happen in the order they were sent.

Known examples: pipelined STORE and EXPUNGE swapped (Stalwart's change log): the message that was to be kept is gone;
twisted#8126, where a RCPT is answered before the MAIL that it belongs to. SMTP's order is in tests/smtp/test_order.py.
"""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House
from unitymail.settings.site import SiteSettings

OPEN = SiteSettings(imap_auth_without_tls=True)
COMMANDS = [
    "STORE 1 +FLAGS (\\Deleted)", "STORE 1 -FLAGS (\\Deleted)", "STORE 1:* FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 2",
    "FETCH 1:* (UID FLAGS)", "UID FETCH 1:* BODY.PEEK[HEADER]", "SEARCH DELETED", "COPY 1 Archive", "MOVE 1 Archive",
    "SELECT Archive", "SELECT INBOX", "EXAMINE INBOX", "CLOSE", "UNSELECT", "CREATE Work", "DELETE Work", "NOOP",
    "STATUS INBOX (MESSAGES)", f"APPEND INBOX {{{len(MESSAGE)}+}}\r\n{MESSAGE.decode()}", 'LIST "" *', "CHECK",
]  # fmt: skip


def talk(commands, threads=None, cut=None):
    """(all that was said, the UIDs that are left) with these commands in one burst, or in pieces."""
    house = House(site=OPEN, threads=threads) if threads is not None else House(site=OPEN)
    for _ in range(4):
        house.inbox.put(MESSAGE)
    client = house.connect()
    octets = "".join(f"t{n} {line}\r\n" for n, line in enumerate(["LOGIN robin secret", "SELECT INBOX", *commands]))
    pieces = [octets] if cut is None else [octets[n : n + cut] for n in range(0, len(octets), cut)]
    for piece in pieces:
        client.send(piece)
    heard = client.heard()
    for _ in range(10_000):
        if threads is not None and threads.waiting:
            threads.step()
        house.clock.advance(0)
        heard += client.heard()
        if f"t{len(commands) + 1} " in heard and not (threads and threads.waiting):
            break
    left = {name: list(house.account.folder(name).refresh().uids) for name in ("INBOX", "Archive")}
    return re.sub(r"\[(?:READ|APPENDUID|COPYUID|CAPABILITY)[^]]*\]", "", heard), left


def tags(heard):
    return [int(tag) for tag in re.findall(r"^t(\d+) (?:OK|NO|BAD)", heard, re.MULTILINE)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=12), st.integers(1, 60))
def test_bursts_are_what_lock_step_is(commands, cut):
    """The same answers, in the same order, whether threads take their time, whether all came at once or in pieces."""
    at_once = talk(commands)
    assert tags(at_once[0]) == list(range(len(commands) + 2))
    assert talk(commands, HeldThreads()) == at_once
    assert talk(commands, HeldThreads(), cut) == at_once


@pytest.mark.parametrize("seed", range(5))
def test_store_and_expunge(seed):
    """Deleted, undeleted, expunged, in one burst: what was undeleted in time stays."""
    commands = ["STORE 2 +FLAGS (\\Deleted)", "STORE 2 -FLAGS (\\Deleted)", "EXPUNGE", "FETCH 1:* (FLAGS)"]
    random.Random(seed).shuffle(filler := ["NOOP", "CHECK", "SEARCH ALL", "STATUS INBOX (UNSEEN)"])
    mixed = [line for pair in zip(commands, filler, strict=True) for line in pair]
    heard, _ = talk(mixed, HeldThreads())
    assert "EXPUNGE\r\n" not in heard.replace("EXPUNGE completed", "")
    assert tags(heard) == list(range(len(mixed) + 2)) and "* 4 FETCH" in heard
    heard, _ = talk(["STORE 2 +FLAGS (\\Deleted)", "EXPUNGE", "STORE 2 -FLAGS (\\Deleted)"], HeldThreads())
    assert "* 2 EXPUNGE\r\n" in heard and tags(heard) == list(range(5))
