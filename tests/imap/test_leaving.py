"""Who leaves in the middle of a command leaves nothing behind, whichever step of it was under way."""

import pytest

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House

COMMANDS = (
    "FETCH 1:* BODY[]",
    "SEARCH BODY x",
    "SEARCH RETURN (UPDATE ALL) BODY x",
    "SORT (DATE) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
    "STORE 1:* +FLAGS x",
    "COPY 1 Sent",
    "MOVE 1:* Sent",
    "EXPUNGE",
    "CLOSE",
    "SELECT Sent",
    "APPEND INBOX {3+}\r\nabc",
    "APPEND INBOX {30}",
    "REPLACE 1 INBOX {3+}\r\nabc",
    "IDLE",
    "NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))",
    'LIST "" * RETURN (STATUS (MESSAGES))',
    "ESEARCH IN (personal) BODY x",
    "GETMETADATA INBOX /shared/x",
    "ENABLE METADATA",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_leaving(command):
    """No open content, no watch, no timer, no trouble in the log; and the session lets go of its account."""
    for steps in range(6):
        house = House(threads=(threads := HeldThreads()))
        for _ in range(3):
            house.inbox.put(MESSAGE)
        client = house.connect()
        for line in ("x LOGIN robin secret\r\n", "x SELECT INBOX\r\n"):
            client.send(line)
            threads.go()
        house.clock.advance(2)
        client.send(f"a {command}\r\n")
        for _ in range(steps):
            if threads.waiting:
                threads.step()
            house.clock.pump([0] * 4)
        client.leave()
        for _ in range(20):
            threads.go()
            house.clock.pump([0] * 4)
        door, session = house.door, client.session
        assert (session.user, session.account, session.folder, session.view) == (None, None, None, None), steps
        assert not house.journal.named("trouble"), steps
        assert house.store.open_contents == 0, steps
        assert (len(door.sessions), len(door.watches), len(door.watches.surroundings)) == (0, 0, 0), steps
        assert not house.clock.getDelayedCalls(), steps
