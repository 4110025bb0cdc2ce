"""Connections are counted in total and by address."""

from unitymail.settings.site import SiteSettings
from unitymail.smtp.slots import Slots


def test_slots():
    """The caps of the site hold, and what is given back can be taken again."""
    site = SiteSettings(smtp_max_connections=3, smtp_max_connections_per_address=2)
    slots = Slots()
    assert slots.take("192.0.2.1", site) is None
    assert slots.take("192.0.2.1", site) is None
    assert slots.take("192.0.2.1", site).code == 421
    assert slots.take("192.0.2.2", site) is None
    assert slots.take("192.0.2.3", site).code == 421
    slots.give_back("192.0.2.1")
    assert slots.take("192.0.2.3", site) is None
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        slots.give_back(address)
    assert (slots.total, dict(slots.by_address)) == (0, {})


def test_an_address_that_was_refused_leaves_no_trace():
    """Refused addresses do not fill the memory."""
    slots = Slots()
    slots.take("192.0.2.1", SiteSettings(smtp_max_connections_per_address=1))
    for number in range(100):
        slots.take(f"198.51.100.{number}", SiteSettings(smtp_max_connections=1))
    assert len(slots.by_address) == 1
