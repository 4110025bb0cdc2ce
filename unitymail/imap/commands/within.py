"""WITHIN (RFC 5032): SEARCH OLDER and YOUNGER, which are in `search.keys.ages`."""

CAPABILITIES = ("WITHIN",)
