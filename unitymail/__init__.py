"""unitymail, a mail node for unified messaging: the map of the house.

Floors. An import goes down, never up, and never sideways on floors 2 and 3 (``tests/test_floors.py`` checks)::

    4  tap  node  workers/  ctl  founding       puts the parts together, starts and stops them
       running  rooms  upkeep  ways_out
       reception  serving  doors  accepting
       sockets  lock  notice  closing  turns
       smart_host  departures  certificates
       measuring  standing  free_space  steady
       tending
    3  smtp/  imap/  courier/  admin/           doors and hands: the edges that act
    2  directory/ spool/ store/ login/          the outside world: SQL, files, passwords, log
       relay/ codec/ history/ doorbell/
       ledger/ metrics/ proxy/
       journal disk threads eyes tls
    1  interfaces/ settings/ policy/ routing/   what should happen: pure, no Twisted, no files, no clock
    0  mail/  people/                           what things are: frozen values

A message's way in. ``smtp/server`` speaks with the client and asks ``policy/`` at each step. DATA streams into an
``IIncoming``. After the final dot ``routing/decide`` reads the message once (``routing/categorise``), finds its sender
and recipients in the address book (``routing/resolve``) and plans steps (``routing/plan``). ``spool/commit`` makes
the message durable, links it into the mailboxes and leaves the rest to ``courier/``; only then the door says 250.

A message's way out. ``imap/server`` runs one command at a time, each from its own file in ``imap/commands``. A session
compares its view with the folder's newest shared snapshot; the difference becomes the untagged responses.

Processes. One process does everything, or a parent has workers (``workers/``) that serve the doors: then the parent
keeps what there is one of (``upkeep``: recovery and courier; the ledger of connections), and each worker has rooms of
its own over the same files. ``node`` is the start of either, ``serving`` what serves the doors in either.

Glossary. *Account*: the mailbox of a user, named by the user's id. *Book*: the directory in memory. *Category*: voice,
email, fax or receipt. *Decision*: what is to be done with a message, as a value. *Door*: a listening port with its
protocol. *Item*: a message that waits in the spool. *Step*: one thing to do. *Trace id*: names a message everywhere:
in its file name, the journal, reports and replies. *USN*: the number of a change in the directory.

Read in this order: this page, ``routing/steps``, ``routing/plan`` and its test, ``courier/courier``, one story in
``tests/stories``.
"""

__version__ = "0.4.0"
