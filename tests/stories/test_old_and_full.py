"""Mail that is too old, mailboxes that are too full, and what is gone for good, on a running node with clients."""

import re
import smtplib
import sqlite3
from contextlib import closing

import pytest

from tests.stories.house import House, fetch_all, until
from tests.stories.sink import Sink
from tests.stories.site import letter as vector
from tests.stories.site import parsed

ROBIN, CHRIS = "robin.smith@example.com", "chris.jones@example.com"
DAY = 86_400


def letter(number, size=100):
    return (
        b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: number %d\r\n"
        b"Message-ID: <%d@old.example>\r\n\r\n" % (number, number)
    ) + b"0123456789abcdef\r\n" * (size // 18)


def days_go_by(house, alias, days):
    """For this mailbox: what its index says of when things were is so many days longer ago."""
    path = house.account(alias) / "unitymail.index"

    def noted():
        with closing(sqlite3.connect(path, timeout=20)) as index:
            return index.execute("SELECT count(*) FROM bins").fetchone()[0]

    until(noted, "the index does not say what Deleted Items is")
    with closing(sqlite3.connect(path, timeout=20)) as index:
        index.execute("UPDATE facts SET saved = saved - ?1, date = date - ?1", (days * DAY,))
        index.execute("UPDATE bins SET since = since - ?", (days * DAY,))
        index.commit()


def look_again(house, **rules):
    """The rules change, so that a round begins."""
    house.run("site", "set", *(f"aging.{name}={value}" for name, value in rules.items()))


@pytest.fixture
def mail(house):
    """Chris has three messages."""
    for number in range(3):
        house.submit("robin", [CHRIS], letter(number), sender=ROBIN)
    until(lambda: len(house.read("chris")) == 3, "the mail does not come")
    return house


def test_deleted_items_are_emptied_while_a_client_idles(mail):
    """Whoever looks hears of it at once; the journal tells; undelete brings it back before everybody's eyes."""
    with mail.imap("chris") as box:
        box.select("INBOX")
        box.uid("MOVE", "1:3", '"Deleted Items"')
        box.select('"Deleted Items"')
        days_go_by(mail, "chris", 14.9)
        box.send(b"i IDLE\r\n")
        assert box.readline() == b"+ idling\r\n"
        look_again(mail, deleted_days=14)
        heard = b""
        while heard.count(b" EXPUNGE\r\n") < 3:
            heard += box.readline()
        line = mail.hears(" aged ", 'folder="Deleted Items"')
        assert "rule=deleted" in line and "messages=3" in line
        listed = mail.ask("mailbox", "undelete", "chris", "--list", "--folder", "Deleted Items")
        assert sorted(row["subject"] for row in listed) == ["number 0", "number 1", "number 2"]
        assert mail.ask("mailbox", "undelete", "chris", "--since", "1h")["undeleted"] == 3
        while b"* 3 EXISTS\r\n" not in heard:
            heard += box.readline()
        box.send(b"DONE\r\n")
        while b"i OK" not in heard:
            heard += box.readline()
        assert len(fetch_all(box, "Deleted Items")) == 3
    look_again(mail, deleted_days=13)
    assert mail.ask("mailbox", "stat", "chris")["messages"] == 3


def test_who_is_left_out(mail):
    """`--no-age-messages` keeps everything; the user next door loses what is old."""
    mail.submit("robin", [ROBIN], letter(7), sender=ROBIN)
    mail.run("user", "set", "chris", "--no-age-messages")
    for alias in ("chris", "robin"):
        with mail.imap(alias) as box:
            box.select("INBOX")
            box.uid("MOVE", "1:*", '"Deleted Items"')
        days_go_by(mail, alias, 100)
    look_again(mail, deleted_days=14)
    mail.hears(" aged ", "messages=1")
    assert mail.ask("mailbox", "stat", "robin")["messages"] == 0
    assert mail.ask("mailbox", "stat", "chris")["messages"] == 3


def test_a_voice_message_that_nobody_heard(house):
    """Its sender, who asked, learns that it went by itself; nobody is told that it was played."""
    asking = {"Disposition-Notification-To": ROBIN}
    house.submit("robin", [CHRIS], vector("viewmail_voice", "unheard", **asking), sender=ROBIN)
    until(lambda: house.read("chris"), "the message does not come")
    with house.imap("chris") as box:
        box.select("INBOX")
        box.uid("MOVE", "1", '"Deleted Items"')
    days_go_by(house, "chris", 20)
    look_again(house, deleted_days=14)
    house.hears(" receipt-sent ")
    [octets] = house.read("robin").values()
    assert parsed(octets)["Subject"].startswith("Not played: ")
    assert b"Disposition: automatic-action/MDN-sent-automatically; deleted/expired\r\n" in octets


def test_a_recording_expires(house):
    """The message stays, with another UID and a notice in the place of the recording; its story says so."""
    trace = house.submit("robin", [CHRIS], vector("viewmail_voice", "expires"), sender=ROBIN)
    until(lambda: house.read("chris"), "the message does not come")
    days_go_by(house, "chris", 31)
    with house.imap("chris") as box:
        assert b"audio" in fetch_all(box)[1]
        look_again(house, recording_enabled="true")
        house.hears(" aged ", "rule=recording")
        [(uid, octets)] = fetch_all(box).items()
    assert uid == 2 and b"audio" not in octets and b"The recording of this message is not here any more" in octets
    until(lambda: "Its recording was removed" in house.run("trace", trace), "the trace does not tell")


def test_a_warning_before_mail_goes(mail):
    """The user has one mail about it, however often somebody looks, and after a restart."""
    with mail.imap("chris") as box:
        box.select("INBOX")
        box.uid("MOVE", "1:3", '"Deleted Items"')
    days_go_by(mail, "chris", 12.5)
    look_again(mail, deleted_alert_days=3)
    mail.hears(" notified ", "about=aging")
    look_again(mail, deleted_alert_days=4)
    mail.stop()
    mail.start()
    look_again(mail, deleted_alert_days=5)
    until(lambda: mail.read("chris"), "the notice does not come")
    [octets] = mail.read("chris").values()
    said = " ".join(parsed(octets).get_content().split())
    assert "3 messages in Deleted Items will be removed for good, from" in said
    assert parsed(octets)["From"].addresses[0].addr_spec == "postmaster@vm1.example.com"


def filled(house, *sizes):
    for number, size in enumerate(sizes):
        house.submit("robin", [CHRIS], letter(number, size), sender=ROBIN)


def notices(house, alias="chris"):
    found = [parsed(octets) for octets in house.read(alias).values()]
    return [message["Subject"] for message in found if message["Auto-Submitted"] == "auto-generated"]


def test_a_mailbox_that_fills_up(house):
    """Warned once at each limit, by mail and at SELECT; then sending is refused, then getting mail; room ends it."""
    house.run("user", "set", "chris", "--quota", "warning=100K,send=200K,receive=300K")
    filled(house, 120_000)
    line = house.hears(" quota-reached ")
    assert "quota=warning" in line and "limit=102400" in line
    until(lambda: notices(house) == ["Your mailbox is almost full"], "no warning comes")
    with house.imap("chris") as box:
        box.select("INBOX")
        assert any(b"[OVERQUOTA] Your mailbox is almost full" in line for line in box.untagged_responses["NO"])
        filled(house, 100_000)
        house.hears(" quota-reached ", "quota=send")
        until(lambda: len(notices(house)) == 2, "no second notice comes")
        with pytest.raises(smtplib.SMTPSenderRefused, match=r"5\.2\.2"), house.smtp("chris") as client:
            client.sendmail(CHRIS, [ROBIN], letter(1).replace(b"robin.smith", b"chris.jones", 1))
        filled(house, 100_000)
        house.hears(" quota-reached ", "quota=receive")
        until(lambda: len(notices(house)) == 3, "no third notice comes")
        house.submit("robin", [CHRIS], letter(9), sender=ROBIN)
        until(lambda: b"Status: 4.2.2" in b"".join(house.read("robin").values()), "no report comes")
        box.noop()
        assert any(b"[ALERT] Your mailbox is full" in line for line in box.untagged_responses["NO"])
        assert house.ask("user", "show", "chris")["mailbox"]["reached"] == "receive"
    house.stop()
    house.start()
    filled_up = house.ask("mailbox", "stat", "chris")
    assert (filled_up["reached"], filled_up["full"]) == ("receive", True)
    with house.imap("chris") as box:
        box.select("INBOX")
        box.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
        box.expunge()
        until(lambda: not (house.folder / "accounts" / "warned").read_bytes(), "nobody sees that there is room again")
        filled(house, 120_000)
        house.hears(" quota-reached ", "quota=warning")
        until(lambda: notices(house) == ["Your mailbox is almost full"], "no warning comes after there was room")
    assert house.journal().count(" quota-reached ") == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_brought_in_counts(model, tmp_path, workers):
    """A mailbox that is full by a take-over gets no more mail, although nobody has ever opened it here."""
    for part in ("cur", "new", "tmp"):
        (tmp_path / "old" / part).mkdir(parents=True)
    (tmp_path / "old" / "cur" / "1700000000.M1P1.other:2,S").write_bytes(letter(1, 20_000))
    house = House.like(model, tmp_path / "node", workers=workers)
    house.start()
    try:
        house.run("user", "set", "chris", "--quota", "receive=10K")
        house.run("mailbox", "import", "chris", str(tmp_path / "old"), "--in-place")

        def refused():
            house.submit("robin", [CHRIS], letter(2), sender=ROBIN)
            return b"Status: 4.2.2" in b"".join(house.read("robin").values())

        until(refused, "no report comes")
    finally:
        house.stop()


def test_a_warning_to_the_corporate_address(house):
    """It leaves by the smart host, and the mailbox is spared."""
    with Sink() as sink:
        house.run("site", "set", "smart_host.host=127.0.0.1", f"smart_host.port={sink.port}", "smart_host.tls=none")
        house.run("user", "set", "chris", "--corporate-address", "chris@corp.example", "--quota", "warning=10K")
        filled(house, 20_000)
        [got] = until(lambda: sink.messages, "the smart host gets nothing")
        assert (got.sender, got.recipients) == ("", ["chris@corp.example"])
        assert parsed(got.octets)["Subject"] == "Your mailbox is almost full"
        assert notices(house) == []


def test_shredding(mail):
    """What is expunged for good is put where it is overwritten, and then is gone; what has another name stays whole."""
    mail.run("site", "set", "shredding_level=3", "undelete_days=0")
    new = [*(mail.account("chris") / "cur").iterdir(), *(mail.account("chris") / "new").iterdir()]
    kept = mail.folder / "kept"
    kept.hardlink_to(min(new))
    before = kept.read_bytes()
    with mail.imap("chris") as box:
        box.select("INBOX")
        box.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
        box.expunge()
        shred = mail.folder / "accounts" / ".shred"
        until(lambda: shred.is_dir() and list(shred.iterdir()), "nothing is put aside to be overwritten")
        until(lambda: not list(shred.iterdir()), "what was put aside does not go")
    assert kept.read_bytes() == before and kept.stat().st_nlink == 1
    assert mail.ask("mailbox", "undelete", "chris", "--list") == []


def test_several_processes(model, tmp_path):
    """One process looks after all mailboxes; clients of the others hear of it."""
    house = House.like(model, tmp_path / "node", workers=2)
    house.start()
    try:
        house.submit("robin", [CHRIS], letter(1, 20_000), sender=ROBIN)
        until(lambda: house.read("chris"), "the message does not come")
        boxes = [house.imap("chris") for _ in range(4)]
        for number, box in enumerate(boxes):
            box.select("INBOX")
            if not number:
                box.uid("COPY", "1", '"Deleted Items"')
            box.select('"Deleted Items"')
        days_go_by(house, "chris", 20)
        look_again(house, deleted_days=14)
        house.hears(" aged ", "messages=1")
        for box in boxes:
            until(lambda box=box: box.noop() and box.response("EXPUNGE")[1] != [None], "a client does not hear")
        house.run("user", "set", "chris", "--quota", "warning=10K")
        house.hears(" quota-reached ", "quota=warning")
        until(lambda: notices(house), "no notice comes")
        for box in boxes:
            box.logout()
        assert len(re.findall(r" quota-reached ", house.journal())) == 1
    finally:
        house.stop()
