"""The journal: one method per event that a postmaster cares about. Wording, level and counting live in one place.

Every message carries its trace id through all of them. Values from peers are cleaned by the journal itself.
"""

from __future__ import annotations

from typing import Any

from zope.interface import Interface

from unitymail.interfaces.relay import Attempt
from unitymail.mail.envelope import Envelope
from unitymail.mail.reply import Reply
from unitymail.routing.decision import Decision, Origin
from unitymail.routing.steps import Step

# mypy: disable-error-code="misc,empty-body"


class IJournal(Interface):
    """Reactor thread only, but `trouble`, which any thread may call. No method raises."""

    def started(version: str, directory: str) -> None:
        """The node starts on this directory."""

    def ready(doors: dict[str, str]) -> None:
        """All ports are open: door name → address:port."""

    def stopping(why: str) -> None:
        """The node stops."""

    def worker_ready(pid: int) -> None:
        """One of several processes that serve the doors does so now."""

    def worker_ended(pid: int, how: str, again_s: int | None, *, asked: bool) -> None:
        """Another takes its place in so many seconds; None: none does, as the node stops. `asked`: it was told to."""

    def settings_changed(usn: int) -> None:
        """The address book took a change."""

    def withholding_changed(account: str, *, folders: int, messages: int) -> None:
        """So many messages of a mailbox got other UIDs: the class of service shows more or less of them than before."""

    def certificate(what: str, *, names: tuple[str, ...], file: str, ends: float, days: int, warning: str) -> None:
        """A certificate of ours is in-use, added, renewed or removed; `ends` in Unix seconds, `warning` what to do."""

    def connected(door: str, client: str, session: str) -> None:
        """A client connected; `session` is the id in the other lines of this connection."""

    def turned_away(door: str, client: str, reply: Reply) -> None:
        """A client was refused at connect."""

    def disconnected(
        door: str, client: str, session: str, why: str, *, octets_in: int = 0, octets_out: int = 0,
        messages: int | None = None, seconds: float = 0.0,
    ) -> None:
        """The connection ended; what came and went on it, messages accepted where mail comes in, how long it stood."""

    def signed_in(door: str, user: str, client: str, *, mechanism: str = "", tls: bool | None = None) -> None:
        """Somebody signed in. `tls`: whether the connection was encrypted; None where that goes without saying."""

    def sign_in_failed(
        door: str, name: str, client: str, why: str, *, mechanism: str = "", tls: bool | None = None
    ) -> None:
        """Somebody did not; `why` is never told to the client."""

    def refused(
        door: str, client: str, session: str, verb: str, reply: Reply, trace: str = "",
        envelope: Envelope | None = None,
    ) -> None:
        """A command was refused, or a message (`trace`, `envelope`); `transaction` tells that one too."""

    def transaction(
        outcome: str, *, door: str, client: str, session: str, helo: str, tls: str, user: str, sender: str,
        recipients: int, refused: int, to: tuple[str, ...], size: int, reply: Reply | None, trace: str, seconds: float,
        message_id: str = "", category: str = "", rule: str = "", why: str = "",
    ) -> None:
        """An SMTP transaction, from a MAIL that was taken to its end: one line, whatever became of it.

        `outcome` is accepted, refused, or abandoned, then with `why` and without a `reply`. `to` are the first of
        the `recipients` that were accepted, `refused` counts the others, `seconds` run from MAIL to the reply.
        """

    def received(
        trace: str, *, door: str, client: str, sender: str, recipients: int, size: int, category: str, rule: str,
        user: str, message_id: str, envelope: Envelope | None = None, origin: Origin | None = None,
    ) -> None:
        """A message is accepted and durable: for its history, which keeps `envelope` and `origin` too."""

    def sent_again(trace: str, *, xid: str, recipients: int) -> None:
        """A peer sent again what is here already; nothing was stored. `trace` is that of this reception only."""

    def delivered(trace: str, account: str, address: str) -> None:
        """A message is in a mailbox."""

    def postponed(trace: str, step: Step, why: str, again_at: float) -> None:
        """A step will be tried again."""

    def failed(trace: str, step: Step, status: str, why: str) -> None:
        """A step failed for good."""

    def reported(trace: str, report: str, to: str, fates: int) -> None:
        """A delivery status notification was made; `report` is its own trace id."""

    def decided(trace: str, decision: Decision) -> None:
        """What is to become of an accepted message, and why, recipient by recipient."""

    def attempted(trace: str, hop: str, attempt: Attempt, recipients: tuple[str, ...]) -> None:
        """A message was sent to a next hop, or could not be: the outcome for each recipient and the dialogue.

        Of those for whom it was taken no other event tells; the others are `postponed` or `failed`, each by itself.
        """

    def converted(trace: str, to: str, seconds: float, removed: tuple[str, ...]) -> None:
        """A message was converted for a VPIM location, or from VPIM (`to` "mailbox"); `removed`: parts left out."""

    def hop_down(hop: str, why: str, again_at: float) -> None:
        """A next hop cannot be used; it is tried again at `again_at` (Unix seconds) by one message."""

    def hop_up(hop: str) -> None:
        """A next hop that was down answers again."""

    def contact_learned(trace: str, location: str, what: str, contact: str) -> None:
        """A VPIM message made, changed or removed a contact."""

    def read(trace: str, account: str) -> None:
        """A client marked a message as seen for the first time."""

    def aged(account: str, folder: str, rule: str, *, messages: int, into: str = "") -> None:
        """A rule of aging was carried out on so many messages of a folder, moved `into` another one by some."""

    def aged_out(trace: str, account: str, rule: str) -> None:
        """It was carried out on this message, which the history keeps; `aged` is the line."""

    def quota_reached(account: str, quota: str, *, octets: int, limit: int) -> None:
        """A mailbox has filled up to a limit of its user: warning, send or receive."""

    def notified(trace: str, account: str, to: str, about: str) -> None:
        """A notice to a user about the user's own mailbox is on its way; `trace` is its own."""

    def receipt_sent(trace: str, receipt: str, to: str) -> None:
        """A disposition notification was made; `receipt` is its own trace id."""

    def administered(trace: str, who: str, what: str) -> None:
        """An administrator held, released, retried, bounced or deleted a message of the queue."""

    def undeliverable(trace: str, why: str, keeper: str) -> None:
        """A message, mostly a report, can neither be delivered nor returned; those at the address `keeper` get it."""

    def bad_mail(trace: str, reason: str) -> None:
        """A message went to bad mail."""

    def shunted(trace: str, why: str) -> None:
        """An item met an error nobody expected and was put aside, untouched."""

    def recovered(what: str, count: int) -> None:
        """Start-up finished what a crash had interrupted."""

    def mailbox_changed(account: str, folder: str, what: str, count: int) -> None:
        """A client appended, copied, moved or expunged messages."""

    def mended(trace: str, *, client: str) -> None:
        """Bare CR and LF of a message were made line ends: the access list forgives this old sender."""

    def recoded(trace: str, *, client: str) -> None:
        """A BINARYMIME message is kept with its binary parts in base64."""

    def long_lines(trace: str, *, client: str) -> None:
        """A message is kept, and goes on, with lines longer than other systems need to take."""

    def long_turn(cpu_ms: float) -> None:
        """A turn of the reactor used more CPU than it may."""

    def trouble(what: str, error: BaseException | None = None) -> None:
        """Something went wrong inside; the traceback goes to the log and to nobody else."""

    def guard(awaitable: Any, what: str) -> Any:
        """Start a coroutine (or take a Deferred) that nobody awaits; its failure becomes `trouble`."""
