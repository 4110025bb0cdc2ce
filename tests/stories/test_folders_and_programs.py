"""What an administrator and several programs see of one account's folders, over real connections."""


def capabilities(box):
    return set(box.capability()[1][0].decode().split())


def test_a_program_that_breaks_on_something(house):
    """`site set` keeps capabilities from one program, `user set` from one user's; who was there before is let alone."""
    before = house.imap("robin")
    house.run("site", "set", "imap.hide_capability=name=Outlook*: QRESYNC IDLE")
    house.run("user", "set", "chris", "--hide-capability", "NOTIFY", "--hide-capability", "METADATA")
    with before, house.imap("robin") as robin, house.imap("chris") as chris:
        assert {"QRESYNC", "IDLE", "METADATA"} <= capabilities(robin)
        assert not {"METADATA", "NOTIFY"} & capabilities(chris)
        robin.xatom("ID", '("name" "Outlook for phones")')
        assert not {"QRESYNC", "IDLE"} & capabilities(robin)
        assert "METADATA" in capabilities(robin)
        assert robin.enable("QRESYNC")[0] == "OK"
        assert robin.response("ENABLED")[1] == [b""]
        before.xatom("ID", '("name" "Outlook")')
        assert "IDLE" in capabilities(before)


def test_the_quota_is_the_users(house):
    """GETQUOTA shows the receive quota of `user set --quota` and what is there; the program cannot change it."""
    house.run("user", "set", "chris", "--quota", "warning=1M,send=2M,receive=3M")
    with house.imap("chris") as box:
        box.append("INBOX", None, None, b"Subject: x\r\n\r\n" + b"x" * 100_000)
        assert box.getquotaroot("INBOX")[1] == [[b'INBOX ""'], [b'"" (STORAGE 98 3072 MESSAGE 1 4294967295)']]
        assert box.setquota('""', "(STORAGE 1)")[0] == "NO"
        box.select("INBOX")
        box.store("1", "+FLAGS", "\\Deleted")
        status = box.status("INBOX", "(MESSAGES SIZE DELETED DELETED-STORAGE)")[1]
        assert status == [b"INBOX (MESSAGES 1 SIZE 100014 DELETED 1 DELETED-STORAGE 100014)"]


def test_a_colour_survives(house):
    """What one program annotates, another sees, after RENAME and a restart too; it was told that something changed."""
    color = "/private/vendor/acme/color"
    with house.imap("robin") as one, house.imap("robin") as other:
        other.enable("METADATA")
        one.create("Work")
        one.xatom("SETMETADATA", f'Work ({color} "#b71c1c")')
        other.noop()
        assert other.untagged_responses["METADATA"] == [b"Work /private/vendor/acme/color"]
        one.rename("Work", "Play")
    house.stop()
    house.start()
    with house.imap("robin") as box:
        box._simple_command("LIST", '"" (INBOX Play) RETURN (METADATA (' + color + ") STATUS (MESSAGES))")
        assert box.untagged_responses["METADATA"] == [
            b"INBOX (/private/vendor/acme/color NIL)", b'Play (/private/vendor/acme/color "#b71c1c")',
        ]
        assert box.untagged_responses["STATUS"] == [b"INBOX (MESSAGES 0)", b"Play (MESSAGES 0)"]


def test_both_versions_of_the_protocol_at_once(house):
    """A client of IMAP4rev2 and one of IMAP4rev1 on one folder: each is told in its own words."""
    with house.imap("robin") as new, house.imap("robin") as old:
        new.enable("IMAP4rev2")
        assert new.response("ENABLED")[1] == [b"IMAP4rev2"]
        new._simple_command("CREATE", '"Entwürfe"'.encode())
        assert old.list('""', "Entw%")[1] == [b'(\\HasNoChildren) "/" Entw&APw-rfe']
        new._simple_command("SELECT", '"Entwürfe"'.encode())
        assert "RECENT" not in new.untagged_responses
        assert new.untagged_responses["LIST"] == ['(\\HasNoChildren) "/" "Entwürfe"'.encode()]
        old.append("Entw&APw-rfe", None, None, b"Subject: x\r\n\r\nx\r\n")
        old.select("Entw&APw-rfe")
        assert old.untagged_responses["RECENT"] == [b"1"]
        assert old.search(None, "ALL")[1] == [b"1"]
        new.noop()
        assert "RECENT" not in new.untagged_responses
        new.state = "SELECTED"
        new._simple_command("SEARCH", "ALL")
        assert new.untagged_responses["ESEARCH"][0].endswith(b"ALL 1")
