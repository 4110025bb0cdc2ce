"""The relaying client: connections to next hops and what is said on them. Refuses to know whose message it carries."""
