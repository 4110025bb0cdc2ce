"""One message on a connection that is ready: what must be known of it first, and transaction after transaction.

Refuses to know how a transaction is carried out (`relay.exchange`) and where connections come from.
"""

from __future__ import annotations

from collections.abc import Callable

from unitymail.interfaces.relay import Attempt, Outgoing
from unitymail.interfaces.threads import IThreads
from unitymail.relay.cargo import Cargo
from unitymail.relay.client import Client
from unitymail.relay.content import Form, nature_of
from unitymail.relay.delivery import Delivery, Group
from unitymail.relay.envelope import Manner, mail_line, rcpt_line
from unitymail.relay.exchange import Exchange
from unitymail.relay.fitting import Nature, body_to_declare, misfit, needs_a_look
from unitymail.relay.stuffing import DottedLines, Lines, Octets
from unitymail.relay.transaction import Transaction
from unitymail.relay.trouble import Trouble


async def send(client: Client, outgoing: Outgoing, *, threads: IThreads, now: Callable[[], float]) -> Attempt | None:
    """What came of it; None when a connection used before turned out to have ended, and nothing was said.

    Raises OSError when the message cannot be read.
    """
    reused = client.begin()
    nature = await threads.run(nature_of, outgoing) if needs_a_look(outgoing, client.offers) else None
    delivery = Delivery(outgoing, client.hop, client.offers, client.host)
    unfit = misfit(outgoing, client.offers, nature, name=client.hop.name, now=now())
    if unfit is not None:
        delivery.give_up(unfit)
        return Attempt(delivery.outcomes(), client.dialogue.lines(), client.remote)
    return await _Message(client, outgoing, nature, threads, now).deliver(delivery, reused)


class _Message:
    def __init__(
        self, client: Client, outgoing: Outgoing, nature: Nature | None, threads: IThreads, now: Callable[[], float]
    ) -> None:
        offers = client.offers
        self._client = client
        self._outgoing = outgoing
        self._threads = threads
        self._now = now
        self._body = body_to_declare(outgoing, nature)
        self._chunking = offers.chunking and (offers.pipelining or self._body == "binarymime")
        self._cargo = Cargo(outgoing, self._form(), threads)
        self._at_once = client.hop.is_peer and self._chunking and offers.pipelining and self._cargo.small

    def _form(self) -> Callable[[], Form]:
        if not self._chunking:
            return DottedLines
        return Octets if self._body == "binarymime" else Lines

    async def deliver(self, delivery: Delivery, reused: bool) -> Attempt | None:
        hop_down = sent_dot = False
        while (group := delivery.next()) is not None:
            transaction = self._transaction(group)
            exchange = Exchange(
                self._client, transaction, self._cargo, chunking=self._chunking, threads=self._threads
            )
            trouble = await exchange.run(at_once=self._at_once)
            if trouble is not None:
                if reused and self._was_stale(transaction, trouble, exchange.dot_sent):
                    return None
                sent_dot = exchange.dot_sent and transaction.may_be_accepted
                hop_down = not sent_dot and (transaction.mail is None or bool(transaction.closing) or trouble.silent)
            delivery.note(group, transaction, trouble)
            reused = False
        return Attempt(delivery.outcomes(), self._client.dialogue.lines(), self._client.remote, hop_down, sent_dot)

    def _transaction(self, group: Group) -> Transaction:
        outgoing, offers = self._outgoing, self._client.offers
        left = None if outgoing.deliver_by is None else int(outgoing.deliver_by - self._now())
        mail = mail_line(outgoing, Manner(group.sender, self._body, left), offers)
        recipients = [rcpt_line(outgoing.recipients[number], offers) for number in group.numbers]
        return Transaction(
            mail, recipients, pipelining=offers.pipelining, chunking=self._chunking, reset=not self._client.clean
        )

    def _was_stale(self, transaction: Transaction, trouble: Trouble, dot_sent: bool) -> bool:
        """Whether the connection was over before this message. What a peer has already, it knows by its XID."""
        return transaction.mail is None and not trouble.silent and (not dot_sent or self._client.hop.is_peer)
