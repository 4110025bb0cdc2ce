"""Messages with something to hide, and every way to get at it: commands, attributes, search keys, by name."""

import base64
import re

from unitymail.imap.sort.program import COLUMNS

HEADER = (
    b"Return-Path: <pat@partner.example>\r\nFrom: Pat <pat@partner.example>\r\nTo: robin@vm1.example.com\r\n"
    b"Subject: number %d\r\nMessage-ID: <%d@partner.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
)
MARKS = (b"Sensitivity: private\r\n", b"X-Unity-Secure: true\r\n", b"")
RECORDING = base64.encodebytes(b"hidden-octets" * 900).replace(b"\n", b"\r\n")
LARGE = (
    b'Content-Type: multipart/mixed; boundary="hidden-edge"\r\nContent-Description: hidden-title\r\n'
    b"Content-Disposition: attachment; filename=hidden.bin\r\nContent-ID: <hidden-id>\r\n\r\n"
    b"--hidden-edge\r\nContent-Type: text/plain\r\n\r\nhidden-words for Robin\r\n"
    b"--hidden-edge\r\nContent-Type: audio/wav; name=hidden.wav\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + RECORDING
    + b"--hidden-edge\r\nContent-Type: message/rfc822\r\n\r\nSubject: hidden-subject\r\nFrom: hidden@x\r\n\r\n"
    b"hidden-inner\r\n"
    b"--hidden-edge--\r\n"
)
SMALL = b"Content-Type: text/html; charset=utf-8\r\nContent-Language: hidden-language\r\n\r\n<p>hidden-html</p>\r\n"
SECRETS = re.compile(rb"hidden|aGlkZGVu|%s" % RECORDING[:40], re.IGNORECASE)

