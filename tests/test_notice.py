"""What a running node tells others about itself: whole at any moment, and gone when the node is."""

import json

from unitymail.notice import Notice, read_notice


def test_the_notice(tmp_path):
    """It says who and where at once, the newest figures whenever it is written, and goes with the node.

    Workers end after it is gone: what is told of that leaves no file of a node that is down.
    """
    figures = {"connections": 1}
    notice = Notice(str(tmp_path), doors={"smtp": "127.0.0.1:25"}, figures=lambda: figures)
    notice.ready(str(tmp_path / "nobody.txt"))
    first = read_notice(str(tmp_path))
    assert (first["doors"], first["connections"]) == ({"smtp": "127.0.0.1:25"}, 1)
    figures["connections"] = 2
    notice.write()
    assert read_notice(str(tmp_path)) == {**first, "connections": 2}
    notice.remove()
    notice.remove()
    notice.write()
    assert read_notice(str(tmp_path)) == {}


def test_a_notice_that_cannot_be_read(tmp_path):
    """Half a file, or another one, counts as none."""
    (tmp_path / "node.json").write_text(json.dumps({"pid": 1})[:-1])
    assert read_notice(str(tmp_path)) == {}


def test_a_demo_says_how_to_use_it(tmp_path, capfd):
    """Its users are shown once all ports are open."""
    (tmp_path / "demo-users.txt").write_text("robin opens\n")
    Notice(str(tmp_path), doors={}, figures=dict).ready(str(tmp_path / "demo-users.txt"))
    assert "robin opens" in capfd.readouterr().out
