"""The smart host refuses, hangs up, is slow, or is somebody else: nothing is lost, and Robin hears what is true.

Being away for a day is told with a clock of its own in tests/courier/test_stories.py, and how long a silence is borne
in tests/relay/test_silence.py.
"""

import contextlib
import ssl

import pytest
import trustme

from tests.stories.house import until
from tests.stories.sink import DROP, SILENT, Sink
from tests.stories.site import CHRIS, ROBIN, letter, tag

OUT = "terry@elsewhere.example"
IN_A_TRANSACTION = ("mail", "rcpt", "data", "dot")
BEFORE_IT = ("banner", "ehlo")


@pytest.fixture
def relay(site):
    """A smart host of node A that a story may tell what to do, without TLS."""
    with Sink() as sink, site.through(sink.port):
        yield sink


def attempts(site, trace, count):
    """What the trace says of each attempt to send the message, when it knows of so many."""

    def told():
        found = [event for event in site.a.ask("trace", trace) if event["event"] == "attempted"]
        return found if len(found) >= count else None

    return until(told, site.journals)


def send(site, word, to=OUT):
    """Robin's message; its trace id, once it was tried."""
    trace = site.a.submit("robin", [to], letter("email_plain", word), sender=ROBIN)
    site.a.hears("attempted", trace)
    return trace


def retry(site, trace):
    """`queue retry`, as soon as nobody works on the message."""
    waits(site, trace)
    until(lambda: site.a.run("queue", "retry", trace, check=False).returncode == 0, site.journals)


def tried_again(site, trace):
    """`queue retry`, and the attempt that it leads to."""
    before = tries(site, trace)
    retry(site, trace)
    until(lambda: tries(site, trace) > before, lambda: f"{trace} is not tried again\n{site.journals()}")


def falls_silent(site, relay, step):
    """The smart host has been asked at this step and does not answer; then others have their mail all the same."""
    word = tag()
    until(lambda: not relay.script[step], lambda: f"{step} did not come\n{site.journals()}")
    site.a.submit("robin", [CHRIS], letter("email_plain", word), sender=ROBIN)
    site.inbox(site.b, "chris", word)


def tries(site, trace):
    return sum(" attempted " in line and trace in line for line in site.a.output)


def waits(site, trace):
    """The message as `queue list` shows it, which it does when it has been there for a moment."""

    def row():
        return next((row for row in site.a.ask("queue", "list") if row["trace"] == trace and row["last_error"]), None)

    return until(row, site.journals)


def test_asked_to_come_back_at_every_step(site, relay):
    """One message is put off at the greeting, at EHLO, and at each step of its transaction: it arrives once."""
    word = tag()
    steps = (*BEFORE_IT, *IN_A_TRANSACTION)
    relay.script["banner"].append("421 4.3.2 not today")
    trace = send(site, word)
    for step in steps[1:]:
        assert waits(site, trace)["last_error"]
        relay.script[step] += ["451 4.3.0 later, please"] * (2 if step == "ehlo" else 1)  # HELO is tried then
        tried_again(site, trace)
    tried_again(site, trace)
    site.quiet()
    assert [got.answered for got in relay.having(word)] == ["451 4.3.0 later, please", "250 2.0.0 kept"]
    told = attempts(site, trace, len(steps) + 1)
    assert all("later, please" in str(one) for one in told[1:-1])
    assert site.having(site.a, "robin", word) == []


def test_hung_up_at_every_step(site, relay):
    """The connection ends at each step in turn. What may have been taken is sent again, and the trace says so."""
    word = tag()
    steps = (*BEFORE_IT, *IN_A_TRANSACTION)
    relay.script["banner"].append(DROP)
    trace = send(site, word)
    for step in steps[1:]:
        assert waits(site, trace)["last_error"]
        relay.script[step].append(DROP)
        tried_again(site, trace)
    tried_again(site, trace)
    site.quiet()
    assert [got.answered for got in relay.having(word)] == ["drop", "250 2.0.0 kept"]
    told = attempts(site, trace, len(steps) + 1)
    assert [bool(one.get("sent_dot")) for one in told] == [False] * (len(steps) - 1) + [True, False]
    story = " ".join(site.a.run("trace", trace).split())
    assert story.count("ended after the final dot and before the reply: it may have been taken") == 1


