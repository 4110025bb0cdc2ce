"""What messages are: frozen values and pure readings of octets. Knows nothing of users, disks or connections."""
