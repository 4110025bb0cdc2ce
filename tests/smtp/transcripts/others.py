"""The commands that change nothing, what is no command, and how a connection ends."""

from tests.smtp.stage import after, limited, trusted

TRANSCRIPTS = {
    "NOOP with anything behind it": (trusted, """
        C: NOOP
        S: 250 2.0.0 Done nothing
        C: noop whatever <that> is
        S: 250 2.0.0 Done nothing
    """),
    "VRFY tells nothing, whoever it is about": (trusted, """
        C: VRFY chris
        S: 252 2.0.0 Nothing is told about addresses; send a message and see
        C: VRFY <nobody@vm1.example.com>
        S: 252 2.0.0 Nothing is told about addresses; send a message and see
        C: VRFY
        S: 501 5.5.4 This command needs an argument
    """),
    "EXPN is not there": (trusted, """
        C: EXPN team
        S: 502 5.5.1 Lists are not shown
    """),
    "HELP names the limits": (trusted, """
        C: HELP
        S: 214-2.0.0 Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP STARTTLS AUTH
        S: 214-2.0.0 Largest message: 10000 KiB
        S: 214-2.0.0 Recipients of a message: 15000
        S: 214 2.0.0 Messages in a connection: 100
        C: HELP MAIL
        S: 214-2.0.0 Commands: ...
        S: 214-2.0.0 Largest message: ...
        S: 214-2.0.0 Recipients of a message: ...
        S: 214 2.0.0 Messages in a connection: ...
    """),
    "HELP where nothing is limited": (
        limited(smtp_max_message_kib=0, smtp_max_recipients=0, smtp_max_messages_per_connection=0), """
        C: HELP
        S: 214-2.0.0 Commands: ...
        S: 214-2.0.0 Largest message: unlimited
        S: 214-2.0.0 Recipients of a message: unlimited
        S: 214 2.0.0 Messages in a connection: unlimited
    """),
    "what is no command": (trusted, """
        C: FOO
        S: 500 5.5.1 Command not recognised; HELP lists them
        C:
        S: 500 5.5.2 Command not recognised
        R: NO\\0OP\\r\\n
        S: 500 5.5.2 A command may not hold control characters or broken UTF-8
        R: NOOP\\nQUIT\\r\\n
        S: 500 5.5.2 A command may not hold control characters or broken UTF-8
    """),
    "the longest line of a command": (
        trusted, "C: NOOP " + "x" * 2_043, "S: 250 2.0.0 Done nothing", "C: NOOP " + "x" * 2_044,
        "S: 500 5.5.2 The line is too long", "C: NOOP " + "x" * 20_000, "S: 500 5.5.2 The line is too long",
        "C: NOOP\nS: 250 2.0.0 Done nothing",
    ),
    "a line without an end": (
        trusted, "R: " + "x" * 40_000, "S: 500 5.5.2 The line is too long", "R: " + "x" * 40_000, """
        S: 421 4.5.2 That line has no end; goodbye
        (the connection ends)
    """),
    "ten wrong commands": (trusted, "C: FOO\n" * 12, "S: 500 5.5.1 Command not recognised; HELP lists them\n" * 10, """
        S: 421 4.7.0 Too many wrong commands; goodbye
        (the connection ends)
    """),
    "more messages than a connection may bring": (limited(smtp_max_messages_per_connection=1), """
        C: MAIL FROM:<robin@vm1.example.com>
        C: RCPT TO:<chris@vm1.example.com>
        C: DATA
        C: .
        C: MAIL FROM:<robin@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
        S: 354 Send the message, then a line with only a dot
        S: 250 2.0.0 Accepted; trace ...
        S: 421 4.7.0 Too many messages in one connection; connect again to go on
        (the connection ends)
    """),
    "a client that says nothing": (trusted, after(300), """
        S: 421 4.4.2 Idle for too long; goodbye
        (the connection ends)
    """),
    "QUIT takes no argument": (trusted, """
        C: QUIT now
        S: 501 5.5.4 This command takes no argument
        C: quit
        S: 221 2.0.0 Goodbye
        (the connection ends)
    """),
}
