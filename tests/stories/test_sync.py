"""mbsync keeps 500 messages the same on both sides: new ones, flags and deletions, both ways."""

import subprocess

from tests.stories.house import PATIENCE_S, fetch_all, needs

COUNT = 500


def letter(number):
    return (
        f"From: a@example.com\r\nTo: chris@vm1.example.com\r\nSubject: number {number}\r\n"
        f"Message-ID: <{number}@example.com>\r\n\r\nline {number}\r\n"
    ).encode()


def flags_by_number(box):
    box.select("INBOX")
    _, found = box.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    return {
        int(part[1].split(b"number ")[1]): {f for f in (b"\\Seen", b"\\Flagged") if f in part[0]}
        for part in found if isinstance(part, tuple)
    }  # fmt: skip


def test_both_ways(house, tmp_path):
    """After each run of mbsync both sides hold the same messages with the same flags."""
    needs("mbsync", "isync")
    local = tmp_path / "local"
    (local / "INBOX" / "new").mkdir(parents=True)
    for part in ("cur", "tmp"):
        (local / "INBOX" / part).mkdir()
    config = tmp_path / "mbsyncrc"
    config.write_text(
        f"IMAPAccount node\nHost localhost\nPort {house.ports['imaps']}\nUser chris\nPass {house.passwords['chris']}\n"
        f"SSLType IMAPS\nCertificateFile {house.folder}/tls/cert.pem\n\nIMAPStore far\nAccount node\n\n"
        f"MaildirStore near\nPath {local}/\nInbox {local}/INBOX\n\n"
        "Channel all\nFar :far:\nNear :near:\nCreate Both\nExpunge Both\nSyncState *\n"
    )

    def sync():
        done = subprocess.run(["mbsync", "-c", str(config), "all"], capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr

    box = house.imap("chris")
    for number in range(COUNT // 2):
        box.append("INBOX", None, None, letter(number))
    for number in range(COUNT // 2, COUNT):
        (local / "INBOX" / "new" / f"{number}.near").write_bytes(letter(number).replace(b"\r\n", b"\n"))
    sync()
    assert set(flags_by_number(box)) == set(range(COUNT))
    near = {path.name.split(",")[0]: path for path in local.glob("INBOX/*/*") if path.is_file()}
    assert len(near) == COUNT

    box.store("1:50", "+FLAGS", "(\\Flagged)")
    box.store("60:69", "+FLAGS", "(\\Deleted)")
    box.expunge()
    seen = sorted(path for path in local.glob("INBOX/new/*"))[:40]
    for path in seen:
        path.rename(local / "INBOX" / "cur" / (path.name.split(":")[0] + ":2,S"))
    sync()
    far = flags_by_number(box)
    assert len(far) == COUNT - 10
    assert sum(b"\\Flagged" in flags for flags in far.values()) == 50
    assert sum(b"\\Seen" in flags for flags in far.values()) == len(seen)
    near = [path for path in local.glob("INBOX/*/*") if path.is_file() and not path.name.startswith(".")]
    assert len(near) == COUNT - 10
    assert sum("F" in path.name.partition(":2,")[2] for path in near) == 50
    assert len(fetch_all(box)) == COUNT - 10
    box.logout()
