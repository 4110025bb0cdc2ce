"""Who holds how many of what, over all processes of a node (`interfaces/ledger`)."""
