"""What the floors promise each other, one concept a file, with the errors its methods raise."""
