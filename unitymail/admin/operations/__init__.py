"""What an administrator can do, once for the command line, the web console and the API.

Each function is one action on an `IDirectory`: names in, facts out, `Refused` when it cannot be. Refuses to know how it
was asked for and how the answer is shown.
"""
