"""`unitymail location`: voice-mail systems elsewhere."""

import pytest

from unitymail.directory.keepers import locations


def test_every_option(unitymail, vm2):
    """All at once at first, shown by the names of the options, listed, changed, deleted."""
    unitymail.do("partition", "add", "Far")
    unitymail.do("scope", "add", "Few", "--partition", "Default")
    options = {
        "domain": "Tokyo.example", "host": "10.0.0.9", "port": 2525, "dial_id": "881", "remote_prefix": "8",
        "local_prefix": "9", "partition": "Far", "scope": "Few", "home": "vm2", "audio": "mu-law",
        "modify_contacts": "name",
    }  # fmt: skip
    switches = (
        "blind_addressing", "allow_secure", "fax", "swap_code_words", "create_contacts", "create_without_name",
        "delete_contacts", "send_spoken_name", "voice_only",
    )  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    made = unitymail.json("location", "add", "Tokyo", *words, *(f"--{name.replace('_', '-')}" for name in switches))
    assert made.pop("id")
    assert made == {"name": "Tokyo", **options, "domain": "tokyo.example", **dict.fromkeys(switches, True)}
    off = unitymail.json("location", "set", "tokyo", *(f"--no-{name.replace('_', '-')}" for name in switches))
    assert {name: off[name] for name in switches} == dict.fromkeys(switches, False)
    assert off["audio"] == "mu-law"
    assert unitymail.json("location", "set", "Tokyo", "--name", "Osaka", "--home", "")["home"] == ""
    assert [one["name"] for one in unitymail.json("location", "list")] == ["Osaka"]
    assert unitymail.json("location", "delete", "Osaka") == {"name": "Osaka", "deleted": True}


def test_a_new_location_is_careful(unitymail, tokyo):
    """What is not said is off, as Unity Connection has it."""
    on = [name for name, value in unitymail.json("location", "show", "Tokyo").items() if value is True]
    assert on == []
    assert (tokyo["audio"], tokyo["modify_contacts"], tokyo["port"]) == ("g726", "never", 25)
    assert unitymail.run("location", "add", "Osaka").exit_code == 2


def test_show_says_which_way_mail_goes(unitymail, vm2):
    """Through the smart host, to its own host, by the peer that homes it, or nowhere yet."""
    assert "cannot leave yet" in unitymail.run("location", "add", "Tokyo", "--domain", "tokyo.example").stderr

    def way():
        return unitymail.json("location", "show", "Tokyo")["next_hop"]

    assert way().startswith("none: ")
    unitymail.do("site", "set", "smart_host.host=smart.example.net")
    assert way() == "the smart host smart.example.net, smart.example.net port 25"
    unitymail.do("location", "set", "Tokyo", "--host", "10.0.0.9", "--port", "26")
    assert way() == "the voice-mail system Tokyo, 10.0.0.9 port 26"
    unitymail.do("location", "set", "Tokyo", "--home", "vm2")
    assert way() == "the peer vm2, 10.0.0.2 port 2525"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--domain", "vm1.example.com"), "ends with ours"),
        (("--domain", "tokyovm1.example.com"), "ends with ours"),
        (("--domain", "xvm2.example.com"), "ends with that of the peer vm2"),
        (("--domain", "tokyo.example"), "--remote-prefix"),
        (("--domain", "tokyo.example", "--remote-prefix", "88"), "--remote-prefix"),
        (("--domain", "tokyo.example", "--remote-prefix", "8"), "--remote-prefix"),
        (("--domain", "x.example", "--dial-id", "88"), "at least 3 digits"),
        (("--domain", "x.example", "--dial-id", "8811"), "begin alike"),
        (("--domain", "x.example", "--dial-id", "1041"), "extension of the user robin"),
        (("--domain", "x.example", "--dial-id", "12a"), "is not a number"),
        (("--domain", "x.example", "--local-prefix", "-"), "is not a number"),
        (("--domain", "no domain"), "domain name"),
        (("--domain", "x.example", "--host", "a b"), "domain name"),
        (("--domain", "x.example", "--home", "Tokyo"), "is no peer"),
        (("--domain", "x.example", "--scope", "Nobody"), "no search scope named Nobody"),
    ],
    ids=" ".join,
)
def test_what_would_confuse_systems_is_refused(unitymail, robin, tokyo, vm2, options, why):
    """Domains, prefixes and dial ids tell systems apart; nothing is made."""
    assert why in unitymail.refused("location", "add", "Osaka", *options)
    assert [one["name"] for one in unitymail.json("location", "list")] == ["Tokyo"]


def test_one_system_twice(unitymail, tokyo):
    """With prefixes of which neither begins with the other."""
    unitymail.do("location", "add", "Tokyo 2", "--domain", "TOKYO.example", "--remote-prefix", "7")


def test_a_location_stays_while_it_is_referred_to(unitymail, tokyo):
    """The refusal names the contacts."""
    for number in range(4):
        unitymail.do("contact", "add", f"kim{number}", "--location", "Tokyo", "--mailbox-number", str(number))
    refused = unitymail.refused("location", "delete", "Tokyo")
    assert "VPIM location Tokyo is in use by 4 contacts (kim0, kim1, kim2 and 1 more)" in refused


def test_addresses_of_hosts(unitymail):
    """IPv4 and IPv6, in one spelling."""
    for written, kept in (("10.0.0.9", "10.0.0.9"), ("2001:DB8::0:9", "2001:db8::9"), ("[::1]", "::1")):
        unitymail.do("location", "add", "Tokyo", "--domain", "tokyo.example", "--host", written)
        assert unitymail.json("location", "show", "Tokyo")["host"] == kept
        unitymail.do("location", "delete", "Tokyo")


def test_ten_are_enough(unitymail, tokyo, monkeypatch):
    """Unity Connection's limit; peers do not count."""
    assert locations.MOST == 10
    monkeypatch.setattr(locations, "MOST", 1)
    assert "at most 1" in unitymail.refused("location", "add", "Osaka", "--domain", "osaka.example")


def test_peers_are_no_locations_here(unitymail, vm2):
    """They have commands of their own."""
    assert unitymail.json("location", "list") == []
    for verb, *options in (("show",), ("set", "--no-fax"), ("delete",)):
        assert "vm2 is a peer" in unitymail.refused("location", verb, "vm2", *options)
