"""The directory: users and rules in SQL, and the address book in memory that answers for it."""