ITEMS = {
    "BINARY": ["BINARY.PEEK[]", "BINARY.PEEK[1]", "BINARY.PEEK[2]<0.40>", "BINARY[2]"],
    "BINARY.PEEK": ["BINARY.PEEK[3.1]"],
    "BINARY.SIZE": ["BINARY.SIZE[]", "BINARY.SIZE[1]", "BINARY.SIZE[2]"],
    "BODY": [
        "BODY", "BODY[]", "BODY[TEXT]", "BODY[HEADER]", "BODY[1]", "BODY[2]", "BODY[3.1]", "BODY[2.MIME]",
        "BODY[3.HEADER]", "BODY[3.TEXT]", "BODY[]<900.4000>", "BODY[HEADER.FIELDS (Content-Type Content-ID X-Other)]",
        "BODY[HEADER.FIELDS.NOT (From)]", "BODY[3.HEADER.FIELDS (Subject)]", "BODY[TEXT]<0.1>",
    ],
    "BODY.PEEK": ["BODY.PEEK[]", "BODY.PEEK[1.MIME]", "BODY.PEEK[TEXT]<100.100>"],
    "BODYSTRUCTURE": ["BODYSTRUCTURE"],
    "EMAILID": ["EMAILID"],
    "ENVELOPE": ["ENVELOPE"],
    "FLAGS": ["FLAGS"],
    "INTERNALDATE": ["INTERNALDATE"],
    "MODSEQ": ["MODSEQ"],
    "PREVIEW": ["PREVIEW", "PREVIEW (LAZY)"],
    "RFC822": ["RFC822"],
    "RFC822.HEADER": ["RFC822.HEADER"],
    "RFC822.SIZE": ["RFC822.SIZE"],
    "RFC822.TEXT": ["RFC822.TEXT"],
    "SAVEDATE": ["SAVEDATE"],
    "THREADID": ["THREADID"],
    "UID": ["UID"],
}
TRIED = {
    "BODY": ["BODY hidden-words", "BODY hidden-html", "BODY secure", 'BODY ""'],
    "HEADER": [
        "HEADER Content-Type hidden", "HEADER Content-Type html", 'HEADER Content-ID ""', 'HEADER Content-Language ""',
        "HEADER Content-Disposition hidden.bin", "HEADER Content-Description hidden",
    ],
    "LARGER": ["LARGER 100", "LARGER 500", "LARGER 900", "LARGER 2000", "LARGER 20000"],
    "SMALLER": ["SMALLER 500", "SMALLER 900", "SMALLER 2000", "SMALLER 20000"],
    "TEXT": ["TEXT hidden-subject", "TEXT hidden.wav", "TEXT hidden-language", "TEXT partner"],
    "SUBJECT": ["SUBJECT hidden", "SUBJECT number"], "FROM": ["FROM hidden@x", "FROM pat"], "TO": ["TO robin"],
    "CC": ["CC hidden"], "BCC": ["BCC hidden"],
}
SIMPLE = {
    "ALL": "ALL", "ANSWERED": "ANSWERED", "DELETED": "DELETED", "DRAFT": "DRAFT", "FLAGGED": "FLAGGED", "NEW": "NEW",
    "OLD": "OLD", "RECENT": "RECENT", "SEEN": "SEEN", "UNANSWERED": "UNANSWERED", "UNDELETED": "UNDELETED",
    "UNDRAFT": "UNDRAFT", "UNFLAGGED": "UNFLAGGED", "UNSEEN": "UNSEEN", "KEYWORD": "KEYWORD $MDNSent",
    "UNKEYWORD": "UNKEYWORD $MDNSent", "NOT": "NOT LARGER 900", "OR": "OR BODY hidden TEXT hidden", "UID": "UID 1:*",
    "BEFORE": "BEFORE 1-Jan-2030", "ON": "ON 1-Jan-2026", "SINCE": "SINCE 1-Jan-2020",
    "SENTBEFORE": "SENTBEFORE 1-Jan-2030",
    "SENTON": "SENTON 23-Nov-2026", "SENTSINCE": "SENTSINCE 1-Jan-2020", "SAVEDBEFORE": "SAVEDBEFORE 1-Jan-2030",
    "SAVEDON": "SAVEDON 1-Jan-2026", "SAVEDSINCE": "SAVEDSINCE 1-Jan-2020", "SAVEDATESUPPORTED": "SAVEDATESUPPORTED",
    "OLDER": "OLDER 1", "YOUNGER": "YOUNGER 100000", "MODSEQ": "MODSEQ 1", "EMAILID": "EMAILID E1",
    "THREADID": "THREADID T1",
}
SEARCHES = [*(one for tries in TRIED.values() for one in tries), *SIMPLE.values()]
STATUS = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT SIZE DELETED DELETED-STORAGE HIGHESTMODSEQ"
LOOK = "FETCH 1:* (RFC822.SIZE BODY.PEEK[] BODYSTRUCTURE PREVIEW EMAILID)"
MESSAGE = b"Subject: mine\r\n\r\nmy words\r\n"


def literal(octets):
    return b"{%d+}\r\n%b" % (len(octets), octets)


def catenate(section):
    named = b";SECTION=" + section if section else b""
    return b'CATENATE (URL "/INBOX;UIDVALIDITY=VALIDITY/;UID=1%b" TEXT %b)' % (named, literal(b"mine\r\n"))


