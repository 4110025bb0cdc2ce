"""The courier: performs the steps of spool items and writes down what became of them.

Read `courier` (who is next), then `run` (what happens to one item), then the pure parts that it asks: `retry` (when
again), `outcomes` (what an attempt means), `reports` (who hears of it). `perform` holds one file per kind of step.
"""
