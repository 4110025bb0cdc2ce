"""`unitymail cos`, `access` and `site`."""

from unitymail.settings.site import FIELDS


def test_a_new_class_has_no_imap(unitymail):
    """It starts as Unity Connection's."""
    made = unitymail.json("cos", "add", "Staff")
    assert made.pop("id")
    assert made == {
        "name": "Staff", "imap": False, "imap_bodies": "not-private", "secure": "private", "secure_imap": False,
        "send_to_lists": True,
    }  # fmt: skip


def test_every_option_of_a_class(unitymail):
    """Set at first or later, shown by the names of the options, listed in order."""
    options = ("--imap", "--imap-bodies", "headers", "--secure", "ask", "--secure-imap", "--no-send-to-lists")
    made = unitymail.json("cos", "add", "Staff", *options)
    assert unitymail.json("cos", "show", "STAFF") == made
    assert (made["imap"], made["imap_bodies"], made["secure"]) == (True, "headers", "ask")
    assert (made["secure_imap"], made["send_to_lists"]) == (True, False)
    changed = unitymail.json("cos", "set", "Staff", "--no-imap", "--secure", "always")
    assert changed == {**made, "imap": False, "secure": "always"}
    assert [cos["name"] for cos in unitymail.json("cos", "list")] == ["Default", "Staff"]
    assert "headers" in unitymail.do("cos", "list")
    assert unitymail.run("cos", "set", "Staff", "--secure", "sometimes").exit_code == 2


def test_classes_in_use_and_the_default_stay(unitymail, robin):
    """The refusal says how many users have it."""
    unitymail.do("cos", "add", "Staff")
    unitymail.do("user", "set", "robin", "--cos", "Staff")
    assert "in use by 1 user" in unitymail.refused("cos", "delete", "Staff")
    assert "new objects" in unitymail.refused("cos", "delete", "Default")
    assert "already" in unitymail.refused("cos", "add", "STAFF")
    unitymail.do("user", "set", "robin", "--cos", "Default")
    assert unitymail.json("cos", "delete", "Staff")["deleted"] is True
    assert "`unitymail cos list`" in unitymail.refused("cos", "show", "Staff")


def test_the_access_list(unitymail):
    """Added, changed, listed, removed, whatever the spelling."""
    assert unitymail.json("access", "list") == []
    unitymail.do("access", "add", "10.1.2.3/16", "--allow", "--legacy")
    unitymail.do("access", "add", "*", "--deny")
    assert unitymail.json("access", "list") == [
        {"pattern": "*", "allow": False, "legacy": False},
        {"pattern": "10.1.0.0/16", "allow": True, "legacy": True},
    ]
    assert unitymail.json("access", "add", "10.1.0.0/16", "--deny") == {
        "pattern": "10.1.0.0/16", "allow": False, "legacy": False,
    }  # fmt: skip
    unitymail.do("access", "remove", "10.1.9.9/16")
    assert [rule["pattern"] for rule in unitymail.json("access", "list")] == ["*"]
    assert "no access rule" in unitymail.refused("access", "remove", "10.1.0.0/16")
    assert "no address pattern" in unitymail.refused("access", "add", "mail.example.com", "--allow")
    assert unitymail.run("access", "add", "10.0.0.1").exit_code == 2


def test_what_site_show_prints_can_be_set_back(unitymail):
    """All of it in one command, which then changes nothing."""
    unitymail.do("site", "set", "secure.headers=X-Unity-Secure: true; X-Other: yes", "smart_host.host=mx:example.com")
    shown = unitymail.do("site", "show")
    lines = shown.splitlines()
    assert [line.partition("=")[0] for line in lines] == list(FIELDS)
    with unitymail.desk.directory.read() as view:
        usn = view.usn
    unitymail.do("site", "set", *lines)
    assert unitymail.do("site", "show") == shown
    with unitymail.desk.directory.read() as view:
        assert view.usn == usn


def test_site_set_is_all_or_nothing(unitymail):
    """One bad value beside good ones changes none of them, and says which and why."""
    before = unitymail.json("site", "show")
    for bad in ("smtp.max_recipients=many", "smtp.untrusted_tls=perhaps", "nothing=1", "smtp.max_connections=0", "x"):
        sentence = unitymail.refused("site", "set", "smtp.max_message_kib=20", bad)
        assert bad.partition("=")[0] in sentence
    assert unitymail.json("site", "show") == before
    assert unitymail.desk.announced == []


def test_files_that_the_smart_host_needs(unitymail, tmp_path):
    """They may be put there later; the administrator hears now what the node would find."""
    there, absent = tmp_path / "ca.pem", tmp_path / "password"
    there.write_bytes(b"x")
    for key in ("smart_host.ca_file", "smart_host.password_file"):
        assert unitymail.run("site", "set", f"{key}={there}").stderr == ""
        assert unitymail.run("site", "set", f"{key}=").stderr == ""
        said = unitymail.run("site", "set", f"{key}={absent}")
        assert (said.exit_code, said.stdout) == (0, f"{key}={absent}\n")
        assert said.stderr.startswith(f"{key}: {absent} cannot be read now (No such file or directory)")
        assert "give the whole path" in unitymail.run("site", "set", f"{key}=password").stderr


def test_site_values_have_types_in_json(unitymail):
    """Numbers, switches and words."""
    done = unitymail.json("site", "set", "smtp.max_message_kib=20", "smtp.allow_untrusted=yes", "unknown_sender=accept")
    assert done == {"smtp.max_message_kib": 20, "smtp.allow_untrusted": True, "unknown_sender": "accept"}
    shown = unitymail.json("site", "show")
    assert {key: shown[key] for key in done} == done


def test_each_verb_group_is_one_file(unitymail):
    """Whatever file in the package has a `command` is in the command line."""
    from unitymail.admin.cli.main import commands

    assert {"user", "cos", "access", "site"} <= {command.name for command in commands()}
    assert unitymail.run("--help").exit_code == 0
    for name in ("user", "cos", "access", "site"):
        assert unitymail.run(name, "--help").exit_code == 0
