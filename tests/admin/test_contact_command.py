"""`unitymail contact`: people outside with a name here."""

import pytest

from tests.sound import VECTORS
from unitymail.directory.keepers import contacts


def test_every_option(unitymail, tokyo):
    """All at once at first, shown by the names of the options, listed, changed, deleted."""
    unitymail.do("partition", "add", "Outside")
    kim = unitymail.json(
        "contact", "add", "kim", "--first-name", "Kim", "--last-name", "Lee", "--location", "tokyo",
        "--mailbox-number", "77", "--extension", "5077", "--proxy", "kim@example.com", "--proxy", "lee@example.com",
        "--partition", "Outside",
    )  # fmt: skip
    assert kim.pop("id")
    assert kim == {
        "alias": "kim", "address": "kim@example.com", "display_name": "Kim Lee", "first_name": "Kim",
        "last_name": "Lee", "location": "Tokyo", "mailbox_number": "77", "extension": "5077",
        "proxy": ["kim@example.com", "lee@example.com"], "partition": "Outside",
    }  # fmt: skip
    shown = unitymail.json("contact", "show", "KIM")
    assert (shown["handled_as"], shown["spoken_name"]) == ("a mailbox of its VPIM location", None)
    changed = unitymail.json("contact", "set", "kim", "--alias", "kimlee", "--display-name", "K. Lee", "--proxy", "")
    assert changed.items() >= {"alias": "kimlee", "display_name": "K. Lee", "proxy": [], "extension": "5077"}.items()
    assert changed["address"] == "877@tokyo.example"
    assert [one["alias"] for one in unitymail.json("contact", "list")] == ["kimlee"]
    assert "877@tokyo.example" in unitymail.do("contact", "list")
    assert unitymail.json("contact", "delete", "kimlee") == {"alias": "kimlee", "deleted": True}
    assert "no contact named kimlee; `unitymail contact list`" in unitymail.refused("contact", "show", "kimlee")


def test_a_contact_without_location_is_said_to_be_unknown(unitymail, tokyo):
    """The administrator is told what becomes of mail to it, as the site's rule stands."""
    said = unitymail.run("contact", "add", "pat", "--proxy", "pat@example.net").stderr
    assert "no VPIM location" in said
    assert "reported to the sender" in said
    unitymail.do("site", "set", "recipient_not_found=smart-host")
    assert "goes to the smart host" in unitymail.run("contact", "set", "pat", "--first-name", "Pat").stderr
    assert "no proxy address either" in unitymail.run("contact", "set", "pat", "--proxy", "").stderr
    assert unitymail.run("contact", "set", "pat", "--location", "Tokyo", "--mailbox-number", "1").stderr == ""
    assert unitymail.json("contact", "set", "pat", "--location", "")["mailbox_number"] == ""


def test_numbers_as_peers_write_them(unitymail, tokyo):
    """Digits, or with a plus sign before the country code; each mailbox is one contact."""
    for alias, number in (("a", "77"), ("b", "+14085550177")):
        made = unitymail.json("contact", "add", alias, "--location", "Tokyo", "--mailbox-number", number)
        assert made["mailbox_number"] == number
    for number in ("", "x7", "7 7", "7+7", "+", "٧", "9" * 65):
        refused = unitymail.refused("contact", "add", "c", "--location", "Tokyo", "--mailbox-number", number)
        assert "--mailbox-number" in refused, number
    refused = unitymail.refused("contact", "add", "c", "--location", "Tokyo", "--mailbox-number", "77")
    assert "belongs to the contact a" in refused
    assert "--location" in unitymail.refused("contact", "add", "c", "--mailbox-number", "77")


def test_refusals_name_whose_it_is(unitymail, robin, tokyo, vm2):
    """Aliases, addresses and extensions are shared with users and lists."""
    for words, why in (
        (("robin",), "alias robin is taken by the user robin (Robin Smith)"),
        (("kim", "--proxy", "robin.smith@example.com"), "belongs to the user robin"),
        (("kim", "--extension", "1041"), "extension 1041 is taken by the user robin"),
        (("kim", "--extension", "881"), "dial id of the location Tokyo"),
        (("kim", "--location", "vm2", "--mailbox-number", "1"), "vm2 is a peer, no VPIM location"),
        (("kim", "--location", "Osaka"), "no location named Osaka"),
        (("kim", "--partition", "Nowhere"), "no partition named Nowhere"),
        (("kim", "--proxy", "%Alias%@example.com"), "only templates fill"),
        (("kim", "--last-name", "a\nb"), "control character"),
    ):
        assert why in unitymail.refused("contact", "add", *words), words
    assert unitymail.json("contact", "list") == []


def test_there_is_an_end_to_contacts(unitymail, monkeypatch):
    """The limit of the directory is said with its number."""
    monkeypatch.setattr(contacts, "MOST", 2)
    for alias in "ab":
        unitymail.do("contact", "add", alias)
    assert "at most 2 are kept" in unitymail.refused("contact", "add", "c")
    unitymail.do("contact", "set", "a", "--first-name", "A")


@pytest.mark.parametrize("kind", ["contact", "user"])
def test_spoken_names(unitymail, robin, kind, tmp_path):
    """A recording in any form is kept as the codec makes it; '' removes it; what is too long or no sound is refused."""
    alias = "robin" if kind == "user" else "kim"
    if kind == "contact":
        unitymail.do("contact", "add", "kim")
    recording = str(VECTORS / "audio" / "name.726")
    unitymail.do(kind, "set", alias, "--spoken-name", recording)
    kept = (VECTORS / "audio" / "name.726").stat().st_size / 4_000
    assert abs(unitymail.json(kind, "show", alias)["spoken_name"] - kept) <= 0.1
    long = tmp_path / "long.726"
    long.write_bytes((VECTORS / "audio" / "name.726").read_bytes() * 40)
    assert "longer than 20 s" in unitymail.refused(kind, "set", alias, "--spoken-name", str(long))
    for name, octets in (("text.txt", b"no sound at all"), ("broken.wav", b"RIFF\0\0\0\0WAVEfmt "), ("empty.wav", b"")):
        (tmp_path / name).write_bytes(octets)
        assert name in unitymail.refused(kind, "set", alias, "--spoken-name", str(tmp_path / name))
    assert unitymail.json(kind, "show", alias)["spoken_name"] is not None
    unitymail.do(kind, "set", alias, "--spoken-name", "")
    assert unitymail.json(kind, "show", alias)["spoken_name"] is None
    assert unitymail.run(kind, "set", alias, "--spoken-name", str(tmp_path / "absent")).exit_code == 2
