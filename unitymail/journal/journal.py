"""Every event a postmaster cares about: its name, level and counting in this one place.

Refuses to know what the events mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from unitymail.interfaces.history import IHistory
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.relay import Attempt
from unitymail.journal.lines import Lines
from unitymail.journal.wording import Fields, as_text, moment
from unitymail.mail.envelope import Envelope
from unitymail.mail.reply import Reply
from unitymail.routing.decision import Decision, Origin
from unitymail.routing.steps import Step
from unitymail.routing.telling import name_of

MOST_NAMED = 50
"""Recipients in a line."""


@implementer(IJournal)
class Journal:
    """`counts` holds how often each event was seen, `relays` how attempts at next hops ended, recipient by recipient,
    for `unitymail status` and the metrics.

    `history`, when there is one, is told what happens to messages; it may be set later.
    """

    _twisted = Logger()

    def __init__(
        self,
        *,
        lines: Lines,
        now: Callable[[], float],
        render: Callable[[float, str, str, Fields], str] = as_text,
        to_reactor: Callable[..., Any] | None = None,
        history: IHistory | None = None,
    ) -> None:
        self._lines = lines
        self._now = now
        self._render = render
        self._to_reactor = to_reactor
        self.history = history
        self.counts: Counter[str] = Counter()
        self.relays: Counter[str] = Counter()

    def _write(self, level: str, event: str, **fields: Any) -> None:
        self.counts[event] += 1
        self._lines.add(self._render(self._now(), level, event, fields))

    def _note(self, trace: str, event: str, **facts: Any) -> None:
        if self.history is not None:
            self.history.note(trace, event, facts)

    def _both(self, level: str, event: str, trace: str, **facts: Any) -> None:
        """A line, and an event in the history of the message with the same facts."""
        self._write(level, event, trace=trace, **facts)
        self._note(trace, event, **facts)

    def started(self, version: str, directory: str) -> None:
        self._write("info", "started", version=version, directory=directory)

    def ready(self, doors: dict[str, str]) -> None:
        self._write("info", "ready", **doors)

    def stopping(self, why: str) -> None:
        self._write("info", "stopping", why=why)

    def worker_ready(self, pid: int) -> None:
        self._write("info", "worker-ready", pid=pid)

    def worker_ended(self, pid: int, how: str, again_s: int | None, *, asked: bool) -> None:
        self._write("info" if asked else "error", "worker-ended", pid=pid, how=how, again_in=again_s)

    def settings_changed(self, usn: int) -> None:
        self._write("info", "settings-changed", usn=usn)

    def withholding_changed(self, account: str, *, folders: int, messages: int) -> None:
        self._write("info", "withholding-changed", account=account, folders=folders, messages=messages)

    def certificate(
        self, what: str, *, names: tuple[str, ...], file: str, ends: float, days: int, warning: str
    ) -> None:
        self._write(
            "warning" if warning else "info", "certificate", what=what, names=",".join(names), file=file,
            ends=moment(ends), days=days, warning=warning,
        )  # fmt: skip

    def connected(self, door: str, client: str, session: str) -> None:
        self._write("info", "connected", door=door, client=client, session=session)

    def turned_away(self, door: str, client: str, reply: Reply) -> None:
        self._write("warning", "turned-away", door=door, client=client, **_reply(reply))

    def disconnected(
        self, door: str, client: str, session: str, why: str, *, octets_in: int = 0, octets_out: int = 0,
        messages: int | None = None, seconds: float = 0.0,
    ) -> None:
        mail = {} if messages is None else {"messages": messages}
        self._write(
            "info", "disconnected", door=door, client=client, session=session, octets_in=octets_in,
            octets_out=octets_out, **mail, seconds=round(seconds, 1), why=why,
        )  # fmt: skip

    def signed_in(self, door: str, user: str, client: str, *, mechanism: str = "", tls: bool | None = None) -> None:
        self._write("info", "signed-in", door=door, user=user, client=client, mechanism=mechanism, tls=_tls(tls))

    def sign_in_failed(
        self, door: str, name: str, client: str, why: str, *, mechanism: str = "", tls: bool | None = None
    ) -> None:
        how = {"mechanism": mechanism, "tls": _tls(tls)}
        self._write("warning", "sign-in-failed", door=door, name=name, client=client, **how, why=why)

    def refused(
        self, door: str, client: str, session: str, verb: str, reply: Reply, trace: str = "",
        envelope: Envelope | None = None,
    ) -> None:
        facts = {"door": door, "client": client, "session": session, "verb": verb, **_reply(reply)}
        if not trace:
            self._write("warning", "refused", **facts)
            return
        self.counts["refused"] += 1
        self._note(trace, "refused", **facts, envelope=envelope)

    def transaction(
        self, outcome: str, *, trace: str, refused: int, to: tuple[str, ...], reply: Reply | None, seconds: float,
        **facts: Any,
    ) -> None:
        """What only some transactions have stands at the end of the line."""
        bad = reply is not None and not reply.positive
        told = {} if reply is None else _reply(reply)
        if not bad:
            told.pop("text", None)
        more = {name: facts.pop(name, "") for name in ("message_id", "category", "rule")}
        facts["sender"] = facts["sender"] or "<>"
        self._write(
            "warning" if bad else "info", "transaction", trace=trace, outcome=outcome, **facts, refused=refused,
            to=",".join(to), **told, ms=round(seconds * 1000), **more,
        )  # fmt: skip

    def received(
        self, trace: str, *, envelope: Envelope | None = None, origin: Origin | None = None, **facts: Any
    ) -> None:
        """Its line is that of the transaction."""
        facts["sender"] = facts.get("sender") or "<>"
        self.counts["received"] += 1
        self._note(trace, "received", **facts, envelope=envelope, origin=origin)

    def sent_again(self, trace: str, *, xid: str, recipients: int) -> None:
        self._both("info", "sent-again", trace, xid=xid, recipients=recipients)

    def decided(self, trace: str, decision: Decision) -> None:
        """The history tells it; a line each would double the log."""
        self._note(trace, "decided", decision=decision)

    def delivered(self, trace: str, account: str, address: str) -> None:
        self._write("info", "delivered", trace=trace, account=account, address=address)
        self._note(trace, "delivered", account=account, address=address)

    def postponed(self, trace: str, step: Step, why: str, again_at: float) -> None:
        self._write("warning", "postponed", trace=trace, **_step(step), why=why, again=moment(again_at))
        self._note(trace, "postponed", step=step, why=why, again=moment(again_at))

    def failed(self, trace: str, step: Step, status: str, why: str) -> None:
        self._write("warning", "failed", trace=trace, **_step(step), status=status, why=why)
        self._note(trace, "failed", step=step, status=status, why=why)

    def reported(self, trace: str, report: str, to: str, fates: int) -> None:
        self._both("info", "reported", trace, report=report, to=to, fates=fates)

    def attempted(self, trace: str, hop: str, attempt: Attempt, recipients: tuple[str, ...]) -> None:
        """One line, whatever the number of recipients: it names them as far as there is room."""
        kinds = Counter(outcome.kind for outcome in attempt.outcomes)
        self.relays.update(kinds)
        self._write(
            "info", "attempted", trace=trace, hop=hop, remote=attempt.remote, recipients=len(recipients),
            done=kinds["done"],
            to=",".join(recipients[:MOST_NAMED]),
        )  # fmt: skip
        self._note(trace, "attempted", hop=hop, attempt=attempt, recipients=recipients)

    def converted(self, trace: str, to: str, seconds: float, removed: tuple[str, ...]) -> None:
        self._write("info", "converted", trace=trace, to=to, seconds=round(seconds, 2), removed=", ".join(removed))
        self._note(trace, "converted", to=to, seconds=round(seconds, 2), removed=removed)

    def hop_down(self, hop: str, why: str, again_at: float) -> None:
        self._write("warning", "hop-down", hop=hop, why=why, again=moment(again_at))

    def hop_up(self, hop: str) -> None:
        self._write("info", "hop-up", hop=hop)

    def contact_learned(self, trace: str, location: str, what: str, contact: str) -> None:
        self._both("info", "contact-learned", trace, location=location, what=what, contact=contact)

    def read(self, trace: str, account: str) -> None:
        self._both("info", "read", trace, account=account)

    def aged(self, account: str, folder: str, rule: str, *, messages: int, into: str = "") -> None:
        self._write("info", "aged", account=account, folder=folder, rule=rule, messages=messages, into=into)

    def aged_out(self, trace: str, account: str, rule: str) -> None:
        self._note(trace, "aged", account=account, rule=rule)

    def quota_reached(self, account: str, quota: str, *, octets: int, limit: int) -> None:
        self._write("warning", "quota-reached", account=account, quota=quota, octets=octets, limit=limit)

    def notified(self, trace: str, account: str, to: str, about: str) -> None:
        self._both("info", "notified", trace, account=account, to=to, about=about)

    def receipt_sent(self, trace: str, receipt: str, to: str) -> None:
        self._both("info", "receipt-sent", trace, receipt=receipt, to=to)

    def administered(self, trace: str, who: str, what: str) -> None:
        self._both("info", "administered", trace, who=who, what=what)

    def undeliverable(self, trace: str, why: str, keeper: str) -> None:
        self._both("warning", "undeliverable", trace, why=why, keeper=keeper)

    def bad_mail(self, trace: str, reason: str) -> None:
        self._both("warning", "bad-mail", trace, reason=reason)

    def shunted(self, trace: str, why: str) -> None:
        self._both("error", "shunted", trace, why=why)

    def mended(self, trace: str, *, client: str) -> None:
        self._both("warning", "mended", trace, client=client)

    def recoded(self, trace: str, *, client: str) -> None:
        self._both("info", "recoded", trace, client=client)

    def long_lines(self, trace: str, *, client: str) -> None:
        self._both("warning", "long-lines", trace, client=client)

    def recovered(self, what: str, count: int) -> None:
        self._write("info", "recovered", what=what, count=count)

    def mailbox_changed(self, account: str, folder: str, what: str, count: int) -> None:
        self._write("info", "mailbox-changed", account=account, folder=folder, what=what, count=count)

    def long_turn(self, cpu_ms: float) -> None:
        self._write("warning", "long-turn", cpu_ms=round(cpu_ms, 1))

    def trouble(self, what: str, error: BaseException | None = None) -> None:
        if self._to_reactor is not None:
            self._to_reactor(self._trouble, what, error)
        else:
            self._trouble(what, error)

    def _trouble(self, what: str, error: BaseException | None) -> None:
        words = f"{type(error).__name__}: {error}" if error is not None else ""
        self._write("error", "trouble", what=what, error=words)
        if error is not None:
            failure = Failure(error, type(error), error.__traceback__)
            self._twisted.error("{what}\n{trace}", what=what, trace=failure.getTraceback())

    def guard(self, awaitable: Any, what: str) -> Deferred[Any]:
        deferred: Deferred[Any] = awaitable if isinstance(awaitable, Deferred) else ensureDeferred(awaitable)
        return deferred.addErrback(lambda failure: self.trouble(what, failure.value))


def _tls(used: bool | None) -> str:
    return "" if used is None else "yes" if used else "no"


def _reply(reply: Reply) -> Fields:
    return {"code": reply.code, "status": reply.enhanced, "text": reply.text}


def _step(step: Step) -> Fields:
    return {"step": name_of(step), "to": getattr(step, "to", "")}