SECTIONS = (b"", b"TEXT", b"HEADER", b"1", b"2", b"3.1", b"2.MIME", b"3.HEADER")
COMMANDS = {
    "FETCH": [
        *(f"FETCH 1:* ({item})" for items in ITEMS.values() for item in items), "FETCH 1:* ALL", "FETCH 1:* FULL",
        "UID FETCH 1:* (UID BODY.PEEK[] RFC822.SIZE)", "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)",
    ],
    "SEARCH": [
        *(f"SEARCH {one}" for one in SEARCHES), *(f"UID SEARCH NOT {one}" for one in SEARCHES),
        "SEARCH RETURN (MIN MAX COUNT ALL) LARGER 900", "SEARCH RETURN (SAVE) TEXT hidden", "FETCH $ (UID)",
        "SEARCH CHARSET UTF-8 BODY hidden", "UID SEARCH RETURN (PARTIAL 1:2) BODY hidden",
    ],
    "ESEARCH": ["ESEARCH IN (mailboxes INBOX) RETURN (COUNT ALL) BODY hidden", "ESEARCH IN (personal) LARGER 900"],
    "SORT": [*(f"SORT ({word}) UTF-8 ALL" for word in COLUMNS), "UID SORT RETURN (COUNT) (SIZE) UTF-8 TEXT hidden"],
    "THREAD": [
        "THREAD REFERENCES UTF-8 TEXT hidden", "THREAD ORDEREDSUBJECT UTF-8 LARGER 900", "THREAD REFERENCES UTF-8 ALL",
    ],
    "STATUS": [f"STATUS INBOX ({STATUS})", f"STATUS Archive ({STATUS})"],
    "LIST": [f'LIST "" * RETURN (STATUS ({STATUS}))'],
    "COPY": ["COPY 1:* Archive", "UID COPY 1:* Junk"],
    "APPEND": [
        *(b"APPEND Drafts " + catenate(section) for section in SECTIONS),
        b"APPEND Drafts " + literal(MESSAGE),
        b"APPEND Drafts () " + literal(MESSAGE) + b" () " + literal(MESSAGE),
    ],
    "SELECT": ["SELECT Drafts", LOOK, "SELECT Archive", LOOK, "SELECT INBOX"],
    "EXAMINE": ["EXAMINE Junk", "FETCH 1:* (RFC822.SIZE BODY[] BODYSTRUCTURE)", "SELECT INBOX"],
    "REPLACE": [b"UID REPLACE 1 Sent " + catenate(b"TEXT"), b"REPLACE 1 Sent " + literal(MESSAGE), "SELECT Sent", LOOK,
                "SELECT Archive"],
    "MOVE": ["MOVE 1 Junk", "UID MOVE 2 Junk"],
    "STORE": [
        "STORE 1:* +FLAGS (\\Deleted)", "UID STORE 1:* (UNCHANGEDSINCE 99999) +FLAGS (\\Seen)",
        f"STATUS Archive ({STATUS})",
    ],
    "EXPUNGE": ["EXPUNGE", "SELECT Junk", LOOK, "STORE 1 +FLAGS (\\Deleted)", "UID EXPUNGE 1:*"],
    "RENAME": ["RENAME Junk Else", "SELECT Else", LOOK, "RENAME INBOX Kept", "SELECT Kept", LOOK],
    "CLOSE": ["CLOSE"],
    "UNSELECT": ["SELECT Kept", "UNSELECT"],
    "CHECK": ["SELECT Kept", "CHECK"],
    "NOOP": ["NOOP"],
    "IDLE": ["IDLE", "DONE"],
    "GETMETADATA": ['GETMETADATA "" /shared/comment', "GETMETADATA (DEPTH infinity) Kept (/private /shared)"],
    "ENABLE": [
        "ENABLE CONDSTORE QRESYNC IMAP4rev2", "SELECT Kept (QRESYNC (1 1))",
        "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", LOOK,
    ],
    "NOTIFY": ["NOTIFY SET (selected (MessageNew (BODY.PEEK[] RFC822.SIZE) MessageExpunge))", "NOTIFY NONE"],
    "CANCELUPDATE": ["UID SEARCH RETURN (UPDATE COUNT) LARGER 900", 'CANCELUPDATE "x"'],
}
TELLS_OF_NO_MESSAGE = {
    "AUTHENTICATE", "CAPABILITY", "COMPRESS", "CREATE", "DELETE", "ID", "LOGIN", "LOGOUT", "LSUB", "NAMESPACE",
    "SETMETADATA", "SETQUOTA", "STARTTLS", "SUBSCRIBE", "UNSUBSCRIBE",
}
COUNTS_WHAT_IS_STORED = {"GETQUOTA", "GETQUOTAROOT"}
"""Decided so: the quota is of the files, and whoever is full has to see of what. It tells no message from another."""
