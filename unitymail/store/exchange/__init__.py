"""Mail of other programs in and out: Maildirs and mbox files, for the command line. Blocking.

``incoming`` knows when a message is there already, ``outgoing`` which stay here, ``mbox`` that format (Maildir's is our
own). Refuses to print: each function is a generator of `Progress`, so that the caller can show how far it is, or stop;
`take_over`, which keeps the files of another server as they are, tells it by a call.
"""

from unitymail.store.exchange.incoming import import_maildir, import_mbox
from unitymail.store.exchange.outgoing import export_maildir, export_mbox
from unitymail.store.exchange.progress import Progress
from unitymail.store.takeover import messages_at, take_over

__all__ = ["Progress", "export_maildir", "export_mbox", "import_maildir", "import_mbox", "messages_at", "take_over"]
