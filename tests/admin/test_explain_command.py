"""`unitymail explain`: what would become of a message, asked of the live rules, for people and for scripts."""

import pathlib
import tomllib
from dataclasses import replace

import pytest

from unitymail.admin.operations.explain import BARE, Question, ask, of_trust
from unitymail.mail.envelope import Envelope, Recipient

VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text("utf-8"))["message"]
KEYS = ("category", "rule", "sensitivity", "secure", "importance", "malformed")
PASSWORD = "tulips at noon\n"


@pytest.fixture
def house(unitymail):
    """Robin and Chris, as the vectors know them."""
    for alias, last, number in (("robin", "smith", "1041"), ("chris", "jones", "1042")):
        unitymail.do(
            "user", "add", alias, "--extension", number, "--proxy", f"{alias}.{last}@example.com", "--password-stdin",
            input=PASSWORD,
        )  # fmt: skip
    return unitymail


@pytest.fixture
def letter(tmp_path):
    """A file with a plain message; keywords are header fields."""

    def write(body="Hello.\r\n", **fields):
        fields = {"From": "robin.smith@example.com", "Subject": "Lunch", **fields}
        path = tmp_path / "letter.eml"
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        path.write_bytes(f"{head}\r\n{body}".encode())
        return str(path)

    return write


def explain(house, file, *to, sender="robin.smith@example.com", **options):
    words = [word for name, value in options.items() for word in (f"--{name.rstrip('_')}", value)]
    return house.json("explain", "--from", sender, *(w for one in to for w in ("--to", one)), *words, file)


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_it_says_of_every_vector_what_the_index_says(house, entry):
    """Category, rule, sensitivity, secure, importance and malformed, straight from the file."""
    told = explain(
        house, str(VECTORS / entry["file"]), *entry["rcpt_to"], sender=entry["mail_from"] or "<>", as_="trusted"
    )
    assert {key: told[key] for key in KEYS} == {key: entry[key] for key in KEYS}


def test_the_object_for_scripts(house, letter):
    """The keys that operator.md promises, whole."""
    told = explain(house, letter(), "chris.jones@example.com")
    (recipient,) = told.pop("recipients")
    robin, chris = (house.json("user", "show", alias)["id"] for alias in ("robin", "chris"))
    assert told == {
        "category": "email", "rule": "R7", "sensitivity": "normal", "secure": False, "secure_in_effect": False,
        "importance": "normal", "malformed": False, "subject": "Lunch",
        "sender": {"address": "robin.smith@example.com", "matched": "robin", "matched_id": robin, "kind": "user",
                   "verdict": "accept"},
    }  # fmt: skip
    assert recipient.pop("reason").endswith("accepts email messages")
    assert recipient == {
        "address": "chris.jones@example.com", "matched": "chris", "matched_id": chris, "kind": "user",
        "steps": [{"step": "deliver", "to": "chris.jones@example.com", "account": chris, "user": "chris"}],
    }  # fmt: skip


def test_an_unknown_recipient_is_reported(house, letter):
    """The report stands with its status among the steps."""
    (recipient,) = explain(house, letter(), "nobody@vm1.example.com")["recipients"]
    assert (recipient["kind"], recipient["matched"]) == ("unknown", "")
    (step,) = recipient["steps"]
    assert (step["step"], step["to"], step["status"]) == ("report", "robin.smith@example.com", "5.1.1")


def test_the_next_hop(house, letter):
    """An unknown recipient that goes to the smart host: with the host and its port."""
    house.do("site", "set", "recipient_not_found=smart-host", "smart_host.host=mail.example.net")
    (recipient,) = explain(house, letter(), "pat@example.org")["recipients"]
    assert recipient["steps"] == [{
        "step": "relay-to-smart-host", "to": "pat@example.org", "next_hop": "smart-host mail.example.net:25",
        "tls": "opportunistic",
    }]  # fmt: skip


def test_several_recipients_after_one_to(house, letter):
    """`--to A B FILE` is the same as `--to A --to B FILE`."""
    words = ("explain", "--from", "robin.smith@example.com", "--to", "robin.smith@example.com")
    told = house.json(*words, "chris.jones@example.com", letter())
    assert [one["matched"] for one in told["recipients"]] == ["robin", "chris"]


def test_a_senders_lie_is_rejected(house, letter):
    """A From that is not the user's: the verdict and the reply that names it; nobody gets anything."""
    told = explain(house, letter(From="chris.jones@example.com"), "chris.jones@example.com")
    assert told["sender"]["verdict"] == "reject"
    assert (told["refusal"]["code"], told["refusal"]["status"]) == (550, "5.7.1")
    assert told["refusal"]["text"].startswith("chris.jones@example.com is neither")
    assert told["recipients"] == []


def test_a_sender_who_may_not_use_the_address(house, letter):
    """Refused at MAIL already: the reply is that of the door."""
    told = explain(house, letter(), "chris.jones@example.com", sender="pat@example.org", as_="robin")
    assert told["refusal"]["text"].startswith("pat@example.org is neither")


