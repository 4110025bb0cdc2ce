"""`unitymail import users`: good rows are kept, each bad one is told with its line and why."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unitymail.admin.operations import importing, row_secrets
from unitymail.admin.operations.user_rows import COLUMNS

PASSWORD = "tulips at noon"


@pytest.fixture
def write(tmp_path):
    """Make a file of these rows (the first are the columns); its path."""

    def written(*rows, encoding="utf-8"):
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        path = tmp_path / "users.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        return str(path)

    return written


def imported(unitymail, *words, exit_code=0):
    """The report as JSON."""
    import json

    result = unitymail.run("import", "users", *words, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def everything(unitymail):
    return unitymail.json("user", "list")


def test_every_column(unitymail, robin, vm2, write):
    """As the options of `user add`; several values between semicolons, '' clears, an empty cell says nothing."""
    unitymail.do("site", "set", "smart_host.host=smart.example.net")
    unitymail.do("cos", "add", "Staff")
    unitymail.do("template", "add", "Office", "--cos", "Staff", "--proxy", "%Alias%@t.example", "--no-route-ndr")
    values = {
        "alias": "kim", "first_name": "Kim", "last_name": "Lee", "display_name": "K. Lee", "extension": "7",
        "proxy": "k@x.example; kim@x.example", "cos": "Default", "partition": "Default", "scope": "Default",
        "home": "''", "corporate_address": "kim@corp.example", "template": "Office", "route_ndr": "yes",
        "delegate": "robin", "hide_capability": "IDLE;QRESYNC", "offer_capability": "uidonly",
        "action": "fax=reject;voice=relay",
        "relay_address": "k@else.example", "quota": "warning=1M;receive=2M", "age_messages": "no", "password": PASSWORD,
    }  # fmt: skip
    assert set(values) == set(COLUMNS)
    blank = [cell if name in ("alias", "template") else "" for name, cell in values.items()]
    blank[0] = "lee"
    report = imported(unitymail, write(list(values), list(values.values()), blank))
    assert report == {
        "added": 2, "changed": 0, "unchanged": 0, "without_password": 1, "problems": [], "dry_run": False,
    }  # fmt: skip
    kim, lee = (unitymail.json("user", "show", alias) for alias in ("kim", "lee"))
    assert kim.items() >= {
        "first_name": "Kim", "last_name": "Lee", "display_name": "K. Lee", "extension": "7",
        "proxy": ["k@x.example", "kim@x.example"], "cos": "Default", "home": "",
        "corporate_address": "kim@corp.example", "route_ndr": True, "delegate": ["robin"],
        "hide_capability": ["IDLE", "QRESYNC"], "offer_capability": ["UIDONLY"],
        "password": "set", "relay_address": "k@else.example", "age_messages": False,
        "quota": {"warning": 1 << 20, "send": 13 << 20, "receive": 2 << 20}, "scram": True,
        "action": {"voice": "relay", "email": "accept", "fax": "reject", "receipt": "accept"},
    }.items()  # fmt: skip
    assert lee.items() >= {"proxy": ["lee@t.example"], "cos": "Staff", "route_ndr": False, "password": "none"}.items()


ROWS = (
    ("Alias", "extension", "proxy", "cos", "home", "route_ndr", "delegate", "password"),
    ("robin", "", "", "", "", "", "", ""),
    ("kim", "1041", "", "", "", "", "", ""),
    ("lee", "7", "lee@x.example", "", "", "", "", "short"),
    ("lee", "7", "nonsense", "", "", "", "", ""),
    ("lee", "7", "lee@x.example", "Nothing", "", "", "", ""),
    ("lee", "7", "", "", "vm9", "", "", ""),
    ("lee", "7", "", "", "", "perhaps", "", ""),
    ("", "7", "", "", "", "", "", ""),
    ("lee@x", "7", "", "", "", "", "", ""),
    ("lee", "7", "lee@x.example", "", "", "", "nobody", ""),
    ("pat", "7", "", "", "", "", "", ""),
    ("pat", "8", "lee@x.example", "", "", "", "", ""),
    ("pat", "8", "", "", "", "no", "lee", PASSWORD),
    ("too", "many", "", "", "", "", "", "", "cells"),
)
WHYS = {
    2: "There is a user robin already; import with --update",
    3: "extension 1041 is taken by the user robin",
    4: "password has 5 characters",
    5: "no mail address",
    6: "no class of service named Nothing",
    7: "no peer named vm9",
    8: "route_ndr is 'perhaps'",
    9: "no alias",
    10: "holds an @",
    11: "The user is there, but without these delegates: There is no user named nobody",
    12: "extension 7 is taken by the user lee",
    13: "belongs to the user lee",
    15: "9 cells",
}


def test_bad_rows_are_told_and_good_ones_kept(unitymail, robin, write):
    """Each with its line, its alias and why; the exit code says that there were some."""
    path = write(*ROWS)
    announced = len(unitymail.desk.announced)
    rehearsed = imported(unitymail, path, "--dry-run", exit_code=1)
    assert len(unitymail.desk.announced) == announced
    assert [user["alias"] for user in everything(unitymail)] == ["robin"]
    report = imported(unitymail, path, exit_code=1)
    assert {**rehearsed, "dry_run": False} == report
    assert [problem["line"] for problem in report["problems"]] == sorted(WHYS)
    for problem in report["problems"]:
        assert WHYS[problem["line"]] in problem["why"]
        assert problem["why"].endswith(".")
    assert (report["added"], report["without_password"]) == (2, 1)
    assert len(unitymail.desk.announced) == announced + 1
    assert unitymail.json("user", "show", "pat").items() >= {"delegate": ["lee"], "password": "set"}.items()


def test_as_people_read_it(unitymail, robin, write):
    """Bad rows on standard error, the sum on standard output."""
    result = unitymail.run("import", "users", write(*ROWS))
    assert "line 3 (kim): The extension 1041" in result.stderr
    assert "1 of those added have no password" in result.stderr
    assert result.stdout == "2 added, 0 changed, 0 unchanged, 13 bad rows.\n"
    dry = unitymail.run("import", "users", write(("alias",), ("new",)), "--dry-run")
    assert dry.stdout.startswith("Nothing was changed; without --dry-run: 1 added")


def test_update_changes_who_is_there(unitymail, robin, write):
    """Only what the cells say; the same file again finds nothing to do, the password included."""
    columns = ("alias", "last_name", "proxy", "password", "delegate")
    path = write(columns, ("robin", "Jones", "''", "roses at dusk", "kim"), ("kim", "", "k@x.example", PASSWORD, ""))
    assert imported(unitymail, path, "--update")["changed"] == 1
    shown = unitymail.json("user", "show", "robin")
    assert (shown["last_name"], shown["first_name"], shown["proxy"]) == ("Jones", "Robin", [])
    assert shown["delegate"] == ["kim"]
    before = everything(unitymail), shown["password_changed"]
    again = imported(unitymail, path, "--update")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert (everything(unitymail), unitymail.json("user", "show", "robin")["password_changed"]) == before
    path = write(("alias", "password", "delegate"), ("kim", "lilies at eight", ""), ("robin", "", "''"))
    third = imported(unitymail, path, "--update")
    assert (third["changed"], third["unchanged"]) == (2, 0)
    assert unitymail.json("user", "show", "robin")["delegate"] == []


def test_a_dry_run_hashes_nothing(unitymail, write, monkeypatch):
    """Ten thousand passwords are judged in seconds, not hashed for minutes."""
    monkeypatch.setattr(row_secrets, "new_secret", None)
    path = write(("alias", "password"), ("kim", PASSWORD), ("lee", "short"))
    report = imported(unitymail, path, "--dry-run", exit_code=1)
    assert (report["added"], [problem["line"] for problem in report["problems"]]) == (1, [3])


def test_order_and_spelling_change_nothing(unitymail, robin, write):
    """Proxy addresses and delegates in another order, or with other capitals, are what is there already."""
    rows = ("alias", "proxy", "delegate"), ("a", "", ""), ("z", "", ""), ("kim", "z@x.example;b@x.example", "z;a")
    imported(unitymail, write(*rows))
    before = everything(unitymail)
    for row in (("kim", "z@x.example; B@X.example", "a;z"), ("kim", "b@x.example;z@x.example", "z; a ;z")):
        again = imported(unitymail, write(rows[0], row), "--update")
        assert (again["changed"], again["unchanged"]) == (0, 1)
    assert everything(unitymail) == before


@pytest.mark.parametrize("options", [(), ("--update",)])
def test_a_user_on_two_lines(unitymail, write, monkeypatch, options):
    """The second is told, with the line of the first, and changes nothing, in the same slice and in a later one."""
    rows = ("alias", "last_name"), ("@", "Bad"), ("kim", "First"), ("lee", ""), ("KIM", "Second")
    for slice_ in (250, 1):
        monkeypatch.setattr(importing, "SLICE", slice_)
        for dry in (("--dry-run",), ()):
            report = imported(unitymail, write(*rows), *options, *dry, exit_code=1)
            assert [problem["line"] for problem in report["problems"]] == [2, 5]
            assert report["problems"][1]["why"] == "Line 3 is for the user kim already; leave one of the two out."
        assert unitymail.json("user", "show", "kim")["last_name"] == "First"
        for alias in ("kim", "lee"):
            unitymail.do("user", "delete", alias)


def test_a_user_who_is_there_on_two_lines(unitymail, robin, write):
    """An update is one line for each user."""
    path = write(("alias", "last_name"), ("robin", "First"), ("robin", "Second"))
    report = imported(unitymail, path, "--update", exit_code=1)
    assert ([problem["line"] for problem in report["problems"]], report["changed"]) == ([3], 1)
    assert unitymail.json("user", "show", "robin")["last_name"] == "First"


def test_what_is_no_csv_file(unitymail, tmp_path):
    """A picture is refused in a sentence, not with all its octets."""
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x89PNG" + b"x\x80\x1b" * 5_000)
    said = unitymail.refused("import", "users", str(path))
    assert said.startswith("The column '") and "…' is not known; known are alias" in said
    assert len(said) < 500


def test_delegates_of_each_other(unitymail, write):
    """Each may be named before they are there."""
    imported(unitymail, write(("alias", "delegate"), ("a", "b;c"), ("b", "a"), ("c", "")))
    assert unitymail.json("user", "show", "a")["delegate"] == ["b", "c"]
    assert unitymail.json("user", "show", "b")["delegate"] == ["a"]


def test_two_thousand_rows_in_slices(unitymail, write):
    """More than a slice; the book numbers every change, and everybody is there with their addresses."""
    assert importing.SLICE < 2_000
    rows = [(f"user{number:04}", f"{30_000 + number}", f"u{number}@x.example;u{number}@y.example")
            for number in range(2_000)]  # fmt: skip
    rows[1_234] = ("user0001", "99", "")
    report = imported(unitymail, write(("alias", "extension", "proxy"), *rows), exit_code=1)
    assert report["added"] == 1_999
    assert [problem["line"] for problem in report["problems"]] == [1_236]
    book = unitymail.desk.book
    for number in (0, 249, 250, 1_233, 1_999):
        assert book.find(f"u{number}@y.example").alias == f"user{number:04}"
    with unitymail.desk.directory.read() as view:
        usns = [change.usn for change in view.changes(0, 10_000)]
    assert usns == list(range(1, len(usns) + 1))


def test_wrong_files_change_nothing(unitymail, write, tmp_path):
    """Unknown columns with those that there are; files that are none are wrong usage."""
    assert "known are alias, first_name" in unitymail.refused("import", "users", write(("alias", "nick"), ("a", "b")))
    assert unitymail.run("import", "users", str(tmp_path / "absent")).exit_code == 2
    assert unitymail.run("import", "users").exit_code == 2
    assert everything(unitymail) == []


def test_from_standard_input(unitymail):
    """`-` is standard input."""
    assert "1 added" in unitymail.do("import", "users", "-", input="alias\nkim\n")


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=10) | st.sampled_from(
    ["''", "robin", "a@b.example", "7", "yes", "Default", "voice=relay", "receive=1M", "%Alias%@x", ";;", "x" * 400]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELL, max_size=8), max_size=6), update=st.booleans())
def test_no_cells_do_harm(unitymail, write, rows, update):
    """Whatever is in them, each row is a user, a change, or a problem with a sentence; a dry run says the same."""
    columns = ("alias", "proxy", "extension", "route_ndr", "delegate", "action", "quota", "password")
    path = write(columns, *rows)
    options = ("--update",) if update else ()
    before = everything(unitymail)
    dry = unitymail.run("import", "users", path, "--dry-run", "--json", *options)
    assert everything(unitymail) == before
    real = unitymail.run("import", "users", path, "--json", *options)
    assert dry.stdout.replace('"dry_run": true', '"dry_run": false') == real.stdout
    assert dry.exit_code == real.exit_code <= 1
