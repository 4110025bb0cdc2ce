"""The full-text index of an account: which messages hold a substring, without reading them.

``catalogue`` is its file; ``filling`` reads messages into it in the background; ``asking`` answers for a folder. The
index may be switched off, lost, or behind: whoever asks is told "unknown" of what it does not hold, and reads the
message. It begins with the first search for words in an account, and follows from then on.
"""