def test_silent_at_every_step(site, relay):
    """The smart host says nothing more, at each step in turn, until the connection ends: it holds nobody else up, and
    the message arrives. Silence after the whole message is as an end there: it is sent again, and the trace says so."""
    word = tag()
    relay.script["banner"].append(SILENT)
    trace = site.a.submit("robin", [OUT], letter("email_plain", word), sender=ROBIN)
    steps = (*BEFORE_IT, *IN_A_TRANSACTION)
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        falls_silent(site, relay, step)
        if following:
            relay.script[following].append(SILENT)
        relay.hang_up()
        retry(site, trace)
    site.quiet()
    assert [got.answered for got in relay.having(word)] == ["drop", "250 2.0.0 kept"]
    told = attempts(site, trace, len(steps) + 1)
    assert [bool(one.get("sent_dot")) for one in told] == [False] * (len(steps) - 1) + [True, False]


@pytest.mark.parametrize("how", [DROP, SILENT], ids=["hangs up", "reads no further"])
def test_in_the_middle_of_a_message(site, relay, how):
    """Half of a large message is none: it is sent again, whole, and nobody may have had it before."""
    word = tag()
    octets = letter("email_plain", word) + (b"." + b"x" * 70 + b"\r\n") * 90_000
    relay.script["body"].append(how)
    trace = site.a.submit("robin", [OUT], octets, sender=ROBIN)
    falls_silent(site, relay, "body")
    relay.hang_up()
    tried_again(site, trace)
    site.quiet()
    (got,) = relay.having(word)
    assert got.octets.endswith(octets)
    assert [bool(one.get("sent_dot")) for one in attempts(site, trace, 2)] == [False, False]


@pytest.mark.parametrize("step", IN_A_TRANSACTION)
def test_refused_for_good(site, relay, step):
    """Robin gets the message back at once, with the words of the smart host."""
    word = tag()
    relay.script[step].append("554 5.7.1 we take no mail with this word")
    trace = site.a.submit("robin", [OUT], letter("email_plain", word), sender=ROBIN)
    report = site.told(site.a, "robin", word)
    assert report.groups == [(OUT, "failed", "5.7.1")]
    assert "we take no mail with this word" in report.words and trace in report.words
    assert "we take no mail with this word" in " ".join(report.status[1]["Diagnostic-Code"].split())
    site.quiet()
    assert [got.answered[:3] for got in relay.having(word)] == (["554"] if step == "dot" else [])


@pytest.mark.parametrize("step", BEFORE_IT)
def test_closed_for_us(site, relay, step):
    """A server that will not talk to us at all says nothing of the message: it is kept, and goes when all is well."""
    word = tag()
    relay.script[step] += ["554 5.3.2 no service here"] * 2
    trace = send(site, word)
    assert "no service here" in waits(site, trace)["last_error"]
    relay.script[step].clear()
    tried_again(site, trace)
    site.quiet()
    assert len(relay.having(word)) == 1
    assert site.having(site.a, "robin", word) == []


def test_some_are_put_off_and_some_refused(site, relay):
    """Each recipient for itself: one report, one copy to each that is taken, the rest later."""
    word = tag()
    people = [f"{name}@elsewhere.example" for name in ("a", "b", "c")]
    relay.script["rcpt"] += [None, "550 5.1.1 no b", "450 4.2.0 c later"]
    trace = site.a.submit("robin", people, letter("email_plain", word), sender=ROBIN)
    report = site.told(site.a, "robin", word)
    assert report.groups == [(people[1], "failed", "5.1.1")]
    tried_again(site, trace)
    site.quiet()
    assert [got.recipients for got in relay.having(word)] == [[people[0]], [people[2]]]


