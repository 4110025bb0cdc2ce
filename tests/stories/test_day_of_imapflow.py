"""A day of imapflow, which uses nearly all that is offered: IMAP4rev2, QRESYNC, COMPRESS, BINARY, OBJECTID, PARTIAL.

Its copy of the mailbox is kept by what it is told, message by message.
"""

import base64
import json
import pathlib
import subprocess
import threading

import pytest

from tests.stories.copies import copy_of
from tests.stories.house import PATIENCE_S, needs, skip_or_fail
from tests.stories.phone import Phone

FOLDER = pathlib.Path(__file__).parent / "imapflow"


def needs_imapflow():
    """Skip the story when imapflow is not installed; in CI that is a failure."""
    needs("node", "nodejs")
    if not (FOLDER / "node_modules" / "imapflow").is_dir():
        skip_or_fail("imapflow is not installed: npm install --prefix tests/stories/imapflow")


def in_json(value):
    return {"octets": base64.b64encode(value).decode()}


def from_json(value):
    return base64.b64decode(value["octets"]) if set(value) == {"octets"} else value


class Mirror:
    """What imapflow knows of one folder, from what it is told: `messages` by UID, [flags, octets]."""

    def __init__(self, folder):
        self.folder = folder
        self.messages = {}
        self.vanished = 0
        self.flagged = 0
        self.came = 0

    def told(self, event, about):
        if not isinstance(about, dict) or about["path"] != self.folder:
            return
        if event == "exists":
            self.came += 1
        elif event == "flags" and (uid := self._uid(about)) is not None:
            self.messages[uid][0] = about["flags"]
            self.flagged += 1
        elif event == "expunge" and (uid := self._uid(about)) is not None:
            del self.messages[uid]
            self.vanished += 1

    def _uid(self, about):
        """Of which message it is told, by UID or by number; None when that is none that it has."""
        if about.get("uid") is not None:
            return about["uid"] if about["uid"] in self.messages else None
        known = sorted(self.messages)
        return known[about["seq"] - 1] if about["seq"] <= len(known) else None

    def fetch_new(self, flow):
        """New messages come after all that it knows."""
        wanted = {"flags": True, "source": True, "threadId": True, "bodyStructure": True, "envelope": True}
        for message in flow.ask("fetchAll", f"{max(self.messages, default=0) + 1}:*", wanted, {"uid": True}):
            self.messages.setdefault(message["uid"], [message["flags"], message["source"]])
        return self

    def uids(self, words):
        found = {copy.word: uid for uid, copy in self._copies().items()}
        return [found[word] for word in words]

    def _copies(self):
        return {uid: copy_of(self.folder, flags, octets) for uid, (flags, octets) in self.messages.items()}

    def copies(self):
        return list(self._copies().values())


class Flow:
    """One connection of imapflow, in a process of its own; its events go to `mirror`."""

    def __init__(self, day, transcript, mirror, **options):
        self._mirror = mirror
        self._transcript = transcript
        self._answers = {}
        self._count = 0
        self._changed = threading.Condition()
        settings = {
            "host": "localhost", "port": day.house.ports["imaps"], "secure": True,
            "tls": {"rejectUnauthorized": False}, "auth": {"user": day.alias, "pass": day.password},
            "disableAutoIdle": True, **options,
        }  # fmt: skip
        with transcript.open("ab") as errors:
            self.process = subprocess.Popen(
                ["node", "talk.js", json.dumps(settings)], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, text=True,
            )  # fmt: skip
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self):
        for line in self.process.stdout:
            said = json.loads(line, object_hook=from_json)
            with self._changed:
                if "event" in said:
                    self._mirror.told(said["event"], said["about"])
                else:
                    self._answers[said["id"]] = said
                self._changed.notify_all()

    def begin(self, call, *args):
        """Call a method and wait for nothing; the id of its answer."""
        self._count += 1
        self.process.stdin.write(json.dumps({"id": self._count, "call": call, "args": args}, default=in_json) + "\n")
        self.process.stdin.flush()
        return self._count

    def ask(self, call, *args):
        """What the method gives."""
        number = self.begin(call, *args)
        self.until(lambda: number in self._answers, f"no answer to {call}")
        assert "result" in self._answers[number], self._answers[number]
        return self._answers[number]["result"]

    def until(self, true, what):
        """Wait for something that events or answers make so."""
        with self._changed:
            assert self._changed.wait_for(true, PATIENCE_S), f"{what}\n{self._transcript.read_text()[-3000:]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE_S)
        self.process.stdout.close()


