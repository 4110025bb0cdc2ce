"""What an operator does: init, check, start twice, change a rule while the node runs, renew a certificate, stop."""

import json
import re
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys

import pytest

from tests.stories.house import PATIENCE_S, VECTORS, House

TEXT = (VECTORS / "email_plain.eml").read_bytes()


def twistd(house, *words):
    """twistd in the foreground, until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile=", "unitymail",
         *words],
        capture_output=True, text=True, env=house.environment, cwd="/", timeout=PATIENCE_S,
    )  # fmt: skip


def test_init_refuses_a_folder_that_holds_a_node(model):
    """Nothing is overwritten; exit code 1 says why."""
    before = model.config.read_text()
    done = model.run("init", str(model.folder), bare=True, check=False)
    assert (done.returncode, "holds a node already" in done.stderr) == (1, True)
    assert model.config.read_text() == before


def test_check_reports_every_complaint_with_its_line(model, tmp_path):
    """`--check` exits 1 with all that is wrong, 0 when all is well."""
    house = House.like(model, tmp_path / "node")
    assert twistd(house, "--config", str(house.config), "--check").returncode == 0
    text = house.config.read_text().replace('format = "text"', 'format = "xml"')
    house.config.write_text(text.replace('key = "tls/key.pem"', 'key = "tls/nokey.pem"'))
    done = twistd(house, "--config", str(house.config), "--check")
    assert done.returncode == 1
    assert re.search(r"line \d+: tls\.key: .*nokey\.pem is not there", done.stdout)
    assert re.search(r"line \d+: log\.format: 'xml' is not one of text, json", done.stdout)


def test_check_looks_at_what_the_file_names(model, tmp_path):
    """A key that does not fit its certificate is found before the node is started."""
    house = House.like(model, tmp_path / "node")
    other = House(tmp_path / "other")
    (house.folder / "tls" / "key.pem").write_bytes((other.folder / "tls" / "key.pem").read_bytes())
    done = twistd(house, "--config", str(house.config), "--check")
    assert (done.returncode, "do not fit each other" in done.stdout) == (1, True)


def spoil_key(house):
    (house.folder / "tls" / "key.pem").write_text("junk")


def lose_directory(house):
    (house.folder / "directory.sqlite").unlink()


def spoil_directory(house):
    (house.folder / "directory.sqlite").write_bytes(b"junk " * 1000)


def lock_out(house):
    shutil.rmtree(house.folder / "accounts")
    (house.folder / "accounts").write_text("a file in the way")


def misplace_log(house):
    text = house.config.read_text()
    house.config.write_text(text.replace('file = "-"', f'file = "{house.config}/node.log"'))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_key, "key.pem cannot be read, or is no private key in PEM form"),
        (lose_directory, "directory.sqlite holds no directory; put the lost one back"),
        (spoil_directory, "directory.sqlite: file is not a database"),
        (lock_out, "accounts"),
        (misplace_log, "unitymail.toml"),
    ],
)
def test_what_keeps_a_node_from_starting_is_one_sentence(model, tmp_path, spoil, words):
    """The usual mishaps: exit 1, the reason, no traceback, nothing made up instead; and `--check` finds each."""
    house = House.like(model, tmp_path / "node")
    spoil(house)
    there = sorted(path.name for path in house.folder.iterdir())
    done = twistd(house, "--config", str(house.config), "--check")
    assert (done.returncode, words in done.stdout, done.stderr) == (1, True, "")
    done = twistd(house, "--config", str(house.config))
    said = done.stdout + done.stderr
    assert (done.returncode, words in said, "Traceback" in said) == (1, True, False), said
    assert sorted({path.name for path in house.folder.iterdir()} - {"lock"}) == sorted(set(there) - {"lock"})


def test_commands_on_a_spoilt_node_say_why(model, tmp_path):
    """No traceback from `unitymail` either: 1 and a sentence; `status` works without mailboxes."""
    house = House.like(model, tmp_path / "node")
    shutil.rmtree(house.folder / "accounts")
    assert house.ask("status")["free_disk_mib"] is None
    spoil_directory(house)
    done = house.run("user", "list", check=False)
    assert (done.returncode, done.stderr.count("\n"), "not a database" in done.stderr) == (1, 1, True)
    house.config.write_text("[listen]\nsmtp = true\n")
    done = house.run("user", "list", check=False)
    assert (done.returncode, "line 2: listen.smtp" in done.stderr) == (1, True)


def test_a_second_start_is_refused_with_the_pid_of_the_first(house):
    """Two nodes never share a folder."""
    done = twistd(house, "--config", str(house.config))
    assert done.returncode != 0
    assert f"process {house.process.pid}" in done.stdout + done.stderr


def test_sigterm_ends_the_node_cleanly(house):
    """twistd ends by the signal it was sent; clients are told, the sockets and the notice are gone."""
    box = house.imap("chris")
    box.select("INBOX")
    house.process.send_signal(signal.SIGTERM)
    assert box.readline().startswith(b"* BYE [UNAVAILABLE] ")
    box.shutdown()
    assert house.process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    assert list((house.folder / "run").iterdir()) == []
    assert house.ask("status")["running"] is False


def test_rules_change_while_the_node_runs(house):
    """A class without IMAP keeps a user out at the next sign-in; the change is in force when the command returns."""
    house.imap("chris").logout()
    house.run("cos", "set", "Default", "--no-imap")
    with pytest.raises(Exception, match="AUTHORIZATIONFAILED"):
        house.imap("chris")
    house.run("cos", "set", "Default", "--imap")
    house.imap("chris").logout()
    house.add_user("terry")
    house.imap("terry").logout()
    house.run("user", "delete", "terry")
    with pytest.raises(Exception, match="AUTHENTICATIONFAILED"):
        house.imap("terry")


def test_a_renewed_certificate_is_taken_on_sighup(house):
    """Clients that connect afterwards see the new one; nobody else notices."""
    from unitymail.tls import self_signed

    address = ("127.0.0.1", house.ports["imaps"])
    before = ssl.get_server_certificate(address)
    box = house.imap("chris")
    certificate, key = self_signed("localhost")
    (house.folder / "tls" / "cert.pem").write_bytes(certificate)
    (house.folder / "tls" / "key.pem").write_bytes(key)
    house.process.send_signal(signal.SIGHUP)
    while (renewed := ssl.get_server_certificate(address)) == before:
        pass
    (house.folder / "tls" / "key.pem").write_text("half a renewal")
    house.process.send_signal(signal.SIGHUP)
    while not any("the old ones stay: " in line for line in house.output):
        pass
    assert not any("Traceback" in line for line in house.output)
    assert ssl.get_server_certificate(address) == renewed
    assert box.noop()[0] == "OK"
    box.logout()


def test_mail_from_an_address_that_is_not_yours_stays_in_the_outbox(house):
    """The envelope at MAIL FROM, the header after the dot: 550 5.7.1 names the address; a proxy address mends it."""
    with house.smtp("robin") as client:
        code, words = client.mail("boss@example.com")
        assert (code, b"boss@example.com" in words) == (550, True)
        client.mail("robin.smith@example.com")
        client.rcpt("chris.jones@example.com")
        code, words = client.data(TEXT.replace(b"robin.smith@example.com", b"boss@example.com"))
        assert (code, b"boss@example.com" in words) == (550, True)
        house.run("user", "proxy", "add", "robin", "boss@example.com")
        assert client.sendmail("boss@example.com", ["chris.jones@example.com"], TEXT) == {}
    assert len(house.read("chris")) == 1


def test_an_address_on_the_list_brings_mail_without_signing_in(house):
    """A phone system in the access list sends as a user; mail of nobody known goes to bad mail, and comes back."""
    house.run("access", "add", "127.0.0.1", "--allow")
    with smtplib.SMTP("127.0.0.1", house.ports["smtp"], timeout=PATIENCE_S) as client:
        client.sendmail("robin.smith@example.com", ["chris.jones@example.com"], TEXT)
        stranger = TEXT.replace(b"robin.smith@example.com", b"stranger@elsewhere.example")
        client.sendmail("stranger@elsewhere.example", ["chris.jones@example.com"], stranger)
    assert len(house.read("chris")) == 1
    while not (bad := house.ask("badmail", "list")):
        pass
    assert (bad[0]["sender"], len(bad)) == ("stranger@elsewhere.example", 1)
    house.run("badmail", "requeue", bad[0]["id"])
    box = house.imap("chris")
    box.select("INBOX")
    while box.select("INBOX")[1] != [b"2"]:
        pass
    box.logout()
    assert house.ask("badmail", "list") == []


def test_the_journal_in_json_has_one_trace_id_for_a_message(stopped_house):
    """Every line that is about the message carries its trace id; the reply told it to the client."""
    house = stopped_house
    house.config.write_text(house.config.read_text().replace('format = "text"', 'format = "json"'))
    house.start()
    with house.smtp("robin") as client:
        client.mail("robin.smith@example.com")
        client.rcpt("chris.jones@example.com")
        trace = re.search(rb"[0-9a-z]{20}", client.data(TEXT)[1])[0].decode()
    house.stop()
    lines = [json.loads(line) for line in house.output if line.startswith("{")]
    assert [line["event"] for line in lines if line.get("trace") == trace] == ["delivered", "transaction"]


def test_status_tells_what_runs(house):
    """Doors, queue, disk and certificate at a glance."""
    status = house.ask("status")
    assert (status["running"], status["pid"]) == (True, house.process.pid)
    assert status["doors"]["imaps"] == f"127.0.0.1:{house.ports['imaps']}"
    assert status["certificate_days"] > 700


def test_a_mark_that_an_editor_left_is_no_complaint(model, tmp_path):
    """Notepad begins a file with a byte order mark; TOML knows none."""
    house = House.like(model, tmp_path / "node")
    house.config.write_text("\ufeff" + house.config.read_text(), encoding="utf-8")
    assert twistd(house, "--config", str(house.config), "--check").returncode == 0


def test_the_node_takes_the_descriptors_it_may_have(house):
    """A thousand connections do not end at the shell's soft limit of open files."""
    with open(f"/proc/{house.process.pid}/limits") as file:
        soft, hard = next(line.split()[3:5] for line in file if line.startswith("Max open files"))
    assert soft == hard
