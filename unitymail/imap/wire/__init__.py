"""The grammar of IMAP: octets in, values out. Imports no Twisted."""
