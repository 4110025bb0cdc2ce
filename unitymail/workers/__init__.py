"""Several processes that serve the doors of one node, under a parent that keeps what there is only one of.

The parent (`node`) binds the ports, keeps the ledger, the courier and all upkeep, and watches over its workers
(`supervisor`). A worker (`worker`) has the rooms behind the doors, and serves. They talk over two pipes (`channel`,
`words`), whose end is the worker's end. What is shared beyond that is on the disk.
"""
