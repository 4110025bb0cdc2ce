"""Who is signed in and may not go on since the directory changed is told so, and shown out: also who only listens.

Knows when somebody may be interrupted; refuses to know why they may not go on (`sign_in`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.sign_in import not_any_more

if TYPE_CHECKING:
    from unitymail.imap.door import IMAPDoor
    from unitymail.imap.server import IMAPSession

AT_ONCE = 500
"""Sessions looked at in a turn of the reactor."""


def dismiss(door: IMAPDoor) -> None:
    """BYE to those who may not go on. Whose command runs is left alone: it ends, and the next one is refused."""
    _dismiss(door, list(door.sessions))


def _dismiss(door: IMAPDoor, sessions: list[IMAPSession]) -> None:
    for client in sessions[:AT_ONCE]:
        if client in door.sessions and client.inlet.waits_for_client() and (why := not_any_more(client.session)):
            client.farewell(why.text, why.code.encode("ascii"))
    if len(sessions) > AT_ONCE:
        door.clock.callLater(0, _dismiss, door, sessions[AT_ONCE:])
