"""A message that waits for its turn, and one that has it: transaction after transaction, until all recipients are done.

Refuses to know how a transaction is carried out (`relay.exchange`), and whose turn it is when (`relay.conversation`).
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from unitymail.interfaces.relay import Attempt, Outgoing
from unitymail.interfaces.threads import IThreads
from unitymail.relay.cargo import Cargo
from unitymail.relay.client import Client
from unitymail.relay.content import SMALL
from unitymail.relay.delivery import Delivery, Group
from unitymail.relay.envelope import Manner, mail_line, rcpt_line
from unitymail.relay.exchange import Exchange
from unitymail.relay.fitting import Nature, as_planned, body_to_declare, misfit, needs_a_look, plan_for
from unitymail.relay.offers import Offers
from unitymail.relay.stuffing import DottedLines, Lines
from unitymail.relay.transaction import Transaction
from unitymail.relay.trouble import Trouble, of_order

FEW = 20
"""Recipients of a message whose envelope may go with the end of the message before."""


class Waiting:
    """A message that was not begun. `attempt` fires once, with None when it never is.

    `nature` is None until a look was needed and taken. `returned`: its envelope was sent behind another message once,
    and not heard.
    """

    __slots__ = ("attempt", "nature", "outgoing", "returned")

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self.attempt: Deferred[Attempt | None] = Deferred()
        self.nature: Nature | None = None
        self.returned = False

    def needs_a_look(self, offers: Offers) -> bool:
        return self.nature is None and needs_a_look(self.outgoing, offers)

    def may_follow(self, offers: Offers) -> bool:
        """Whether it can be begun behind another message: at once, in few lines, and with a body for one write."""
        outgoing = self.outgoing
        return (
            not self.returned and outgoing.size <= SMALL and len(outgoing.recipients) <= FEW
            and not self.needs_a_look(offers)
        )  # fmt: skip


class Sending:
    """A message on its connection; `exchange` is its transaction under way, once `next` was asked for one."""

    __slots__ = (
        "_at_once", "_body", "_cargo", "_chunking", "_client", "_delivery", "_first", "_group", "_hop_down",
        "_outgoing", "_reused", "_sent_dot", "began", "dialogue", "exchange", "waiting",
    )  # fmt: skip

    def __init__(self, waiting: Waiting, client: Client, *, threads: IThreads, now: float) -> None:
        offers, nature = client.offers, waiting.nature
        plan = plan_for(offers, nature)
        self._outgoing = outgoing = as_planned(waiting.outgoing, plan)
        self.waiting = waiting
        self.began = now
        self.exchange: Exchange
        self._group: Group
        self._client = client
        self._reused = client.messages > 0
        self.dialogue = client.take_dialogue()
        self._body = body_to_declare(outgoing, nature)
        # In lock-step each chunk waits for an answer: a large message is sooner there by DATA.
        self._chunking = offers.chunking and (offers.pipelining or outgoing.size <= SMALL)
        form = Lines if self._chunking else DottedLines
        self._at_once = self._chunking and offers.pipelining and client.hop.is_peer
        self._cargo = Cargo(waiting.outgoing, form, threads, plan)
        self._delivery = Delivery(outgoing, client.hop, offers, client.host)
        self._first = True
        self._hop_down = self._sent_dot = False
        unfit = misfit(outgoing, offers, nature, name=client.hop.name, now=now)
        if unfit is not None:
            self._delivery.give_up(unfit)

    def next(self, now: float, *, in_hope: bool = False) -> bool:
        """Whether there is another transaction to do, which begins now. `in_hope` as in `relay.conversation`."""
        group = self._delivery.next()
        if group is None:
            return False
        client, outgoing = self._client, self._outgoing
        left = None if outgoing.deliver_by is None else int(outgoing.deliver_by - now)
        transaction = Transaction(
            mail_line(outgoing, Manner(group.sender, self._body, left), client.offers),
            [rcpt_line(outgoing.recipients[number], client.offers) for number in group.numbers],
            pipelining=client.offers.pipelining, chunking=self._chunking, reset=self._resets(in_hope),
        )  # fmt: skip
        client.messages += 1
        self._group = group
        self.exchange = Exchange(
            client, transaction, self._cargo, self.dialogue, chunking=self._chunking, at_once=self._at_once,
            in_hope=in_hope,
        )  # fmt: skip
        return True

    def _resets(self, in_hope: bool) -> bool:
        """A transaction without recipients stays open: that of a message sent at once may turn out to be one."""
        return self._at_once if in_hope else not self._client.clean

    def unheard(self, trouble: Trouble | None) -> bool:
        """Whether what ended the transaction says nothing of the message, of which nothing was said before.

        A connection that had rested may have ended before; what was sent in hope may have come at a wrong time. What a
        peer has already, it knows by its XID.
        """
        exchange = self.exchange
        mail = exchange.transaction.mail
        if not self._first:
            return False
        if exchange.in_hope:
            unheard = mail is None or of_order(mail)
        else:
            unheard = self._reused and mail is None and trouble is not None and not trouble.silent
        return unheard and (not exchange.dot_sent or self._client.hop.is_peer)

    def again(self) -> None:
        """The same recipients make another transaction."""
        self._delivery.again(self._group)

    def note(self, trouble: Trouble | None) -> None:
        """The transaction is over; `trouble` ended more than it."""
        exchange = self.exchange
        transaction = exchange.transaction
        self._first = False
        self._delivery.note(self._group, transaction, trouble)
        if trouble is not None:
            self._sent_dot = exchange.dot_sent and transaction.may_be_accepted
            self._hop_down = not self._sent_dot and self._says_only(trouble) and (
                transaction.mail is None or transaction.closing is not None or trouble.silent
            )

    def _says_only(self, trouble: Trouble) -> bool:
        """Whether nothing else is known of any recipient."""
        outcome = trouble.outcome(self._client.host)
        return all(each == outcome for each in self._delivery.outcomes())

    def give_up(self, trouble: Trouble) -> None:
        """The connection is gone: so it is for everybody who has no outcome yet."""
        self._delivery.give_up(trouble.outcome(self._client.host))

    @property
    def is_finished(self) -> bool:
        return not self._delivery.has_more

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was settled about it."""
        return self._first

    def attempt(self) -> Attempt:
        return Attempt(
            self._delivery.outcomes(), self.dialogue, self._client.remote, self._hop_down, self._sent_dot, self.began
        )
