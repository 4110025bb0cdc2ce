"""What clients may write, command by command: for tests that write it, and then spoil it.

A command is a list of arguments; an argument is octets, or a `Word`, which can be spelled in several ways. Knows the
grammar of RFC 3501, 9051 and of all extensions here; refuses to know what comes of it.
"""

from hypothesis import strategies as st


class Word:
    """A string that may be written as an atom, quoted, or as a literal of any kind."""

    def __init__(self, octets):
        self.octets = octets

    def spelled(self, way):
        octets = self.octets
        if way == "quoted":
            return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        if way in ("literal", "literal+", "literal8"):
            kind = b"~" if way == "literal8" else b""
            return kind + b"{%d%b}\r\n%b" % (len(octets), b"" if way == "literal" else b"+", octets)
        return octets


WAYS = ("atom", "quoted", "literal", "literal+", "literal8")
MESSAGES = (b"Subject: a\r\n\r\nhello\r\n", b"x", b"From: a@b\r\nContent-Type: text/plain\r\n\r\n\xff\r\n")


def words(*octets):
    return st.sampled_from(octets).map(Word)


def one(*octets):
    return st.sampled_from(octets)


def listed(items, low=1, high=3):
    """`(a b c)`"""
    return st.lists(items, min_size=low, max_size=high).map(lambda chosen: b"(" + b" ".join(chosen) + b")")


def command(name, *arguments):
    """A strategy of commands: [name, arguments…]; an argument that is b"" is left out."""
    return st.tuples(st.just(name), *arguments).map(lambda parts: [part for part in parts if part != b""])


NAMES = words(b"INBOX", b"Archive", b"Sent", b"Deleted Items", b"a/b", b"&AOk-", b"nowhere", b"inbox", b"x")
PATTERNS = words(b"*", b"%", b"INBOX", b"A*", b"%/b", b"")
SETS = one(b"1", b"1:*", b"2,1", b"*", b"$", b"1:3", b"4294967295", b"2:1")
FLAGS = listed(one(b"\\Seen", b"\\Deleted", b"work", b"\\Flagged", b"$Junk"), 0)
ITEMS = one(
    b"FLAGS", b"UID", b"ALL", b"FULL", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY", b"INTERNALDATE", b"RFC822.SIZE",
    b"RFC822", b"RFC822.HEADER", b"RFC822.TEXT", b"BODY[]", b"BODY.PEEK[1.MIME]<0.5>", b"BODY[HEADER.FIELDS (From To)]",
    b"BODY.PEEK[HEADER.FIELDS.NOT (X)]", b"BODY[TEXT]<3.4>", b"BINARY[1]", b"BINARY.PEEK[1]<0.3>", b"BINARY.SIZE[1]",
    b"MODSEQ", b"PREVIEW", b"PREVIEW (LAZY)", b"SAVEDATE", b"EMAILID", b"THREADID",
)  # fmt: skip
KEYS = one(
    b"ALL", b"SEEN", b"UNSEEN", b"KEYWORD work", b"1:*", b"UID 1:9", b"NOT DELETED", b"OR SEEN FLAGGED", b"FROM robin",
    b'SUBJECT "a b"', b"SINCE 1-Jan-2020", b"SENTBEFORE 1-Feb-2030", b"LARGER 10", b"SMALLER 9999", b"TEXT hello",
    b"BODY {3+}\r\nhel", b"HEADER Subject a", b"(SEEN (NOT DRAFT))", b"OLDER 60", b"YOUNGER 9999", b"MODSEQ 1",
    b'MODSEQ "/flags/\\\\seen" all 3', b"SAVEDBEFORE 1-Jan-2030", b"SAVEDATESUPPORTED", b"EMAILID E1", b"THREADID T1",
    b"$", b"RECENT", b"NEW",
)  # fmt: skip
CRITERIA = st.lists(KEYS, min_size=1, max_size=3).map(b" ".join)
RETURNS = one(
    b"", b"RETURN ()", b"RETURN (MIN MAX COUNT ALL)", b"RETURN (SAVE)", b"RETURN (PARTIAL 1:2)", b"RETURN (COUNT SAVE)",
    b"RETURN (PARTIAL -1:-2 MIN)", b"RETURN (UPDATE)", b"RETURN (UPDATE COUNT)", b"RETURN (CONTEXT)",
)  # fmt: skip
STATUS = listed(one(
    b"MESSAGES", b"RECENT", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN", b"SIZE", b"DELETED", b"HIGHESTMODSEQ", b"MAILBOXID",
    b"APPENDLIMIT", b"DELETED-STORAGE",
))  # fmt: skip
DATES = one(b"", b'"17-Jul-1996 02:44:25 -0700"')
ENTRIES = words(
    b"/private/comment", b"/shared/comment", b"/private/specialuse", b"/shared/vendor/x/y", b"/shared/admin"
)
LITERALS = st.sampled_from(MESSAGES).map(lambda octets: b"{%d+}\r\n%b" % (len(octets), octets))
LITERALS8 = LITERALS.map(lambda literal: b"~" + literal)
PIECES = one(
    b"TEXT {5+}\r\nx: y\n", b"URL /INBOX/;UID=1", b'URL "/INBOX;UIDVALIDITY=1/;UID=2/;SECTION=TEXT"'
)
CATENATED = listed(PIECES).map(lambda pieces: b"CATENATE " + pieces)
APPENDED = LITERALS | LITERALS8 | CATENATED | LITERALS8.map(lambda literal: b"UTF8 (" + literal + b")")
EVENTS = one(
    b"NONE", b"SET (SELECTED (MessageNew MessageExpunge))", b"SET STATUS (PERSONAL (MessageNew MessageExpunge))",
    b"SET (INBOXES (MessageNew (FLAGS) MessageExpunge FlagChange)) (SUBTREE a (MailboxName))",
    b"SET (MAILBOXES (INBOX Sent) (MessageNew MessageExpunge)) (SELECTED-DELAYED (MessageNew MessageExpunge))",
    b"SET (PERSONAL (MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))",
)  # fmt: skip

