"""`unitymail user`, as a person or a script types it."""

import json
from dataclasses import replace
from threading import Thread

import pytest

from unitymail.admin.operations import lists
from unitymail.interfaces.directory import Refused, Secret
from unitymail.people.contact import Contact
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import Action, Actions, Quota, User
from unitymail.people.user_template import UserTemplate

PASSWORD = "tulips at noon\n"


def add(unitymail, alias, *options):
    return unitymail.json("user", "add", alias, *options, "--password-stdin", input=PASSWORD)


def change(unitymail, thing):
    with unitymail.desk.directory.change("test") as changing:
        return changing.add(thing)


def test_adding_shows_what_was_made(unitymail, robin):
    """Every option is there by its name."""
    assert robin.pop("id")
    assert robin == {
        "alias": "robin", "address": "robin@vm1.example.com", "display_name": "Robin Smith", "first_name": "Robin",
        "last_name": "Smith", "extension": "1041", "proxy": ["robin.smith@example.com"], "corporate_address": "",
        "cos": "Default", "partition": "Default", "scope": "Default", "home": "", "relay_address": "",
        "action": {"voice": "accept", "email": "accept", "fax": "accept", "receipt": "accept"},
        "quota": {"warning": 12 << 20, "send": 13 << 20, "receive": 14 << 20}, "route_ndr": True, "delegate": [],
        "hide_capability": [], "offer_capability": [], "age_messages": True,
    }  # fmt: skip


def test_every_option_of_add(unitymail, robin):
    """All of them at once, several of those that may be repeated."""
    peer = Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", fingerprint="ab" * 32)
    change(unitymail, peer)
    unitymail.do("cos", "add", "Staff")
    chris = add(
        unitymail, "chris", "--first-name", "Chris", "--last-name", "Jones", "--display-name", "C. Jones",
        "--extension", "1042", "--proxy", "c@example.com", "--proxy", "cj@example.com", "--cos", "staff",
        "--partition", "Default", "--scope", "Default", "--home", "vm2", "--corporate-address", "chris@corp.example",
        "--no-route-ndr", "--delegate", "robin", "--hide-capability", "QRESYNC", "--hide-capability", "idle",
        "--no-age-messages",
    )  # fmt: skip
    shown = unitymail.json("user", "show", "chris")
    assert {key: shown[key] for key in chris} == chris
    assert (chris["display_name"], chris["cos"], chris["home"]) == ("C. Jones", "Staff", "vm2")
    assert chris["proxy"] == ["c@example.com", "cj@example.com"]
    assert (chris["delegate"], chris["hide_capability"], chris["route_ndr"]) == (["robin"], ["QRESYNC", "IDLE"], False)
    assert chris["age_messages"] is False


def test_capabilities_are_hidden_and_offered_apart(unitymail, robin):
    """One list does not touch the other; '' empties one."""
    unitymail.do("user", "set", "robin", "--hide-capability", "NOTIFY", "--offer-capability", "uidonly")
    changed = unitymail.json("user", "set", "robin", "--hide-capability", "")
    assert (changed["hide_capability"], changed["offer_capability"]) == ([], ["UIDONLY"])
    changed = unitymail.json("user", "set", "robin", "--hide-capability", "IDLE", "--offer-capability", "")
    assert (changed["hide_capability"], changed["offer_capability"]) == (["IDLE"], [])


@pytest.mark.parametrize("option", ["--hide-capability", "--offer-capability"])
def test_capabilities_are_spelled_plainly(unitymail, robin, option):
    """How the one list is told from the other in the directory is nothing to be typed."""
    assert "'+UIDONLY' is no capability" in unitymail.refused("user", "set", "robin", option, "+UIDONLY")


def test_set_changes_only_what_is_named(unitymail, robin):
    """The rest stays; a new alias keeps the old address."""
    changed = unitymail.json("user", "set", "robin", "--alias", "rob", "--quota", "receive=1M,send=0")
    assert changed["alias"] == "rob"
    assert changed["quota"] == {"warning": 12 << 20, "send": 0, "receive": 1 << 20}
    assert changed["proxy"] == ["robin.smith@example.com", "robin@vm1.example.com"]
    assert (changed["extension"], changed["first_name"]) == ("1041", "Robin")