def test_slow_by_the_octet(site, relay):
    """Replies that trickle in are waited for, and understood."""
    word = tag()
    relay.slow = True
    trace = send(site, word)
    site.quiet()
    assert (len(relay.having(word)), tries(site, trace)) == (1, 1)


def test_idle_connections_end(site, relay):
    """The smart host closes what is idle, or says 421 to the next message: that one goes at once, and once."""
    words = [tag() for _ in range(4)]
    send(site, words[0])
    relay.hang_up()
    send(site, words[1])
    relay.script["mail"].append("421 4.4.2 you were silent for too long")
    send(site, words[2])
    relay.script["mail"].append(DROP)
    send(site, words[3])
    site.quiet()
    assert [len(relay.having(word)) for word in words] == [1, 1, 1, 1]


def certificate(authority, *names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@contextlib.contextmanager
def with_certificate(site, authority, context, tls="required"):
    """A smart host that shows a certificate; node A knows the authority."""
    path = site.folder / f"{tag()}.pem"
    authority.cert_pem.write_to_path(str(path))
    with Sink(context=context) as sink, site.through(sink.port, f"smart_host.ca_file={path}", tls=tls):
        yield sink


@pytest.mark.parametrize("flaw", ["name", "authority"])
def test_a_wrong_certificate(site, flaw):
    """Mail that needs TLS waits while the smart host cannot prove who it is; nothing is said to it in the clear."""
    word, ours = tag(), trustme.CA()
    wrong = certificate(ours, "other.example") if flaw == "name" else certificate(trustme.CA(), "localhost")
    with with_certificate(site, ours, wrong) as sink:
        trace = send(site, word)
        assert "certificate" in waits(site, trace)["last_error"]
        assert {line.split()[0] for said in sink.conversations for line in said} <= {"EHLO", "STARTTLS", "QUIT"}
        sink.context = certificate(ours, "localhost")
        tried_again(site, trace)
        site.quiet()
        assert len(sink.having(word)) == 1
    assert site.having(site.a, "robin", word) == []


def test_trouble_when_tls_begins(site):
    """It hangs up at STARTTLS, is silent, or cannot now: mail that needs TLS waits, and goes under TLS later."""
    word, ours = tag(), trustme.CA()
    with with_certificate(site, ours, certificate(ours, "localhost")) as sink:
        sink.script["starttls"] += [DROP, SILENT, "454 4.7.0 not now"]
        trace = send(site, word)
        retry(site, trace)
        until(lambda: len(sink.script["starttls"]) == 1, site.journals)
        sink.hang_up()
        until(lambda: tries(site, trace) == 2, site.journals)
        tried_again(site, trace)
        retry(site, trace)
        site.quiet()
        assert len(sink.having(word)) == 1
        told = str(attempts(site, trace, 4))
        assert all(words in told for words in ("before its answer to STARTTLS", "454 4.7.0 not now")), told
        assert all(line.split()[0] != "MAIL" for said in sink.conversations[:3] for line in said)


def test_any_certificate_where_none_is_asked_for(site):
    """Opportunistic TLS hides mail from who listens, whoever answers."""
    word, other = tag(), certificate(trustme.CA(), "other.example")
    with with_certificate(site, trustme.CA(), other, tls="opportunistic") as sink:
        send(site, word)
        site.quiet()
        assert len(sink.having(word)) == 1
        assert any("STARTTLS" in said for said in sink.conversations)


def test_no_tls_where_it_is_required(site, relay):
    """A smart host that offers none any more gets nothing, until the site's rule allows it: then at once."""
    word = tag()
    with site.rules(site.a, "smart_host.tls=required"):
        trace = send(site, word)
        assert "TLS" in waits(site, trace)["last_error"]
        assert not any(line.startswith("MAIL") for said in relay.conversations for line in said)
    site.quiet()
    assert len(relay.having(word)) == 1
