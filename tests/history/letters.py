"""Events as the journal notes them, for the tests of the history."""

from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Importance, Message, Sensitivity
from unitymail.routing.decision import Decision, FromPeer, Origin, RecipientDecision, SenderFinding
from unitymail.routing.steps import Deliver

NOON = 1_795_600_000.0
ROBIN = "robin.smith@example.com"
CHRIS = "chris.jones@example.com"


def trace_of(n):
    return f"0mf0w5zc5s{n:010}"


def origin(**fields):
    return Origin(
        "submission", "192.0.2.7", "pc.example.com", "u-robin", "authenticated", "TLSv1.3", **fields
    )


def told_by_peer(trace):
    """Origin of a message that a peer calls `trace`."""
    told = FromPeer(f"n1.{trace}", trace, ROBIN, "user", Category.VOICE, Sensitivity.NORMAL, False)
    return Origin("peer", "192.0.2.8", "vm2.example.com", trust="peer", tls="TLSv1.3", peer="l-vm2", told=told)


def decision(recipients=(CHRIS,), *, message_id="<m1@example.com>", sender=ROBIN, steps=None, kind="user"):
    message = Message(
        Category.EMAIL, "R7", Sensitivity.NORMAL, False, Importance.NORMAL, False, 2_000, header_from=(sender,),
        subject="Lunch", message_id=message_id,
    )  # fmt: skip
    decided = tuple(
        RecipientDecision(to, kind, f"u-{to.partition('.')[0]}", steps or (Deliver("u-chris", to),), "so it is")
        for to in recipients
    )
    every = tuple(step for one in decided for step in one.steps)
    return Decision(message, SenderFinding(sender, "user", "u-robin"), decided, every)


def received(recipients=(CHRIS,), *, message_id="<m1@example.com>", sender=ROBIN, came_from=None):
    """The facts of `received` as the journal hands them over."""
    return {
        "door": "submission", "client": "192.0.2.7", "sender": sender, "recipients": len(recipients), "size": 2_000,
        "category": "email", "rule": "R7", "user": "u-robin", "message_id": message_id,
        "envelope": Envelope(sender, tuple(map(Recipient, recipients))), "origin": came_from or origin(),
    }  # fmt: skip


def batch_of(n, time, recipients=(CHRIS,), *, sender=ROBIN):
    """{trace: events} of one message that was delivered."""
    message_id = f"<m{n}@example.com>"
    decided = decision(recipients, message_id=message_id, sender=sender)
    return {
        trace_of(n): [
            (time, "delivered", {"account": "u-chris", "address": recipients[0]}),
            (time + 0.01, "received", received(recipients, message_id=message_id, sender=sender)),
            (time + 0.01, "decided", {"decision": decided}),
        ]
    }
