"""A Maildir++ of Dovecot or Courier becomes a mailbox of ours, its files as they are.

``source`` finds folders and files, ``naming`` their names, ``uid_list``, ``courier`` and ``subscribed`` read what those
servers keep beside the mail, ``decision`` says (purely) which message gets which UID, ``taking`` does it. Refuses to
change anything of theirs: who is not content goes back to the old server.
"""

from unitymail.store.takeover.report import FolderTaken, Report
from unitymail.store.takeover.source import messages_at
from unitymail.store.takeover.taking import take_over

__all__ = ["FolderTaken", "Report", "messages_at", "take_over"]
