"""The courier: performs the steps of spool items and writes down what became of them."""