def test_an_unknown_sender_is_bad_mail(house, letter):
    """By default a trusted system may not bring mail of strangers; the site setting changes that at once."""
    file = letter(From="pat@example.org")
    told = explain(house, file, "chris.jones@example.com", sender="pat@example.org")
    assert (told["sender"]["kind"], told["sender"]["verdict"]) == ("unknown", "bad-mail")
    assert [step["step"] for step in told["recipients"][0]["steps"]] == ["bad-mail"]
    house.do("site", "set", "unknown_sender=accept-from-trusted")
    told = explain(house, file, "chris.jones@example.com", sender="pat@example.org")
    assert (told["sender"]["kind"], told["sender"]["verdict"]) == ("outside", "accept")


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (("smtp.allow_untrusted=no",), "554 5.7.1 Connections from your address"),
        (("smtp.allow_untrusted=yes", "smtp.untrusted_require_auth=yes"), "530 5.7.0 Authentication required"),
    ],
)
def test_a_stranger_who_gets_no_further(house, letter, site, said):
    """As at the door: whom the site does not let in, or asks to sign in first, has nothing decided."""
    house.do("site", "set", *site)
    told = explain(house, letter(), "chris.jones@example.com", as_="stranger")
    reply = told["refusal"]
    assert f"{reply['code']} {reply['status']} {reply['text']}".startswith(said)
    assert (told["recipients"], told["sender"]["verdict"]) == ([], "reject")
    assert "refusal" not in explain(house, letter(), "chris.jones@example.com", as_="trusted")


def let_strangers_in(house):
    house.do("site", "set", "smtp.allow_untrusted=yes", "smtp.untrusted_require_auth=no")


@pytest.mark.parametrize("address", ["@@", "@example.com", "a b@example.com", "robin@", "a@b,c@d", "<a@b", "a@b..c"])
def test_what_is_no_address(house, letter, address):
    """Wrong usage, as sender and as recipient; a quoted local part, an address literal and `<>` are well."""
    for sender, to in ((address, "chris@x.example"), ("robin@x.example", address)):
        result = house.run("explain", "--from", sender, "--to", to, letter())
        assert (result.exit_code, "is no mail address" in result.stderr) == (2, True)
    told = explain(house, letter(), '<"a b"@[192.0.2.1]>', "zoë@exämple.org", sender="<>")
    assert [one["address"] for one in told["recipients"]] == ['"a b"@[192.0.2.1]', "zoë@exämple.org"]


def test_a_stranger_hears_at_rcpt(house, letter):
    """Of two recipients the unknown one is refused at once, the other goes on; both in the order asked."""
    let_strangers_in(house)
    told = explain(
        house, letter(), "nobody@vm1.example.com", "chris.jones@example.com", as_="stranger"
    )
    refused, accepted = told["recipients"]
    assert (refused["refusal"]["status"], refused["steps"], refused["kind"]) == ("5.1.1", [], "unknown")
    assert accepted["matched"] == "chris"


def test_a_class_that_makes_everything_secure(house, letter):
    """Its mark is a mark; the one that a default class puts on private messages counts for the gates only."""
    private = explain(house, letter(Sensitivity="Private"), "chris.jones@example.com")
    assert (private["sensitivity"], private["secure"], private["secure_in_effect"]) == ("private", False, True)
    house.do("cos", "set", "Default", "--secure", "always")
    plain = explain(house, letter(), "chris.jones@example.com")
    assert (plain["secure"], plain["secure_in_effect"]) == (True, True)


def test_over_the_send_quota(house, letter):
    """What the mailbox holds counts, as at the door."""
    house.desk.usage.add(house.json("user", "show", "robin")["id"], 1 << 40)
    told = explain(house, letter(), "chris.jones@example.com")
    assert told["refusal"]["status"] == "5.2.2"


def test_a_list_shows_its_members(house, letter):
    """One deliver step for each, and the kind is list."""
    with house.desk.directory.change("tester") as change:
        from unitymail.people.distribution_list import DistributionList
        from unitymail.people.user import User

        members = tuple(user.id for user in change.all(User))
        change.add(DistributionList("", "staff", address="staff@vm1.example.com", members=members))
    (recipient,) = explain(house, letter(), "staff@vm1.example.com")["recipients"]
    assert (recipient["kind"], recipient["matched"]) == ("list", "staff")
    assert sorted(step["user"] for step in recipient["steps"]) == ["chris", "robin"]


def test_notify_never(house, letter):
    """Who asked to hear nothing gets no report."""
    (recipient,) = explain(house, letter(), "nobody@vm1.example.com", notify="never")["recipients"]
    assert recipient["steps"] == []