def test_set_replaces_lists_and_clears_them(unitymail, robin):
    """Given proxies are the proxies then; an empty one clears; former addresses stay."""
    unitymail.do("user", "set", "robin", "--alias", "rob")
    changed = unitymail.json("user", "set", "rob", "--proxy", "a@x.example", "--proxy", "b@x.example")
    assert changed["proxy"] == ["a@x.example", "b@x.example", "robin@vm1.example.com"]
    assert unitymail.json("user", "set", "rob", "--proxy", "")["proxy"] == ["robin@vm1.example.com"]


def test_actions(unitymail, robin):
    """Relaying is refused until it could work."""
    relay = ("user", "set", "robin", "--action", "voice=accept-and-relay", "--action", "fax=reject")
    assert "relay address" in unitymail.refused(*relay)
    assert "smart host" in unitymail.refused(*relay, "--relay-address", "r@elsewhere.example")
    unitymail.do("site", "set", "smart_host.host=smart.example.com")
    assert "belongs to" not in unitymail.do(*relay, "--relay-address", "r@elsewhere.example")
    assert unitymail.json("user", "show", "robin")["action"] == {
        "voice": "accept-and-relay", "email": "accept", "fax": "reject", "receipt": "accept",
    }  # fmt: skip
    for nonsense in ("voice", "voice=maybe", "text=accept"):
        assert "not understood" in unitymail.refused("user", "set", "robin", "--action", nonsense)
    for nonsense in ("14M", "receive=lots", "all=1M", "receive=-1"):
        assert "not understood" in unitymail.refused("user", "set", "robin", "--quota", nonsense)


def test_refusals_say_why_and_change_nothing(unitymail, robin):
    """Exit code 1, one sentence on standard error, no announcement."""
    announced = list(unitymail.desk.announced)
    before = unitymail.json("user", "list")
    for words, why in (
        (("add", "robin"), "alias robin is taken"),
        (("add", "chris", "--proxy", "Robin.Smith@example.com"), "belongs to the user robin"),
        (("add", "chris", "--extension", "1041"), "extension 1041 is taken"),
        (("add", "chris", "--cos", "Nothing"), "no class of service named Nothing"),
        (("add", "chris", "--home", "vm9"), "no peer named vm9"),
        (("add", "chris", "--delegate", "nobody"), "no user named nobody"),
        (("add", "chris@example.com"), "holds an @"),
        (("add", "../../etc/passwd"), "'/'"),
        (("add", "chris", "--display-name", "a\r\nBcc: all@example.com"), "control character"),
    ):
        assert why in unitymail.refused("user", *words, "--password-stdin", input=PASSWORD), words
    for words in (("show", "nobody"), ("set", "nobody", "--cos", ""), ("delete", "nobody"), ("unlock", "nobody")):
        assert "no user named nobody" in unitymail.refused("user", *words)
    assert unitymail.json("user", "list") == before
    assert unitymail.desk.announced == announced


@pytest.mark.parametrize("password", ["short\n", "robin1041\n", "password1\n", "\n", "a\tbcdefghi\n"])
def test_bad_passwords_make_no_user(unitymail, password):
    """The password is judged before anything is made."""
    options = ("--extension", "1041", "--password-stdin")
    assert "password" in unitymail.refused("user", "add", "robin", *options, input=password)
    assert unitymail.json("user", "list") == []


def test_passwords_from_files_and_streams(unitymail, robin, tmp_path):
    """The line end at the end is no part of it, whichever system wrote it."""
    file = tmp_path / "password"
    for written, wanted in (
        (b"roses at dusk\n", b"roses at dusk"), (b"lilies at 8\r\n", b"lilies at 8"), (b"  a b c ", b"  a b c "),
    ):  # fmt: skip
        file.write_bytes(written)
        assert unitymail.json("user", "passwd", "robin", "--password-file", str(file))["alias"] == "robin"
        with unitymail.desk.directory.read() as view:
            credential = view.credential(robin["id"])
        assert unitymail.desk.passwords.matches(credential.password_hash, wanted)
        assert credential.scram is not None


def test_old_passwords_are_refused(unitymail, robin):
    """By `passwd` and by `set`."""
    for words in (("passwd", "robin"), ("set", "robin")):
        assert "one of the last 5" in unitymail.refused("user", *words, "--password-stdin", input=PASSWORD)


def test_scram_keys_follow_the_switch(unitymail, robin):
    """With auth.scram off neither old nor new users have them."""
    unitymail.do("site", "set", "auth.scram=off")
    add(unitymail, "chris")
    assert [unitymail.json("user", "show", alias)["scram"] for alias in ("robin", "chris")] == [False, False]


