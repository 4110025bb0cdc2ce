"""\\Recent is claimed once per change, however many sessions wake up."""

from tests.imap.conversation import MESSAGE, House
from unitymail.settings.site import SiteSettings


def test_one_claim_for_many_sessions():
    """Thirty idle sessions hear of a delivery; one of them has it as recent, and the folder is asked once."""
    house = House(site=SiteSettings(imap_max_connections_per_user=100))
    clients = [house.selected() for _ in range(30)]
    for client in clients:
        client.say("a IDLE")
    house.inbox.calls.clear()
    for n in (1, 2):
        house.inbox.arrive(MESSAGE)
        house.doorbell.ring("u-robin", "INBOX")
        heard = [client.heard() for client in clients]
        assert house.inbox.calls.count("claim_recent") == n
        assert sum("* 0 RECENT" not in h for h in heard) == 1
        assert all(f"* {n} EXISTS" in h for h in heard)
