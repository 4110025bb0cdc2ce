"""INPROGRESS (RFC 9585): a client that waits for a long command hears every ten seconds how far it is.

Commands say so by `Session.progress`, or have `Session.labour` say that they still work.
"""

CAPABILITIES = ("INPROGRESS",)
