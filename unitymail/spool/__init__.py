"""What is on its way: files being received, the commit that makes them durable, items that wait.

`DIR/spool` on disk, everything in it made to be read by a person:

intake/    TRACE.OWNER      messages being received, and committed ones until their record is retired
journal/   OWNER.lock       held (flock) for as long as the process that owns it lives
           OWNER.N          its commit journal, in segments: one framed line of JSON a committed message, and one
                            a note of what has become of an item (outcomes, finished)
items/     TRACE.eml        a message that waits for the courier (one more name of the same inode)
           TRACE.json       its envelope: what is to be done with it, and what has happened so far; a new item has
                            it only in the commit journal and in memory for its first half second
shunted/   TRACE.{eml,json,txt}   items that met an error nobody expected, and its traceback: moved back to items/,
                                  the .eml first, such an item is tried again, by a running node as well
badmail/   TRACE.{eml,toml}       mail that nobody can be told about
nudges/    NAME.json        what administrators did to items, until the running node takes it up
xids.sqlite                 which recipients already have a message that a peer may send again

Several processes of a node may receive, each with its own commit journal and intake files; one of them has the courier.
An item that another makes has its envelope file at once, and the courier's process is told. It also takes over what a
process left that died (`recovery`, `inheriting`).

Read `form`, `intake`, `journal_file`, `commit`, `batch`, `retire`, `durable`, `recovery` in this order for the way in;
then `items`, `reading`, `claim`, `in_hand`, `notes`, `index`, `turns`, `queue` for what waits; `leaving`, `remover` and
`removing` (the program of a process of its own) for what is finished; `desk` for what may be done to it. `spool` puts
the room together.
"""
