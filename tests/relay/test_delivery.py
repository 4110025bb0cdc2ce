"""Which recipients go together, and what becomes of each."""

from hypothesis import given
from hypothesis import strategies as st

from tests.relay.play import HOP, kinds, letter
from unitymail.interfaces.relay import Attempt
from unitymail.mail.envelope import Recipient
from unitymail.mail.reply import Reply
from unitymail.relay.delivery import Delivery, Group
from unitymail.relay.offers import NOTHING, Offers
from unitymail.relay.transaction import Move, Transaction
from unitymail.relay.trouble import Trouble

OK = Reply(250, "2.0.0", "fine")
NO = Reply(550, "5.1.1", "no such user")
LATER = Reply(451, "4.7.1", "greylisted")
TOO_MANY = Reply(452, "4.5.3", "too many")
GO = Reply(354, "", "go")
DSN = Offers(dsn=True)
ROBIN = "robin@vm1.example.com"


def many(count):
    return [f"k{number}@example.net" for number in range(count)]


def transaction(mail, recipients, data=GO, end=OK):
    """One that was answered so."""
    t = Transaction(b"MAIL", [b"RCPT"] * len(recipients), pipelining=True, chunking=False, reset=False)
    t.lines()
    for reply in (mail, *recipients):
        t.take(reply)
    if t.take(data) is not Move.OVER:
        t.began_data()
        t.take(end)
    return t


def delivery(folder, to, offers=DSN, **more):
    return Delivery(letter(folder, to=to, **more), HOP, offers, "mail.example.com")


def result(made):
    return kinds(Attempt(made.outcomes()))


def test_each_recipient_its_own(tmp_path):
    """Accepted, refused, asked to wait: in the order of the recipients, with the hop's words."""
    made = delivery(tmp_path, many(3))
    group = made.next()
    made.note(group, transaction(OK, [OK, NO, LATER]), None)
    assert made.next() is None
    assert result(made) == [("done", "2.0.0"), ("failed", "5.1.1"), ("try-again", "4.7.1")]
    refused = made.outcomes()[1]
    assert refused.why == "The smart host mail.example.com refused this recipient."
    assert refused.diagnostic == "550 5.1.1 no such user"
    assert refused.remote_mta == "mail.example.com"


def test_refused_as_a_whole(tmp_path):
    """The sender, DATA or the message: everybody who was accepted shares it."""
    for t in (transaction(NO, [NO, NO], NO), transaction(OK, [OK, OK], NO), transaction(OK, [OK, OK], end=NO)):
        made = delivery(tmp_path, many(2))
        made.note(made.next(), t, None)
        assert result(made) == [("failed", "5.1.0")] * 2
        assert made.outcomes()[0].why == "The smart host mail.example.com refused the message."
        assert made.outcomes()[0].diagnostic == "550 5.1.1 no such user"


def test_who_is_meant(tmp_path):
    """5.1.1 is said of a recipient only where the reply names it: at RCPT, or at the end where it is alone."""
    late = Reply(450, "4.1.1", "no such user yet")
    policy = Reply(550, "5.7.1", "no")
    for t, expected in (
        (transaction(NO, [NO, NO, NO], NO), ["5.1.0"] * 3),
        (transaction(policy, [policy] * 3, policy), ["5.7.1"] * 3),
        (transaction(Reply(553, "", "bad sender"), [NO, NO, NO], NO), ["5.1.0"] * 3),
        (transaction(OK, [OK, NO, OK], NO), ["5.1.0", "5.1.1", "5.1.0"]),
        (transaction(OK, [OK, LATER, OK], end=late), ["4.1.0", "4.7.1", "4.1.0"]),
        (transaction(OK, [OK, OK, OK], end=policy), ["5.7.1"] * 3),
        (transaction(OK, [LATER, OK, policy], end=NO), ["4.7.1", "5.1.1", "5.7.1"]),
        (transaction(OK, [LATER, OK, policy], NO), ["4.7.1", "5.1.1", "5.7.1"]),
    ):
        made = delivery(tmp_path, many(3))
        made.note(made.next(), t, None)
        assert [outcome.status for outcome in made.outcomes()] == expected
    made = delivery(tmp_path, many(2))
    made.note(made.next(), transaction(OK, [OK, TOO_MANY], end=NO), None)
    made.note(made.next(), transaction(OK, [OK]), None)
    assert result(made) == [("failed", "5.1.1"), ("done", "2.0.0")]
    made = delivery(tmp_path, many(1))
    made.note(made.next(), transaction(NO, [NO], NO), None)
    assert result(made) == [("failed", "5.1.0")]


def test_a_bare_code_gets_the_status_that_fits(tmp_path):
    """Servers without enhanced codes: never 5.1.1, which would delete contacts at others."""
    made = delivery(tmp_path, many(4))
    replies = [Reply(550, "", "no"), Reply(450, "", "later"), Reply(553, "", "bad"), Reply(599, "", "odd")]
    made.note(made.next(), transaction(OK, replies), None)
    assert [outcome.status for outcome in made.outcomes()] == ["5.0.0", "4.2.0", "5.1.3", "5.0.0"]


def test_groups(tmp_path):
    """100 at a time, or as many as the server says, and never more than can be written in one turn."""

    def sizes(count, offers):
        made, found = delivery(tmp_path, many(count), offers), []
        while (group := made.next()) is not None:
            found.append(len(group.numbers))
        return found

    assert sizes(250, NOTHING) == [100, 100, 50]
    assert sizes(250, Offers(most_recipients=60)) == [60, 60, 60, 60, 10]
    assert sizes(2500, Offers(most_recipients=15000)) == [1000, 1000, 500]


