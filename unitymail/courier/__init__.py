"""The courier: performs the steps of spool items and writes down what became of them.

Read `courier` (who is next), then `run` (what happens to one item), then the pure parts that it asks: `patience` and
`retry` (when again, and until when), `outcomes` (what an attempt means), `waiting` (what an item waits for), `reports`
and `undeliverable` (who hears of it, and who keeps what nobody can be told of). What leaves this node goes through
`forwarding` (what is sent), `dispatch` (to which hop) and `destinations` (which hops are down or busy). `perform` holds
one file per kind of step.
"""
