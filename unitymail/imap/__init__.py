"""The IMAP door: connections, their sessions, and the commands.

``door`` is a listening port, `IMAPDoor`, and what all its connections share; ``server`` is one of these: `IMAPSession`,
a ``twisted.mail.imap4.IMAP4Server``. Octets come in through ``inlet``, where ``wire.assembly`` makes whole commands of
them, one at a time; the ``conductor`` has them carried out: ``run`` finds a command in ``registry``, runs it and turns
whatever happens into the tagged response, ``parking`` keeps one that waits; octets leave through ``outlet``, as fast as
the client reads. A command lives in ``commands``, one file a verb family or extension, and sees a ``session``: who is
signed in, which folder is selected, and the ``view``, what the client has been told of it. After each command the view
is compared with the folder's newest snapshot, and the difference is told where RFC 3501 allows it. ``watch`` looks at
folders for those who IDLE. ``search``, ``sort`` and ``thread`` answer what is asked about all messages at once.
``wire`` is the grammar and knows no Twisted.
"""