def test_show_tells_why_somebody_cannot_sign_in(unitymail, robin):
    """Locked, since when, after how many failures; `unlock` ends it."""
    with unitymail.desk.database.changing() as connection:
        connection.exec_driver_sql(
            "UPDATE credentials SET failures = 7, last_failure = 1000000000, locked_until = 253402300799"
        )
    shown = unitymail.json("user", "show", "robin")
    assert (shown["locked"], shown["failures"], shown["last_failure"]) == (True, 7, "2001-09-09T01:46:40Z")
    assert "unlocked by hand" in unitymail.do("user", "show", "robin")
    unitymail.do("user", "unlock", "robin")
    assert unitymail.json("user", "show", "robin")["locked"] is False


def test_show_judges_as_the_doors_do(unitymail, robin):
    """A lock that ended, a count that a quiet time cleared, an expiry, a password to be changed: as of now."""
    now = unitymail.desk.now
    keys = ("password", "password_expires", "locked", "locked_until", "failures")

    def shown(**columns):
        with unitymail.desk.database.changing() as connection:
            for column, value in columns.items():
                connection.exec_driver_sql(f"UPDATE credentials SET {column} = {value}")
        page = unitymail.json("user", "show", "robin")
        return tuple(page[key] for key in keys)

    assert shown() == ("set", "", False, "", 0)
    unitymail.do("site", "set", "auth.max_age_days=30")
    assert shown(changed_at=1e9) == ("expired", "2001-10-09T01:46:40Z", False, "", 0)
    unitymail.do("site", "set", "auth.max_age_days=0")
    assert shown(failures=3, last_failure=now - 60) == ("set", "", False, "", 3)
    assert shown(last_failure=now - 31 * 60) == ("set", "", False, "", 0)
    until = shown(failures=7, last_failure=now - 60, locked_until=now + 600)
    assert (until[2], until[4], until[3][:2]) == (True, 7, "20")
    assert shown(locked_until=now - 1) == ("set", "", False, "", 0)
    assert shown(locked_until=now + 9e6) == ("set", "", False, "", 0)  # no rule locks for so long: a clock was put back


def test_a_password_for_one_use(unitymail, robin):
    """`--must-change`: shown, told that no mail program takes it, and over with the next password."""
    words = ("user", "passwd", "robin", "--must-change", "--password-stdin", "--json")
    given = unitymail.run(*words, input="roses at 6\n")
    assert json.loads(given.stdout)["password"] == "must change"
    assert "until the user has changed it" in given.stderr
    assert unitymail.json("user", "show", "robin")["password"] == "must change"
    unitymail.do("user", "passwd", "robin", "--password-stdin", input="lilies at 8\n")
    assert unitymail.json("user", "show", "robin")["password"] == "set"


def test_show_tells_which_address_is_of_which_kind(unitymail, robin):
    """Primary, proxy, former, corporate."""
    unitymail.do("site", "set", "corporate_proxy=on")
    unitymail.do("user", "set", "robin", "--alias", "rob", "--corporate-address", "r@corp.example")
    assert unitymail.json("user", "show", "rob")["addresses"] == [
        {"address": "rob@vm1.example.com", "kind": "primary"},
        {"address": "robin.smith@example.com", "kind": "proxy"},
        {"address": "r@corp.example", "kind": "corporate"},
        {"address": "robin@vm1.example.com", "kind": "former"},
    ]


def test_proxy_add_and_remove(unitymail, robin):
    """One more address, and one less."""
    assert unitymail.json("user", "proxy", "add", "robin", "r@example.com")["proxy"] == [
        "r@example.com", "robin.smith@example.com",
    ]  # fmt: skip
    assert unitymail.json("user", "proxy", "remove", "robin", "R@EXAMPLE.COM")["proxy"] == ["robin.smith@example.com"]
    assert "none of" in unitymail.refused("user", "proxy", "remove", "robin", "r@example.com")
    assert "no mail address" in unitymail.refused("user", "proxy", "add", "robin", "nonsense")


def test_delete(unitymail, robin):
    """The user is gone and the address free; where the mailbox is, is said."""
    assert robin["id"] in unitymail.do("user", "delete", "robin")
    assert unitymail.json("user", "list") == []
    assert add(unitymail, "robin")["id"] != robin["id"]


