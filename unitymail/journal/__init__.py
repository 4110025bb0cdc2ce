"""What happens at the node, a line an event.

`journal` has a method for each event, `wording` makes lines of them, `lines` brings those to their place.
"""