SCOPES = one(
    b"", b"IN (personal)", b"IN (mailboxes (INBOX Sent))", b"IN (subtree a subscribed)", b"IN (selected inboxes)"
)
SELECTIONS = one(b"", b"(SUBSCRIBED)", b"(SPECIAL-USE)", b"(RECURSIVEMATCH SUBSCRIBED)", b"(REMOTE)")
LIST_RETURNS = one(
    b"", b"RETURN (CHILDREN SUBSCRIBED)", b"RETURN (STATUS (MESSAGES SIZE))", b"RETURN (METADATA (/private/comment))"
)
VALUES = one(
    b"(/private/comment x)", b"(/private/comment NIL)",
    b"(/shared/comment {3+}\r\nabc /private/comment ~{2+}\r\n\0\1)",
)  # fmt: skip
MODIFIERS = one(b"", b"(CHANGEDSINCE 1)")
UID_MODIFIERS = MODIFIERS | one(b"(CHANGEDSINCE 1 VANISHED)", b"(PARTIAL 1:2)", b"(PARTIAL -1:-1 CHANGEDSINCE 2)")
UNCHANGED = one(b"", b"(UNCHANGEDSINCE 5)")
CHANGES = one(b"FLAGS", b"+FLAGS", b"-FLAGS.SILENT")
ORDERS = one(b"(DATE)", b"(REVERSE SUBJECT FROM)", b"(DISPLAYFROM REVERSE SIZE)", b"(ARRIVAL CC TO)")
CHARSETS = one(b"UTF-8", b"US-ASCII", b"KOI8-R")
ALGORITHMS = one(b"REFERENCES", b"ORDEREDSUBJECT", b"OTHER")
REPLACED = (SETS, NAMES, FLAGS | st.just(b""), DATES, APPENDED)

