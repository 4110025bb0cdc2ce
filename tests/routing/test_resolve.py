"""Who has an address."""

from dataclasses import replace

import pytest

from tests.fakes import CHRIS, ROBIN
from tests.routing.letters import JO, LONDON, PARIS, SITE, book, scope
from unitymail.routing.resolve import resolve

VM1 = "@vm1.example.com"


def found(address, *more, vpim=None, report=False, site=SITE, without=()):
    it = resolve(address, book(*more, site=site, without=without), vpim, report=report)
    return it.kind, it.entry.id if it.entry else it.location.id if it.location else "", it.to


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("robin" + VM1, ("user", "u-robin", "")),
        ("ROBIN" + VM1.upper(), ("user", "u-robin", "")),
        ("robin.smith@example.com", ("user", "u-robin", "")),
        ("robin+x" + VM1, ("user", "u-robin", "")),
        ("dana" + VM1, ("remote-user", "u-dana", "")),
        ("team" + VM1, ("list", "l-team", "")),
        ("jo" + VM1, ("vpim-contact", "c-jo", "8882233@london.example.org")),
        ("8882233@london.example.org", ("vpim-contact", "c-jo", "8882233@london.example.org")),
        ("8884455@london.example.org", ("vpim-contact", "v-london", "8884455@london.example.org")),
        ("anna@london.example.org", ("unknown", "", "")),
        ("2233@paris.example.org", ("unknown", "", "")),
        ("720+4455" + VM1, ("vpim-contact", "v-london", "8884455@london.example.org")),
        ("721+4455" + VM1, ("unknown", "", "")),
        ("720+x" + VM1, ("unknown", "", "")),
        ("+4455" + VM1, ("unknown", "", "")),
        ("720+4455@elsewhere.example", ("unknown", "", "")),
        ("pat" + VM1, ("unknown", "c-pat", "")),
        ("non-mail-user@london.example.org", ("unknown", "", "")),
        ("nobody" + VM1, ("unknown", "", "")),
        ("postmaster", ("postmaster", "", "")),
        ("Postmaster" + VM1, ("postmaster", "", "")),
        ("postmaster@example.com", ("unknown", "", "")),
        ("1041" + VM1, ("unknown", "", "")),
        ("", ("unknown", "", "")),
        ("@", ("unknown", "", "")),
        ("robin@", ("unknown", "", "")),
    ],
)
def test_each_kind_of_address(address, expected):
    """Users by any address, lists, contacts, VPIM mailboxes, blind addresses, the postmaster, and nobody."""
    assert found(address) == expected


def test_the_postmaster_is_whoever_has_the_address():
    """A user with the proxy address gets it, also as plain `postmaster`."""
    robin = replace(ROBIN, proxies=("postmaster" + VM1,))
    assert found("postmaster", robin) == ("user", "u-robin", "")
    assert found("POSTMASTER" + VM1, robin) == ("user", "u-robin", "")


def test_a_postmaster_whom_nothing_reaches_is_bad_mail():
    """A contact without a location cannot take it."""
    pat = replace(JO, location="", proxies=("postmaster" + VM1,))
    assert found("postmaster", pat)[0] == "postmaster"


@pytest.mark.parametrize(
    ("number", "expected"),
    [("7771042", "user"), ("777+1042", "user"), ("7771042+12", "user"), ("1042", "unknown"), ("7779999", "unknown"),
     ("777", "unknown"), ("777١٠٤٢", "unknown"), ("chris", "user"), ("chris.jones", "unknown")],
)
def test_vpim_senders_dial(number, expected):
    """Prefix and extension; then any address, as everybody."""
    assert found(number + VM1, vpim=LONDON)[0] == expected


def test_the_number_comes_before_the_address():
    """For a VPIM sender 1042 is the extension, whoever has it as an alias."""
    odd = replace(ROBIN, id="u-odd", alias="1042", address="1042" + VM1, extension="", proxies=())
    assert found("1042" + VM1, odd, vpim=PARIS) == ("user", "u-chris", "")
    assert found("1042" + VM1, odd) == ("user", "u-odd", "")


def test_a_location_dials_only_within_its_search_scope():
    """An extension in a partition its scope does not hold is not found."""
    chris = replace(CHRIS, partition="p-hidden")
    assert found("7771042" + VM1, chris, vpim=LONDON)[0] == "unknown"
    assert found("7771042" + VM1, chris, scope("p-default", "p-hidden"), vpim=LONDON) == ("user", "u-chris", "")


def test_blind_addressing_is_off_unless_the_location_allows_it():
    """Neither by Dial ID nor by the remote domain."""
    strict = replace(LONDON, blind_addressing=False)
    assert found("720+4455" + VM1, strict)[0] == "unknown"
    assert found("8884455@london.example.org", strict)[0] == "unknown"
    assert found("8882233@london.example.org", strict) == ("vpim-contact", "c-jo", "8882233@london.example.org")


def test_one_system_that_is_entered_twice():
    """Its prefixes tell which of the two locations a mailbox is at; each has its own contacts and switches."""
    again = replace(LONDON, id="v-london2", name="London 2", dial_id="", remote_prefix="999", blind_addressing=False)
    kim = replace(JO, id="c-kim", alias="kim", location="v-london2", proxies=())
    for number, expected in (
        ("8882233", ("vpim-contact", "c-jo", "8882233@london.example.org")),
        ("9992233", ("vpim-contact", "c-kim", "9992233@london.example.org")),
        ("8884455", ("vpim-contact", "v-london", "8884455@london.example.org")),
        ("9994455", ("unknown", "", "")),
    ):
        assert found(number + "@london.example.org", again, kim) == expected


def test_a_location_without_dial_id_is_not_dialled():
    """A number after a plus sign at our domain is no blind address of a location that has no Dial ID."""
    assert found("+4455" + VM1, replace(PARIS, blind_addressing=True))[0] == "unknown"


def test_our_own_reports_go_back_to_any_mailbox_of_a_location():
    """Also where blind addressing is off; never to the mailbox that takes no replies."""
    assert found("2233@paris.example.org", report=True) == ("vpim-contact", "v-paris", "2233@paris.example.org")
    assert found("non-mail-user@paris.example.org", report=True)[0] == "unknown"


def test_a_contact_whose_location_is_gone_is_unknown():
    """As one without location."""
    assert found("jo" + VM1, without=("v-london",)) == ("unknown", "c-jo", "")


def test_reasons_are_sentences_for_explain():
    """Which address matched which object."""
    assert resolve("robin" + VM1, book()).reason == "robin@vm1.example.com is Robin Smith"
    assert "London" in resolve("jo" + VM1, book()).reason
    assert "nobody" in resolve("x@y", book()).reason
