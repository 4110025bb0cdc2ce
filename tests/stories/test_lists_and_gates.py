"""Who gets a message and who is kept from it: lists over three nodes, message actions, private and secure, quotas."""

import contextlib

from tests.rfc3801 import check
from tests.stories.house import until
from tests.stories.site import CHRIS, DANA, JO, PAT, ROBIN, letter, parsed, tag

OUT = "terry@elsewhere.example"


@contextlib.contextmanager
def but(house, command, *change, back):
    """An object changed for as long as the story is told."""
    house.run(*command, *change)
    try:
        yield
    finally:
        house.run(*command, *back)


def test_a_list_over_all_nodes(site):
    """Members on three nodes, at two voice-mail systems and outside: each has one copy, nested and named twice or not;
    To still shows the list, and a VPIM copy lists nobody but whom it is for."""
    word, at = tag(), "everybody@vm1.example.com"
    site.a.run("contact", "add", "terry", "--display-name", "Terry Outside", "--proxy", OUT)
    site.a.run("list", "add", "inner", "--member", "dana", "--member", "jo", "--allow-contacts")
    members = [option for alias in ("robin", "chris", "jo", "pat", "terry", "inner") for option in ("--member", alias)]
    site.a.run("list", "add", "everybody", *members, "--allow-contacts")
    try:
        site.a.submit("robin", [at, CHRIS], letter("viewmail_voice", word, To=f"<{at}>"), sender=ROBIN,
                      rcpt=["NOTIFY=SUCCESS,FAILURE"])
        copies = [site.inbox(site.b, "chris", word)[0], site.inbox(site.c, "dana", word)[0]]
        (jo,) = until(lambda: site.london.having(word), site.journals)
        (out,) = until(lambda: site.outside.having(word), site.journals)
        site.inbox(site.d, "pat", word)
        site.quiet()
        mine = [parsed(octets) for octets in site.having(site.a, "robin", word)]
        reports = [one for one in mine if one.get_content_type() == "multipart/report"]
        assert [one["To"] for one in mine if one not in reports] == [at]
        assert [parsed(octets)["To"] for octets in copies] == [at] * 2
        assert (jo.recipients, out.recipients) == (["8882233@london.example.org"], [OUT])
        check(jo.octets, jo.sender, jo.recipients, complete=False)
        assert "NOTIFY=" not in out.rcpts[0] or "SUCCESS" not in out.rcpts[0]
        told = sorted(group for report in reports for group in groups(report))
        assert (at, "expanded") in told and (CHRIS, "delivered") in told and len(told) == 2, told
    finally:
        for kind, alias in (("list", "everybody"), ("list", "inner"), ("contact", "terry")):
            site.a.run(kind, "delete", alias)


def groups(report):
    _, status, *_ = report.iter_parts()
    return [(group["Final-Recipient"].partition(";")[2].strip(), group["Action"]) for group in status.get_payload()[1:]]


def test_a_list_for_users_only(site):
    """Pat's system may not write to a list that takes no mail from foreign systems; where it does, it arrives."""
    site.a.run("list", "add", "team", "--member", "robin", "--member", "chris", "--proxy", "1999@vm1.example.com")
    site.d.run("contact", "add", "team", "--display-name", "Team", "--location", "Head", "--mailbox-number", "1999",
               "--proxy", "team@head.example")
    try:
        word = tag()
        octets = letter("viewmail_voice", word, From="pat@elsewhere.example")
        site.d.submit("pat", ["team@head.example"], octets, sender="pat@elsewhere.example")
        (report,) = site.inbox(site.d, "pat", word)
        site.quiet()
        assert b"Status: 5.7." in report
        word = tag()
        with but(site.a, ("list", "set", "team"), "--accept-foreign", back=("--no-accept-foreign",)):
            octets = letter("viewmail_voice", word, From="pat@elsewhere.example")
            site.d.submit("pat", ["team@head.example"], octets, sender="pat@elsewhere.example")
            site.inbox(site.a, "robin", word)
            site.inbox(site.b, "chris", word)
            site.quiet()
    finally:
        site.d.run("contact", "delete", "team")
        site.a.run("list", "delete", "team")


def test_accept_and_relay(site):
    """Chris keeps a copy on node B and the same goes to a relay address outside, From untouched, through B's smart
    host; private or secure messages stay, and nobody is told."""
    word, private, secure = tag(), tag(), tag()
    host = (f"smart_host.port={site.outside.port}", "smart_host.host=127.0.0.1", "smart_host.tls=none")
    with site.rules(site.b, *host, "relay.allow_private=false"):
        with but(site.b, ("user", "set", "chris"), "--action", "voice=accept-and-relay", "--relay-address",
                 "chris@home.example", back=("--action", "voice=accept", "--relay-address", "")):
            for vector, one in (("viewmail_voice", word), ("private_voice", private), ("secure_voice_header", secure)):
                site.a.submit("robin", [CHRIS], letter(vector, one), sender=ROBIN)
                site.inbox(site.b, "chris", one)
            (out,) = until(lambda: site.outside.having(word), site.journals)
            site.quiet()
    assert (out.sender, out.recipients) == (ROBIN, ["chris@home.example"])
    assert b'From: "Robin Smith" <robin.smith@example.com>' in out.octets
    assert "NOTIFY=NEVER" in out.rcpts[0]
    assert site.outside.having(private) + site.outside.having(secure) == []
    assert site.having(site.a, "robin", private) + site.having(site.a, "robin", secure) == []


