"""How answers look."""

from unitymail.admin.cli import output


def test_words_for_people():
    """Switches are yes and no, lists are words, maps are pairs."""
    assert output.words(True) == "yes"
    assert output.words(None) == ""
    assert output.words(["a", "b"]) == "a b"
    assert output.words({"send": 1, "on": False}) == "send=1, on=no"
    assert output.words([{"a": 1}, {"a": 2}]) == "a=1\na=2"
    assert output.words([]) == ""


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
