"""How answers look."""

import time

from unitymail.admin.cli import output


def test_words_for_people():
    """Switches are yes and no, lists are words, maps are pairs."""
    assert output.words(True) == "yes"
    assert output.words(None) == ""
    assert output.words(["a", "b"]) == "a b"
    assert output.words({"send": 1, "on": False}) == "send=1, on=no"
    assert output.words([{"a": 1}, {"a": 2}]) == "a=1\na=2"
    assert output.words([]) == ""


def test_a_stranger_does_not_speak_to_the_terminal():
    """The subject of bad mail may hold escape sequences; they are shown as marks."""
    assert output.words("\x1b]0;pwned\x07 Zoë") == "\ufffd]0;pwned\ufffd Zoë"
    assert output.words(["\x1b[2J"]) == "\ufffd[2J"


def test_json_keeps_every_script(capsys):
    """Names in any script are written as they are."""
    output.show_json({"alias": "Zoë 李"})
    assert capsys.readouterr().out == '{\n  "alias": "Zoë 李"\n}\n'


def test_no_bar_where_nobody_looks(capsys):
    """Progress prints nothing into pipes."""
    with output.progress("working", 3) as advance:
        advance()
        advance(2)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_table_in_a_pipe_is_one_line_a_row(capsys):
    """`user list | grep` works: columns stay even, whatever the script, and no field breaks a line."""
    rows = [{"alias": "robin", "name": "Robin\nSmith"}, {"alias": "李", "name": None}, {"alias": "x", "name": "[b]"}]
    output.show_table(rows, ("alias", "name"))
    assert capsys.readouterr().out == "alias  name\nrobin  Robin Smith\n李\nx      [b]\n"


def test_an_object_in_a_pipe(capsys):
    """A line a field, however long, without a space at its end; what has several lines stays in its column."""
    output.show_facts({"alias": "robin", "home": "", "addresses": [{"a": 1}, {"a": 2}], "words": "x" * 5_000})
    assert capsys.readouterr().out == (
        f"alias      robin\nhome\naddresses  a=1\n           a=2\nwords      {'x' * 5_000}\n"
    )


def test_an_object_within_an_object(capsys):
    """It has parentheses: what is said of it is not said of what it is in."""
    last, about = {"status": "4.4.1", "why": "No."}, [{"to": "x"}, {"to": "y"}]
    output.show_facts({"steps": [{"step": "x", "last": last, "about": about}]})
    assert capsys.readouterr().out == "steps  step=x, last=(status=4.4.1, why=No.), about=(to=x) (to=y)\n"


def on_a_terminal(monkeypatch, columns=80):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)


def test_long_lines_on_a_terminal(monkeypatch):
    """Broken between words, further in than they begin; in a pipe they stay whole, and so do words without a space."""
    line = "  relay to pat@example.org, through smart-host mail.example.com:25 (TLS opportunistic)"
    assert output.broken(f"{line}\nshort", 21) == [line, "short"]
    on_a_terminal(monkeypatch, 60)
    assert output.broken(f"{line}\n\nshort", 21) == [
        "  relay to pat@example.org, through", "      smart-host mail.example.com:25", "      (TLS opportunistic)",
        "", "short",
    ]  # fmt: skip
    assert output.broken("x" * 100, 59) == ["x" * 100]


def test_an_id_can_be_copied_from_a_narrow_terminal(monkeypatch, capsys):
    """Other columns give way."""
    on_a_terminal(monkeypatch)
    row = {"time": "2026-11-25 22:35:22", "trace": "hoi4fv9ft6jmjlj2e2op", "from": "chris@example.com", "to": "y" * 40}
    output.show_table([row | {"latest": "delivered"}], ("time", "trace", "from", "to", "latest"))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("hoi4fv9ft6jmjlj2e2op" in line for line in lines)
    assert any("delivered" in line for line in lines)


def test_a_large_directory_is_listed_in_good_time(capsys):
    """Twenty thousand users are a second, not a minute."""
    rows = [{"alias": f"user{number}", "address": f"user{number}@vm1.example.com"} for number in range(20_000)]
    began = time.process_time()
    output.show_table(rows, ("alias", "address"))
    assert time.process_time() - began < 5
    assert capsys.readouterr().out.count("\n") == 20_001