def test_relay_with_a_template(site):
    """A template says where to: %Alias%@fax.example for faxes; the message leaves, and the mailbox has none of it."""
    word, voice = tag(), tag()
    site.a.run("template", "add", "faxed", "--action", "fax=relay", "--relay-address", "%Alias%-fax@fax.example")
    site.a.add_user("lee", "--display-name", "Lee Park", "--template", "faxed")
    try:
        assert site.a.ask("user", "show", "lee")["relay_address"] == "lee-fax@fax.example"
        site.a.submit("robin", ["lee@vm1.example.com"], letter("exchange_um_fax", word, From=ROBIN), sender=ROBIN)
        site.a.submit("robin", ["lee@vm1.example.com"], letter("viewmail_voice", voice), sender=ROBIN)
        (out,) = until(lambda: site.outside.having(word), site.journals)
        site.inbox(site.a, "lee", voice)
        site.quiet()
        assert out.recipients == ["lee-fax@fax.example"]
        assert len(site.a.read("lee")) == 1
    finally:
        site.a.run("user", "delete", "lee")
        site.a.run("template", "delete", "faxed")


def test_private_and_secure_at_the_gates(site):
    """Secure stays within the site: to Chris on B yes, as secure, to Jo and outside no; a location that may
    have it gets it. Private goes to Jo as private; outside only while the site relays private messages."""
    word = tag()
    site.a.submit("robin", [CHRIS, JO, OUT], letter("secure_voice_header", word), sender=ROBIN)
    report = site.told(site.a, "robin", word)
    site.quiet()
    assert report.groups == [(JO, "failed", "5.7.1"), (OUT, "failed", "5.7.1")]
    assert all(part.get_content_type() != "message/rfc822" for part in report.original)
    (chris,) = site.inbox(site.b, "chris", word)
    assert "secure=yes;" in parsed(chris)["X-Unitymail-Trace"]
    word = tag()
    with but(site.a, ("location", "set", "London"), "--allow-secure", back=("--no-allow-secure",)):
        site.a.submit("robin", [JO], letter("secure_voice_header", word), sender=ROBIN)
        until(lambda: site.london.having(word), site.journals)
        site.quiet()

    word = tag()
    site.a.run("cos", "set", "Default", "--secure", "never")
    try:
        with site.rules(site.a, "relay.allow_private=false"):
            site.a.submit("robin", [JO, OUT], letter("private_voice", word), sender=ROBIN)
            report = site.told(site.a, "robin", word)
            (jo,) = until(lambda: site.london.having(word), site.journals)
            site.quiet()
    finally:
        site.a.run("cos", "set", "Default", "--secure", "private")
    assert report.groups == [(OUT, "failed", "5.7.1")]
    assert parsed(jo.octets)["Sensitivity"].lower() == "private"
    check(jo.octets, jo.sender, jo.recipients)


def test_a_full_mailbox_on_another_node(site):
    """Dana's home server alone knows that there is no room: the report comes back to Robin on A. A receipt gets in."""
    word, full = tag(), tag()
    with site.c.imap("dana") as box:
        box.select("INBOX")
        box.store("1:*", "+FLAGS", "(\\Deleted)")
        box.expunge()
    with but(site.c, ("user", "set", "dana"), "--quota", "warning=1K,send=2K,receive=3K",
             back=("--quota", "warning=12M,send=13M,receive=14M")):
        site.a.submit("robin", [DANA], letter("viewmail_voice", word), sender=ROBIN)
        site.inbox(site.c, "dana", word)
        site.a.submit("robin", [DANA, CHRIS], letter("viewmail_voice", full), sender=ROBIN)
        report = site.told(site.a, "robin", full)
        site.inbox(site.b, "chris", full)
        site.quiet()
    assert report.groups == [(DANA, "failed", "4.2.2")]
    assert "full" in report.words and "Dana Reed" in report.words
    assert site.having(site.c, "dana", full) == []


def test_who_wants_no_reports_gets_none(site):
    """With --no-route-ndr nothing comes back to Robin, wherever it fails; a sender who says NOTIFY=NEVER hears nothing
    either."""
    word, never = tag(), tag()
    with site.rules(site.a, "recipient_not_found=ndr"):
        with but(site.a, ("user", "set", "robin"), "--no-route-ndr", back=("--route-ndr",)):
            site.a.submit("robin", ["nobody@vm1.example.com"], letter("email_plain", word), sender=ROBIN)
            site.quiet()
        site.a.submit("robin", ["nobody@vm1.example.com"], letter("email_plain", never), sender=ROBIN,
                      rcpt=["NOTIFY=NEVER"])
        site.quiet()
    assert site.having(site.a, "robin", word) + site.having(site.a, "robin", never) == []


def test_out_of_scope(site):
    """Whom Robin's search scope does not reach is no recipient, and is not looked for outside either."""
    word = tag()
    site.a.run("partition", "add", "Board")
    site.a.run("partition", "add", "Staff")
    site.a.run("scope", "add", "staff", "--partition", "Staff")
    try:
        with but(site.a, ("user", "set", "robin"), "--scope", "staff", back=("--scope", "Default")):
            site.a.submit("robin", [CHRIS, PAT], letter("email_plain", word), sender=ROBIN)
            report = site.told(site.a, "robin", word)
            site.quiet()
            assert report.groups == [(CHRIS, "failed", "5.7.1"), (PAT, "failed", "5.7.1")]
            assert site.outside.having(word) == []
    finally:
        site.a.run("scope", "delete", "staff")
        site.a.run("partition", "delete", "Board")
        site.a.run("partition", "delete", "Staff")