def test_nobody_left_to_send_to(house, letter):
    """A stranger whose recipients are all refused at RCPT gets no further."""
    let_strangers_in(house)
    told = explain(house, letter(), "nobody@vm1.example.com", "out@elsewhere.example", as_="stranger")
    assert (told["refusal"]["code"], told["refusal"]["status"]) == (554, "5.5.1")
    assert [one["refusal"]["status"] for one in told["recipients"]] == ["5.1.1", "5.1.1"]


def test_a_legacy_client_may_send_bare_line_feeds(house):
    """As the access list lets it."""
    octets = b"From: robin.smith@example.com\r\n\r\none\ntwo\r\n"
    to = Envelope("robin.smith@example.com", (Recipient("chris.jones@example.com"),))
    for legacy in (False, True):
        origin = replace(of_trust("trusted"), legacy=legacy)
        answer = ask(Question(octets, to, origin, "vm1.example.com"), house.desk.book, house.desk.usage)
        assert answer.decision.refusal == (None if legacy else BARE)


@pytest.mark.parametrize("words", ["sometimes", "never,failure"])
def test_notify_that_cannot_be(house, letter, words):
    """Wrong usage, exit code 2."""
    result = house.run("explain", "--from", "a@b", "--to", "c@d", "--notify", words, letter())
    assert result.exit_code == 2


def test_a_bare_line_feed(house, tmp_path):
    """One among CRLFs is refused as at the door; a file of an editor's with LF only is no flaw."""
    file = tmp_path / "x.eml"
    file.write_bytes(b"From: robin.smith@example.com\r\n\r\none\ntwo\r\n")
    assert explain(house, str(file), "chris.jones@example.com")["refusal"]["status"] == "5.6.0"
    file.write_bytes(b"From: robin.smith@example.com\n\none\ntwo\n")
    told = explain(house, str(file), "chris.jones@example.com")
    assert "refusal" not in told and not told["malformed"]


def test_nul_octets_only_in_binary_parts(house, tmp_path):
    """Refused as at the door, unless a part says that it is binary."""
    file = tmp_path / "x.eml"
    for encoding, status in (("8bit", "5.6.0"), ("binary", None)):
        head = f"From: robin.smith@example.com\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        file.write_bytes(head.encode() + b"a\0b\r\n")
        assert explain(house, str(file), "chris.jones@example.com").get("refusal", {}).get("status") == status


def test_an_empty_file(house, tmp_path):
    """Nothing is a message too."""
    file = tmp_path / "x.eml"
    file.write_bytes(b"")
    assert explain(house, str(file), "chris.jones@example.com")["category"] == "email"


def test_standard_input(house):
    """`-` reads the message from a pipe."""
    told = house.json(
        "explain", "--from", "robin.smith@example.com", "--to", "chris", "-",
        input="From: robin.smith@example.com\n\nhello\n",
    )  # fmt: skip
    assert told["recipients"][0]["matched"] == "chris"


def test_in_words(house, letter):
    """For people: who was assumed, the rule with its evidence, each recipient with steps and reason."""
    said = house.do(
        "explain", "--from", "robin.smith@example.com", "--to", "chris.jones@example.com", "nobody@vm1.example.com",
        str(VECTORS / "viewmail_voice.eml"),
    )  # fmt: skip
    assert said.startswith("Assumed: handed in by a mail program signed in as robin (submission).")
    assert "voice, by rule R4: Message-Context: voice-message says so, and the content bears it out: " in said
    assert "VoiceMessage.wav" in said
    assert "robin.smith@example.com is a user, robin: accepted." in said
    assert "1. deliver into the mailbox of chris" in said
    assert "1. report to robin.smith@example.com: nobody@vm1.example.com failed, 5.1.1 Nobody here" in said


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_every_vector_in_words(house, entry):
    """Whatever a message holds, it is explained on lines without control characters."""
    to = [word for one in entry["rcpt_to"] for word in ("--to", one)]
    file = str(VECTORS / entry["file"])
    said = house.do("explain", "--from", entry["mail_from"] or "<>", *to, "--as", "trusted", file)
    assert f"{entry['category']}, by rule {entry['rule']}: " in said
    assert all(c.isprintable() or c == "\n" for c in said)


def test_who_is_nobody(house, letter):
    """An --as that names nobody says what it takes."""
    said = house.refused("explain", "--from", "a@b", "--to", "c@d", "--as", "nobody", letter())
    assert said.startswith("There is no user named nobody; --as takes")
    assert "no peer named x" in house.refused("explain", "--from", "a@b", "--to", "c@d", "--as", "peer:x", letter())


def test_nothing_is_written(house, letter, tmp_path):
    """No change of the directory, no mailbox, no history."""
    file = letter()
    with house.desk.directory.read() as view:
        usn = view.usn
    explain(house, file, "chris.jones@example.com")
    with house.desk.directory.read() as view:
        assert view.usn == usn
    kept = {path.name for path in tmp_path.iterdir()} - {"directory.sqlite-wal", "directory.sqlite-shm"}
    assert kept == {"directory.sqlite", "letter.eml"}