def test_list(unitymail, robin):
    """A table for people, all fields for programs, in the order of aliases."""
    add(unitymail, "chris")
    assert [user["alias"] for user in unitymail.json("user", "list")] == ["chris", "robin"]
    table = unitymail.do("user", "list")
    assert "robin@vm1.example.com" in table
    assert "Robin Smith" in table


def test_templates_fill_in(unitymail):
    """What is not given comes from the template, tokens replaced; what is given wins."""
    unitymail.do("site", "set", "smart_host.host=smart.example.com")
    unitymail.do("cos", "add", "Staff")
    with unitymail.desk.directory.read() as view:
        from unitymail.people.class_of_service import ClassOfService

        staff = view.named(ClassOfService, "Staff").id
    change(
        unitymail,
        UserTemplate(
            "", "Office", "%FirstName% %LastName% (%Extension%)", "%Alias%@corp.example", staff,
            actions=Actions(fax=Action.RELAY), relay_address="%Alias%@fax.example", quota=Quota(1, 2, 3),
            route_ndr=False, proxies=("%FirstName%.%LastName%@example.com",), age_messages=False,
        ),
    )  # fmt: skip
    made = add(
        unitymail, "kim", "--template", "office", "--first-name", "Kim", "--last-name", "Lee", "--extension", "7",
        "--quota", "receive=9",
    )  # fmt: skip
    assert made["display_name"] == "Kim Lee (7)"
    assert made["corporate_address"] == "kim@corp.example"
    assert made["proxy"] == ["Kim.Lee@example.com"]
    assert (made["cos"], made["route_ndr"], made["relay_address"]) == ("Staff", False, "kim@fax.example")
    assert made["age_messages"] is False
    assert made["quota"] == {"warning": 1, "send": 2, "receive": 9}
    assert made["action"]["fax"] == "relay"
    add(unitymail, "pat", "--first-name", "Pat")
    ruled = unitymail.json("user", "set", "pat", "--template", "Office", "--no-route-ndr")
    assert (ruled["display_name"], ruled["cos"], ruled["relay_address"]) == ("Pat", "Staff", "pat@fax.example")
    assert "no template named x" in unitymail.refused("user", "set", "pat", "--template", "x")


def test_remote_users_need_no_password_here(unitymail):
    """They sign in where their mailbox is."""
    peer = Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", fingerprint="ab" * 32)
    change(unitymail, peer)
    assert unitymail.json("user", "add", "chris", "--home", "vm2")["home"] == "vm2"
    assert unitymail.json("user", "set", "chris", "--home", "")["home"] == ""


def test_wrong_usage_is_exit_code_2(unitymail, robin, tmp_path):
    """Missing or contradicting options, unknown verbs, no configuration."""
    for words in (
        ("user", "add", "chris"), ("user", "passwd", "robin"), ("user", "add"), ("user", "frobnicate"), ("nonsense",),
        ("user", "add", "chris", "--password-stdin", "--password-file", __file__),
        ("user", "set", "robin", "--nothing"),
        ("user", "passwd", "robin", "--password-file", str(tmp_path / "absent")),
    ):  # fmt: skip
        assert unitymail.run(*words, input=PASSWORD).exit_code == 2, words
    assert "-c DIR/unitymail.toml" in unitymail.run("user", "list", config=None).stderr


def test_json_before_and_after_the_verb(unitymail, robin):
    """`unitymail --json user list` and `unitymail user list --json` are the same."""
    before = unitymail.do("--json", "user", "list")
    assert json.loads(before) == unitymail.json("user", "list")


def test_every_change_is_announced_with_its_number(unitymail, robin):
    """The running processes are told once a command, and reading tells nobody."""
    unitymail.do("user", "list")
    unitymail.do("user", "set", "robin", "--extension", "7")
    with unitymail.desk.directory.read() as view:
        assert unitymail.desk.announced[-1] == view.usn
    assert len(unitymail.desk.announced) == 2


def test_a_process_that_lags_is_said_so(unitymail, robin):
    """The change is done all the same."""
    unitymail.desk.late = (77,)
    result = unitymail.run("user", "set", "robin", "--extension", "7")
    assert result.exit_code == 0
    assert "process 77 has not taken" in result.stderr


