"""SEARCHRES (RFC 5182): a result is saved with `RETURN (SAVE)`, and `$` stands for it until another one is.

It is a set of messages of the view (`View.saved`); `chosen` and the search keys read it, `search.results` writes it.
"""

CAPABILITIES = ("SEARCHRES",)
