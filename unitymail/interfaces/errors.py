"""The two families of infrastructure failure: try again, and never. Both carry the reply a door should give."""

from __future__ import annotations

from unitymail.mail.reply import Reply


class Trouble(Exception):
    """Something outside failed. `reply` is safe to show to a peer; the cause (`__cause__`) is for the log."""

    default = Reply(451, "4.3.0", "Something went wrong here; please try again later")

    def __init__(self, reply: Reply | None = None, *, why: str = "") -> None:
        self.reply = reply or self.default
        super().__init__(why or self.reply.text)


class TryAgain(Trouble):
    """A passing failure: disk full, database locked, next hop away."""


class Never(Trouble):
    """A failure that trying again cannot mend."""

    default = Reply(554, "5.3.0", "This cannot be done; the administrator's log says why")


DISK_FULL = Reply(452, "4.3.1", "The disk is full here; please try again later")
SHUTTING_DOWN = Reply(421, "4.3.2", "The node is shutting down; please try again later")