def test_too_many(tmp_path):
    """Those that were one too many go in a further transaction, as long as each gets some further."""
    made = delivery(tmp_path, many(3))
    made.note(made.next(), transaction(OK, [OK, TOO_MANY, TOO_MANY]), None)
    group = made.next()
    assert group == Group((1, 2), ROBIN)
    made.note(group, transaction(OK, [OK, TOO_MANY]), None)
    group = made.next()
    assert group == Group((2,), ROBIN)
    made.note(group, transaction(OK, [TOO_MANY], NO), None)
    assert made.next() is None
    assert result(made) == [("done", "2.0.0"), ("done", "2.0.0"), ("try-again", "4.5.3")]


def test_too_many_in_the_words_of_old_servers(tmp_path):
    """552 without an enhanced code (RFC 5321 4.5.3.1.10): tried again; who is refused alone too has it as an answer."""
    made = delivery(tmp_path, many(3))
    full = Reply(552, "", "too many recipients, or too much mail")
    made.note(made.next(), transaction(OK, [OK, full, full]), None)
    group = made.next()
    assert group == Group((1, 2), ROBIN)
    made.note(group, transaction(OK, [OK, full]), None)
    group = made.next()
    assert group == Group((2,), ROBIN)
    made.note(group, transaction(OK, [full], NO), None)
    assert made.next() is None
    assert result(made) == [("done", "2.0.0"), ("done", "2.0.0"), ("failed", "5.0.0")]


def test_a_full_mailbox_is_not_too_many(tmp_path):
    """452 with another meaning is an answer like any other."""
    made = delivery(tmp_path, many(2))
    made.note(made.next(), transaction(OK, [OK, Reply(452, "4.2.2", "full")]), None)
    assert made.next() is None
    assert result(made)[1] == ("try-again", "4.2.2")


def test_trouble(tmp_path):
    """When the connection ends, what was settled stays, and everybody else waits, of later groups too."""
    made = delivery(tmp_path, many(150))
    group = made.next()
    t = Transaction(b"MAIL", [b"RCPT"] * 100, pipelining=True, chunking=False, reset=False)
    t.lines()
    for reply in (OK, NO, OK):
        t.take(reply)
    made.note(group, t, Trouble("4.4.2", "It broke off."))
    assert made.next() is None
    assert result(made) == [("failed", "5.1.1"), *[("try-again", "4.4.2")] * 149]


def test_success_is_for_the_hop_to_tell(tmp_path):
    """RFC 3461 5.2.2 and RFC 2852: without DSN, or without DELIVERBY for who asked, `relayed` is our report to make."""
    by = {"deliver_by": 9.0, "deliver_by_mode": "N"}
    traced = by | {"deliver_by_trace": True}
    for offers, more, expected in (
        (DSN, {}, ""), (NOTHING, {}, "relayed"), (DSN, by, "relayed"), (Offers(dsn=True, deliver_by=0), by, ""),
        (Offers(dsn=True, deliver_by=0), traced, "relayed"),
    ):
        made = delivery(tmp_path, many(1), offers, **more)
        made.note(made.next(), transaction(OK, [OK]), None)
        assert made.outcomes()[0].success == expected


def test_never_to_a_server_without_dsn(tmp_path):
    """RFC 3461 5.2.2: who wants no report gets none from that server either; refused so, it goes with its sender."""
    never = Recipient("never@example.net", frozenset({"NEVER"}))
    made = delivery(tmp_path, ["kim@example.net", never], NOTHING)
    assert made.next() == Group((0,), ROBIN)
    silent = made.next()
    assert silent == Group((1,), "")
    made.note(silent, transaction(NO, [NO], NO), None)
    again = made.next()
    assert again == Group((1,), ROBIN)
    made.note(again, transaction(NO, [NO], NO), None)
    assert made.next() is None
    assert delivery(tmp_path, ["kim@example.net", never], DSN).next() == Group((0, 1), ROBIN)


def test_addresses_that_cannot_go(tmp_path):
    """They fail alone; with nobody else left, nothing is said at all."""
    made = delivery(tmp_path, ["kíñ@example.net", "kim@example.net"])
    assert made.next() == Group((1,), ROBIN)
    assert delivery(tmp_path, ["kíñ@example.net"]).next() is None


@given(st.lists(st.sampled_from([OK, NO, LATER, TOO_MANY]), min_size=1, max_size=30), st.sampled_from([OK, NO, LATER]))
def test_everybody_has_an_outcome(tmp_path_factory, replies, end):
    """Whatever is answered, each recipient has one outcome in the end, and no transaction is begun for ever."""
    made = delivery(tmp_path_factory.mktemp("m"), many(len(replies)))
    rounds = 0
    while (group := made.next()) is not None:
        answers = [replies[number] if not rounds else OK for number in group.numbers]
        data = Reply(354, "", "go") if any(reply.positive for reply in answers) else NO
        made.note(group, transaction(OK, answers, data, end), None)
        rounds += 1
    assert rounds <= 2
    assert len(made.outcomes()) == len(replies)
    assert all(outcome.kind != "done" for outcome, reply in zip(made.outcomes(), replies, strict=True) if reply is NO)