EVERY = {
    "APPEND": command(b"APPEND", NAMES, FLAGS | st.just(b""), DATES, APPENDED, APPENDED | st.just(b"")),
    "CANCELUPDATE": command(b"CANCELUPDATE", words(b"a1", b"t", b"u")),
    "CAPABILITY": command(b"CAPABILITY"),
    "CHECK": command(b"CHECK"),
    "CLOSE": command(b"CLOSE"),
    "COPY": command(b"COPY", SETS, NAMES),
    "CREATE": command(b"CREATE", NAMES, one(b"", b"(USE (\\Archive))", b"(USE (\\All \\Flagged))")),
    "DELETE": command(b"DELETE", NAMES),
    "ENABLE": command(b"ENABLE", one(b"CONDSTORE", b"QRESYNC", b"IMAP4rev2", b"UTF8=ACCEPT", b"METADATA X")),
    "ESEARCH": command(b"ESEARCH", SCOPES, RETURNS, CRITERIA),
    "EXAMINE": command(b"EXAMINE", NAMES, one(b"", b"(CONDSTORE)", b"(QRESYNC (1 1))")),
    "EXPUNGE": command(b"EXPUNGE"),
    "FETCH": command(b"FETCH", SETS, ITEMS | listed(ITEMS), MODIFIERS),
    "GETMETADATA": command(
        b"GETMETADATA", one(b"", b"(MAXSIZE 10)", b"(DEPTH infinity)", b"(DEPTH 1 MAXSIZE 5)"), NAMES | words(b""),
        ENTRIES,
    ),
    "GETQUOTA": command(b"GETQUOTA", words(b"", b"nothing")),
    "GETQUOTAROOT": command(b"GETQUOTAROOT", NAMES),
    "ID": command(b"ID", one(b"NIL", b'("name" "x" "version" NIL)', b"()")),
    "LIST": command(b"LIST", SELECTIONS, words(b"", b"a/"), PATTERNS | one(b"(INBOX A*)"), LIST_RETURNS),
    "LSUB": command(b"LSUB", words(b"", b"a"), PATTERNS),
    "MOVE": command(b"MOVE", SETS, NAMES),
    "NAMESPACE": command(b"NAMESPACE"),
    "NOOP": command(b"NOOP"),
    "NOTIFY": command(b"NOTIFY", EVENTS),
    "RENAME": command(b"RENAME", NAMES, NAMES),
    "REPLACE": command(b"REPLACE", *REPLACED),
    "SEARCH": command(b"SEARCH", RETURNS, one(b"", b"CHARSET UTF-8", b"CHARSET KOI8-R"), CRITERIA),
    "SELECT": command(b"SELECT", NAMES, one(b"", b"(CONDSTORE)", b"(QRESYNC (1 1 1:5 (1 1)))")),
    "SETMETADATA": command(b"SETMETADATA", NAMES | words(b""), VALUES),
    "SETQUOTA": command(b"SETQUOTA", words(b""), one(b"(STORAGE 5)", b"()")),
    "SORT": command(b"SORT", RETURNS, ORDERS, CHARSETS, CRITERIA),
    "STATUS": command(b"STATUS", NAMES, STATUS),
    "STORE": command(b"STORE", SETS, UNCHANGED, CHANGES, FLAGS | one(b"work \\Seen")),
    "SUBSCRIBE": command(b"SUBSCRIBE", NAMES),
    "THREAD": command(b"THREAD", ALGORITHMS, CHARSETS, CRITERIA),
    "UNSELECT": command(b"UNSELECT"),
    "UNSUBSCRIBE": command(b"UNSUBSCRIBE", NAMES),
    "UID COPY": command(b"UID COPY", SETS, NAMES),
    "UID EXPUNGE": command(b"UID EXPUNGE", SETS),
    "UID FETCH": command(b"UID FETCH", SETS, ITEMS | listed(ITEMS), UID_MODIFIERS),
    "UID MOVE": command(b"UID MOVE", SETS, NAMES),
    "UID REPLACE": command(b"UID REPLACE", *REPLACED),
    "UID SEARCH": command(b"UID SEARCH", RETURNS, CRITERIA),
    "UID SORT": command(b"UID SORT", RETURNS, ORDERS, CHARSETS, CRITERIA),
    "UID STORE": command(b"UID STORE", SETS, UNCHANGED, CHANGES, FLAGS),
    "UID THREAD": command(b"UID THREAD", ALGORITHMS, CHARSETS, CRITERIA),
}
ELSEWHERE = {"AUTHENTICATE", "COMPRESS", "IDLE", "LOGIN", "LOGOUT", "STARTTLS"}
"""Commands after which the connection is another one, or which talk on: they have tests of their own."""
GARBAGE = one(
    b"", b" ", b"(", b")", b"((", b'"', b"{", b"{3}", b"{99999999999999999999+}", b"~{", b"\\", b"*", b"%", b"\xff",
    b"\0", b"NIL", b"[", b"]", b"<0.0>", b"4294967296", b"-1", b"{0+}\r\n", b"~{1+}\r\n\0", b"{2+}\r\nab", b"RETURN",
    b"\t", b"=?",
)  # fmt: skip


@st.composite
def written(draw, names=tuple(EVERY), spoiled=True):
    """One line as a client could send it; `spoiled` ones have an argument left out, doubled, put in, or replaced."""
    parts = draw(EVERY[draw(st.sampled_from(names))])
    spelled = [part.spelled(draw(st.sampled_from(WAYS))) if isinstance(part, Word) else part for part in parts]
    if spoiled:
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(spelled)))
            how = draw(st.sampled_from(["drop", "double", "insert", "replace", "cut"]))
            if how == "insert" or at == len(spelled):
                spelled.insert(at, draw(GARBAGE))
            elif how == "drop":
                del spelled[at]
            elif how == "double":
                spelled.insert(at, spelled[at])
            elif how == "replace":
                spelled[at] = draw(GARBAGE)
            else:
                spelled[at] = spelled[at][: draw(st.integers(0, len(spelled[at])))]
    return b" ".join(spelled) + b"\r\n"
