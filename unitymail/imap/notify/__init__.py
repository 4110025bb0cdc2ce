"""NOTIFY (RFC 5465): a client says which events of which mailboxes it wants to hear of, and hears of them at any time.

``wish`` is what a client asked for; ``state`` what there was to see of an account, and how two such sights differ;
``surroundings`` looks, once for all sessions of an account; ``notifier`` is one session's end: it keeps what waits to
be told, and tells it between commands, or during IDLE; ``own`` is what the client did itself and need not be told.
"""
