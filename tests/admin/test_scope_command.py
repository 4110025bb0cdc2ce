"""`unitymail scope` and `partition`: who reaches whom, and the address book that says so."""

import csv
import io

from unitymail.admin.operations.address_book import COLUMNS


def book(unitymail, scope, *options, encoding="utf-8"):
    """The address book, parsed: address → row."""
    result = unitymail.run("scope", "addressbook", scope, *options)
    assert result.exit_code == 0, result.output
    text = result.stdout_bytes.decode(encoding)
    assert text.count("\r\n") == text.count("\n")
    return {row["E-mail Address"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def test_partitions(unitymail, robin):
    """Added, listed with the scopes that reach them, and deleted once nobody is in them."""
    assert "No scope reaches Lists yet" in unitymail.run("partition", "add", "Lists").stderr
    unitymail.do("scope", "add", "All", "--partition", "Lists", "--partition", "Default")
    assert {one["name"]: one["reached_by"] for one in unitymail.json("partition", "list")} == {
        "Default": ["All", "Default"], "Lists": ["All"],
    }  # fmt: skip
    assert "in use by 1 search scope (All)" in unitymail.refused("partition", "delete", "Lists")
    unitymail.do("scope", "delete", "All")
    unitymail.do("user", "set", "robin", "--partition", "Lists")
    assert "in use by 1 entry (robin)" in unitymail.refused("partition", "delete", "Lists")
    unitymail.do("user", "set", "robin", "--partition", "")
    assert unitymail.json("partition", "delete", "LISTS") == {"name": "Lists", "deleted": True}
    assert "new objects" in unitymail.refused("partition", "delete", "Default")
    assert "already" in unitymail.refused("partition", "add", "DEFAULT")
    assert unitymail.run("partition", "show", "Default").exit_code == 2


def test_scopes_keep_the_order_of_their_partitions(unitymail, robin):
    """The option repeated, or several names after it."""
    for name in ("A", "B"):
        unitymail.do("partition", "add", name)
    made = unitymail.json("scope", "add", "Few", "--partition", "B", "--partition", "Default", "--partition", "A")
    assert made["partition"] == ["B", "Default", "A"]
    assert unitymail.json("scope", "set", "Few", "--partition", "A", "B")["partition"] == ["A", "B"]
    assert unitymail.json("scope", "show", "few")["partition"] == ["A", "B"]
    assert "reaches nobody" in unitymail.run("scope", "set", "Few", "--partition", "").stderr
    assert unitymail.json("scope", "set", "Few", "--name", "None")["partition"] == []
    assert unitymail.run("scope", "set", "None", "A").exit_code == 2
    assert "no partition named C" in unitymail.refused("scope", "set", "None", "--partition", "C")
    unitymail.do("user", "set", "robin", "--scope", "None")
    assert "in use by 1 user (robin)" in unitymail.refused("scope", "delete", "None")
    assert "keeps its name" in unitymail.refused("scope", "set", "Default", "--name", "Other")


def test_the_address_book_has_whom_the_scope_reaches(unitymail, robin, chris, tokyo):
    """Users, lists and contacts of its partitions, each with the address to write to; others are not there."""
    unitymail.do("partition", "add", "Other")
    unitymail.do("user", "set", "chris", "--partition", "Other")
    unitymail.do("contact", "add", "kim", "--first-name", "Kim", "--location", "Tokyo", "--mailbox-number", "77")
    unitymail.do("contact", "add", "lee", "--location", "Tokyo", "--mailbox-number", "78", "--proxy", "lee@x.example")
    unitymail.do("list", "add", "sales", "--display-name", 'The "Sales", all')
    found = book(unitymail, "default")
    assert set(found) == {"robin@vm1.example.com", "877@tokyo.example", "lee@x.example", "sales@vm1.example.com"}
    assert tuple(found["robin@vm1.example.com"].items()) == tuple(zip(COLUMNS, (
        "Robin Smith", "Robin", "Smith", "robin@vm1.example.com", "SMTP", "Robin Smith", "1041", "User",
    ), strict=True))  # fmt: skip
    assert found["sales@vm1.example.com"]["E-mail Display Name"] == 'The "Sales", all'
    unitymail.do("scope", "add", "Other", "--partition", "Other")
    assert set(book(unitymail, "Other")) == {"chris@vm1.example.com"}
    assert "no search scope named x" in unitymail.refused("scope", "addressbook", "x")
    assert [row["email_address"] for row in unitymail.json("scope", "addressbook", "Other")] == [
        "chris@vm1.example.com"
    ]


def test_contacts_without_location_only_where_their_mail_gets_out(unitymail, tokyo):
    """Else it would only come back."""
    unitymail.do("contact", "add", "pat", "--proxy", "pat@example.net")
    assert set(book(unitymail, "Default")) == set()
    unitymail.do("site", "set", "recipient_not_found=smart-host")
    assert set(book(unitymail, "Default")) == {"pat@example.net"}


def test_encodings_for_old_programs(unitymail, robin):
    """A byte-order mark for Excel, once; letters that a code page lacks become a mark."""
    unitymail.do("user", "set", "robin", "--display-name", "Zoë 李")
    assert book(unitymail, "Default")["robin@vm1.example.com"]["Name"] == "Zoë 李"
    plain = book(unitymail, "Default", "--encoding", "utf-8-sig", encoding="utf-8-sig")
    assert plain["robin@vm1.example.com"]["Name"] == "Zoë 李"
    old = book(unitymail, "Default", "--encoding", "windows-1252", encoding="windows-1252")
    assert old["robin@vm1.example.com"]["Name"] == "Zoë ?"
    for none in ("klingon", "base64", "undefined"):
        assert unitymail.run("scope", "addressbook", "Default", "--encoding", none).exit_code == 2
