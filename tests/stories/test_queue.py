"""What waits: an operator's commands on a running node, mail for later, mail with a deadline, and a restart."""

import csv
import io
import time

from tests.stories.house import until
from tests.stories.sink import USUAL, Sink
from tests.stories.site import CHRIS, ROBIN, letter, tag

OUT = "terry@elsewhere.example"


def put_off(site, relay, count):
    """[(word, trace)] of messages that the smart host asked to come again with; `queue list` has them."""
    made = []
    for _ in range(count):
        word = tag()
        relay.script["rcpt"].append("450 4.2.0 later")
        trace = site.a.submit("robin", [OUT], letter("email_plain", word), sender=ROBIN)
        site.a.hears("attempted", trace)
        made.append((word, trace))
    until(lambda: {trace for _, trace in made} <= traces(site), site.journals)
    return made


def traces(site):
    return {row["trace"] for row in site.a.ask("queue", "list")}


def test_an_operator_and_the_queue(site):
    """hold, retry, release, bounce and delete are seen by the running node, each for the message it was meant for."""
    with Sink() as relay, site.through(relay.port):
        (held, held_id), (sent, sent_id), (back, back_id), (gone, gone_id) = put_off(site, relay, 4)
        site.a.run("queue", "hold", held_id)
        assert [row["trace"] for row in site.a.ask("queue", "list", "--held")] == [held_id]
        site.a.run("queue", "bounce", "--yes", "--why", "The project is over.", back_id)
        site.a.run("queue", "delete", "--yes", gone_id)
        site.a.run("queue", "retry", "--to", "elsewhere.example", check=False)
        report = site.told(site.a, "robin", back)
        relay.wait_for(1)
        site.quiet(held_id)
        assert "The project is over." in report.words
        assert [len(relay.having(word)) for word in (held, sent, back, gone)] == [0, 1, 0, 0]
        assert site.a.ask("queue", "show", held_id)["trace"] == held_id
        refused = site.a.run("queue", "retry", held_id, check=False)
        assert (refused.returncode, "queue release" in refused.stderr) == (1, True)
        site.a.run("queue", "release", held_id)
        site.quiet()
        assert len(relay.having(held)) == 1
        assert site.having(site.a, "robin", gone) == []
        assert "deleted" in site.a.run("trace", gone_id).lower()
        assert sent_id not in traces(site)


def test_mail_for_later(site):
    """HOLDFOR: it waits here, in the queue, and reaches Chris on B when its time has come, not before."""
    word = tag()
    began = time.time()
    trace = site.a.submit("robin", [CHRIS], letter("email_plain", word), sender=ROBIN, mail=["HOLDFOR=3"])
    assert site.having(site.b, "chris", word) == []
    line = site.a.hears("attempted", trace)
    assert time.time() - began >= 3, line
    site.inbox(site.b, "chris", word)

    word = tag()
    trace = site.a.submit("robin", [CHRIS], letter("email_plain", word), sender=ROBIN, mail=["HOLDFOR=3600"])
    until(lambda: trace in traces(site), site.journals)
    site.a.run("queue", "release", trace)
    site.inbox(site.b, "chris", word)


def test_mail_with_a_deadline(site):
    """DELIVERBY: the next hop that offers it is told what is left; one that does not is no way for mode R."""
    word, back = tag(), tag()
    with Sink(extensions=(*USUAL, "DELIVERBY")) as relay, site.through(relay.port):
        site.a.submit("robin", [OUT], letter("email_plain", word), sender=ROBIN, mail=["BY=600;R"])
        (got,) = until(lambda: relay.having(word), site.journals)
        left, mode = got.mail.partition("BY=")[2].split()[0].split(";")
        assert (500 <= int(left) <= 600, mode[0]) == (True, "R")
    with Sink() as relay, site.through(relay.port):
        site.a.submit("robin", [OUT], letter("email_plain", back), sender=ROBIN, mail=["BY=600;R"])
        report = site.told(site.a, "robin", back)
        assert report.groups == [(OUT, "failed", "5.3.3")]
        assert relay.having(back) == []


def test_a_restart_with_a_queue(site):
    """What waits when the node ends, by SIGTERM or by kill -9, is there when it starts, held or not, and goes once."""
    with Sink() as relay, site.through(relay.port):
        made = put_off(site, relay, 6)
        site.a.run("queue", "hold", made[0][1])
        later = site.a.submit("robin", [OUT], letter("email_plain", tag()), sender=ROBIN, mail=["HOLDFOR=3600"])
        for end in (site.a.stop, site.a.kill):
            end()
            site.a.start()
            assert traces(site) == {trace for _, trace in made} | {later}
            assert [row["trace"] for row in site.a.ask("queue", "list", "--held")] == [made[0][1]]
        site.a.run("queue", "delete", "--yes", later)
        site.a.run("queue", "release", made[0][1])
        site.a.run("queue", "retry", "--all", check=False)
        site.quiet()
        assert [len(relay.having(word)) for word, _ in made] == [1] * 6
    assert all(site.having(site.a, "robin", word) == [] for word, _ in made)


def test_people_from_a_file(site):
    """`import users` on a running node: good rows are in force at once, the bad one is told with its line; and the
    address book of a scope has who is there."""
    path, word = site.folder / f"{tag()}.csv", tag()
    path.write_text(
        "alias,display_name,extension,proxy,password\n"
        "alex,Alex Stone,1051,alex.stone@example.com;a.stone@example.com,Alex-Opens-4-you\n"
        "blair,Blair Woods,1041,blair.woods@example.com,Blair-Opens-4-you\n"
        "casey,Casey Ford,1053,casey.ford@example.com,Casey-Opens-4-you\n"
    )
    done = site.a.run("import", "users", str(path), check=False)
    try:
        assert (done.returncode, "3" in done.stderr, "1041" in done.stderr) == (1, True, True), done
        site.a.passwords["alex"] = "Alex-Opens-4-you"
        site.a.submit("robin", ["a.stone@example.com", "blair.woods@example.com"], letter("email_plain", word),
                      sender=ROBIN)
        site.inbox(site.a, "alex", word)
        rows = list(csv.reader(io.StringIO(site.a.run("scope", "addressbook", "Default"))))
        listed = {cell for row in rows for cell in row}
        assert {"Alex Stone", "Casey Ford", "Chris Jones", "Jo Poole"} <= listed and "Blair Woods" not in listed
    finally:
        for alias in ("alex", "casey"):
            site.a.run("user", "delete", alias)
