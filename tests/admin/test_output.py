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


def test_a_large_directory_is_listed_in_good_time(capsys):
    """Twenty thousand users are a second, not a minute."""
    rows = [{"alias": f"user{number}", "address": f"user{number}@vm1.example.com"} for number in range(20_000)]
    began = time.process_time()
    output.show_table(rows, ("alias", "address"))
    assert time.process_time() - began < 5
    assert capsys.readouterr().out.count("\n") == 20_001