def listed(uids):
    return ",".join(str(uid) for uid in uids)


BY_UID = {"uid": True}


def the_phone(day, words):
    """Another client: two messages are flagged, two are gone."""
    with Phone(day) as phone:
        phone.flag(words[:1], "\\Answered")
        phone.flag(words[1:2], "$Urgent")
        phone.remove(words[2:4])


def in_idle(day, flow, inbox, words):
    """Mail, flags and deletions are told while it stands in IDLE."""
    flow.begin("idle")
    the_phone(day, words)
    day.more(2)
    flow.until(lambda: inbox.came >= 1 and inbox.flagged >= 2 and inbox.vanished >= 2, "not all is told in IDLE")
    inbox.fetch_new(flow)


def look(day, flow, inbox, first):
    """Searches by ESEARCH and PARTIAL, an attachment by BINARY, threads, sizes and the quota."""
    found = flow.ask("search", {"subject": first[0]}, BY_UID)
    assert found == inbox.uids(first[:1])
    paged = flow.ask("search", {"larger": 1}, {"uid": True, "returnOptions": ["COUNT", "MIN", {"partial": "1:3"}]})
    assert paged["count"] >= len(inbox.messages) and paged["min"] == min(inbox.messages)
    assert paged["partial"] == {"range": "1:3", "messages": "1:3"}
    [uid] = inbox.uids(first[1:2])
    one = flow.ask("fetchOne", str(uid), {"bodyParts": ["2"], "threadId": True}, {"uid": True, "binary": True})
    assert one["bodyParts"]["2"].startswith(b"RIFF") and one["emailId"].startswith("E")
    assert flow.ask("search", {"threadId": one["threadId"]}, BY_UID) == [uid]
    status = flow.ask("status", "INBOX", {"messages": True, "size": True, "uidNext": True})
    assert status["size"] >= sum(len(octets) for _, octets in inbox.messages.values())
    assert flow.ask("getQuota", "INBOX")["storage"]["limit"] == 900 << 20


def work(day, flow, inbox, first):
    """Flags, filing, copies, deletions; folders made, renamed and deleted; messages put in."""
    flow.ask("messageFlagsAdd", listed(inbox.uids(first[:4])), ["\\Flagged", "$Urgent"], BY_UID)
    flow.ask("messageFlagsRemove", listed(inbox.uids(first[:1])), ["$Urgent"], BY_UID)
    day.flagged(first[:4], "\\Flagged", "$Urgent")
    day.unflagged(first[:1], "$Urgent")
    for name in ("Größe", "Projects", "Short"):
        assert flow.ask("mailboxCreate", name)["mailboxId"].startswith("F")
    moved = flow.ask("messageMove", listed(inbox.uids(first[3:6])), "Größe", BY_UID)
    assert len(moved["uidMap"]) == 3
    day.moved(first[3:6], "Größe")
    flow.ask("messageCopy", listed(inbox.uids(first[6:8])), "Archive", BY_UID)
    day.copied(first[6:8], "Archive")
    flow.ask("messageDelete", listed(inbox.uids(first[8:10])), BY_UID)
    day.gone(first[8:10])
    for folder, flags in (("Größe", ["\\Seen"]), ("Short", []), ("INBOX", ["\\Seen", "$Urgent"])):
        word, octets = day.letter()
        put = flow.ask("append", folder, octets, flags, "2026-11-06T09:00:00Z")
        assert put["uid"] and put["uidValidity"]
        day.put(word, octets, folder, *flags)
    flow.ask("mailboxSubscribe", "Größe")
    assert flow.ask("mailboxRename", "Größe", "Projects/Größe")["newPath"] == "Projects/Größe"
    day.renamed("Größe", "Projects/Größe")
    flow.ask("mailboxDelete", "Short")
    day.gone(day.words_in("Short"), folder="Short")
    listing = {folder["path"]: folder for folder in flow.ask("list", {"statusQuery": {"messages": True, "size": True}})}
    assert listing["Projects/Größe"]["status"]["messages"] == 4
    assert listing["Deleted Items"]["specialUse"] == "\\Trash"
    inbox.fetch_new(flow)


