"""What should happen to a message: read it, resolve its recipients, plan the steps. Decides and never acts."""