def test_long_names_are_not_cut_off_in_pipes(unitymail):
    """What a script reads from a table is whole, and what looks like markup is text."""
    add(unitymail, "kim", "--display-name", "[bold]Kim[/] " + "x" * 45)
    assert "[bold]Kim[/] " + "x" * 45 in unitymail.do("user", "list")


def test_who_did_it_is_in_the_trail(unitymail, robin):
    """The audit trail names the person at the desk."""
    with unitymail.desk.directory.read() as view:
        assert {c.who for c in view.changes(0) if c.id == robin["id"]} == {"tester"}


def test_a_user_without_credential_is_shown(unitymail):
    """And gets one by passwd."""
    kim = change(unitymail, User("", "kim", ""))
    assert unitymail.json("user", "show", "kim")["password"] == "none"
    with unitymail.desk.directory.change("test") as changing:
        changing.set_password(kim.id, Secret("hash", must_change=True))
    assert unitymail.json("user", "show", "kim")["password"] == "must change"


def test_moving_a_user_moves_no_mail(unitymail, robin, vm2):
    """The administrator is told where new mail goes, where the old is, and what is the other node's to say now."""
    moved = unitymail.run("user", "set", "robin", "--home", "vm2", "--json")
    assert json.loads(moved.stdout)["address"] == "robin@vm2.example.com"
    assert f"stays in accounts/{robin['id']}" in moved.stderr
    for option in (("--quota", "send=1M"), ("--action", "fax=reject"), ("--relay-address", "r@x.example")):
        refused = unitymail.refused("user", "set", "robin", *option)
        assert "is on vm2, which alone applies message actions" in refused
    back = unitymail.run("user", "set", "robin", "--home", "")
    assert "the old one stays on vm2" in back.stderr
    assert "no password" not in back.stderr
    unitymail.do("user", "add", "chris", "--home", "vm2")
    assert "no password yet" in unitymail.run("user", "set", "chris", "--home", "").stderr
    unitymail.do("user", "set", "chris", "--home", "vm2")
    assert "is on its home server" in unitymail.do("user", "delete", "chris")


def test_clearing_the_smart_host_says_who_needs_it(unitymail, robin, tokyo):
    """It is allowed; users who relay, locations without a host and the rule for the unknown are named."""
    unitymail.do("user", "set", "robin", "--action", "fax=relay", "--relay-address", "r@elsewhere.example")
    unitymail.do("site", "set", "recipient_not_found=smart-host")
    said = unitymail.run("site", "set", "smart_host.host=")
    assert said.exit_code == 0
    for words in ("1 user (robin)", "5.3.5", "1 location (Tokyo)", "recipient_not_found"):
        assert words in said.stderr
    assert unitymail.run("site", "set", "smart_host.host=smart.example.net").stderr == ""


def test_the_trail_says_what_changed(unitymail, robin, tokyo):
    """The field, whatever the kind of object."""
    unitymail.do("contact", "add", "kim")
    unitymail.do("user", "set", "robin", "--extension", "7", "--proxy", "")
    unitymail.do("contact", "set", "kim", "--last-name", "Lee")
    unitymail.do("list", "add", "sales")
    unitymail.do("list", "member", "add", "sales", "robin")
    unitymail.do("location", "set", "Tokyo", "--fax")
    unitymail.do("scope", "add", "Few", "--partition", "Default")
    with unitymail.desk.directory.read() as view:
        details = [change.detail for change in view.changes(0)]
    for detail in ("robin: extension, proxies", "kim: last_name", "sales: members", "Tokyo: fax", "Few"):
        assert detail in details


def test_two_commands_at_once(unitymail, robin):
    """Of two that want the same extension one is refused, and single members of two commands are both there."""
    unitymail.do("list", "add", "sales")
    for alias in ("a", "b", "c", "d"):
        unitymail.do("contact", "add", alias)
    unitymail.do("list", "set", "sales", "--allow-contacts")
    codes = []

    def extension(alias):
        with unitymail.desk.directory.change("test") as changing:
            try:
                changing.replace(replace(changing.named(Contact, alias), extension="77"))
                codes.append(0)
            except Refused:
                codes.append(1)
        lists.add_members(unitymail.desk.directory, "sales", [alias], who="test")

    threads = [Thread(target=extension, args=(alias,)) for alias in ("a", "b", "c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0, 1, 1, 1]
    assert unitymail.json("list", "show", "sales")["member"] == ["a", "b", "c", "d"]