def back_by_qresync(flow, inbox, known):
    """One command tells what other flags there are, and what is gone."""
    flow.ask("mailboxOpen", "INBOX", {"changedSince": known["highestModseq"], "uidValidity": known["uidValidity"]})


def back_by_looking(flow, inbox, known):
    """The flags of all that is there, which tells too what is not."""
    flow.ask("mailboxOpen", "INBOX")
    there = {message["uid"]: message["flags"] for message in flow.ask("fetchAll", "1:*", {"flags": True}, BY_UID)}
    inbox.messages = {uid: [there[uid], octets] for uid, (_, octets) in inbox.messages.items() if uid in there}


def live(day, transcript, enabled, back, **options):
    """At work, told in IDLE, away for a while, and back."""
    first = day.more(20)
    inbox = Mirror("INBOX")
    with Flow(day, transcript, inbox, **options) as flow:
        flow.ask("connect")
        assert flow.ask("about")["enabled"] == enabled
        flow.ask("mailboxOpen", "INBOX")
        inbox.fetch_new(flow)
        in_idle(day, flow, inbox, first[10:14])
        look(day, flow, inbox, first)
        work(day, flow, inbox, first)
        known = flow.ask("about")["mailbox"]
        flow.ask("logout")
    the_phone(day, first[14:18])
    day.more(5)
    others = [Mirror(name) for name in ("Projects/Größe", "Archive")]
    with Flow(day, transcript, inbox, **options) as flow:
        flow.ask("connect")
        back(flow, inbox, known)
        day.evening()
        flow.ask("noop")
        inbox.fetch_new(flow)
        for other in others:
            flow.ask("mailboxOpen", other.folder)
            other.fetch_new(flow)
        flow.ask("logout")
    near = [copy for mirror in (inbox, *others) for copy in mirror.copies()]
    assert day.compare(near) >= {"Projects/Größe", "Archive"}


def expect_said(transcript, words, others=()):
    said = transcript.read_text()
    assert ([word for word in words if word not in said], [word for word in others if word in said]) == ([], [])


@pytest.mark.parametrize("day", [2], indirect=True)
def test_a_day(day, tmp_path):
    """With all that it knows; its copy is that of the node, though it never asked for anything twice."""
    needs_imapflow()
    transcript = tmp_path / "transcript"
    live(day, transcript, ["CONDSTORE", "UTF8=ACCEPT", "QRESYNC", "IMAP4REV2"], back_by_qresync, qresync=True)
    words = ["COMPRESS DEFLATE", "(QRESYNC (", "VANISHED (EARLIER)", "* VANISHED ", "* ESEARCH", "PARTIAL (1:3 ",
             "BINARY.PEEK[2]", "EMAILID", "THREADID", "UID MOVE", "UID EXPUNGE", "STATUS (MESSAGES"]  # fmt: skip
    expect_said(transcript, words)


def test_a_day_of_rev1(day, tmp_path):
    """The same when it enables nothing: message numbers, names in UTF-7, octets as they are."""
    needs_imapflow()
    transcript = tmp_path / "transcript"
    live(day, transcript, [], back_by_looking, disableIMAP4rev2=True, disableCompression=True, disableAutoEnable=True)
    expect_said(transcript, [" EXPUNGE", "Gr&APYA3w-e", "* ESEARCH"], ["COMPRESS DEFLATE", "VANISHED", "* ENABLED"])
