"""A node is told to stop while a next hop keeps it waiting."""

import signal
import time

from tests.stories.house import hand_in, until
from tests.stories.sink import SILENT, Sink

MESSAGE = b"From: robin@vm1.example.com\r\nSubject: hello\r\n\r\nHello\r\n"
AT_MOST_S = 35
"""Twenty for last words of the next hop, and what a busy machine needs."""


def test_a_smart_host_that_says_nothing_after_the_dot(stopped_house):
    """The node ends all the same; what was under way, and what waited for it, goes out after the next start."""
    house = stopped_house
    with Sink() as sink:
        sink.script["dot"] = [SILENT] * 8
        house.run("site", "set", "smart_host.host=127.0.0.1", f"smart_host.port={sink.port}",
                  "recipient_not_found=smart-host", "relay.retry_for=0")
        house.start()
        with house.smtp("robin") as client:
            for number in range(12):
                hand_in(client, "robin@vm1.example.com", [f"kim{number}@example.net"], MESSAGE)
        sink.wait_for(8)
        began = time.monotonic()
        house.process.send_signal(signal.SIGTERM)
        house.process.wait(AT_MOST_S * 2)
        assert time.monotonic() - began < AT_MOST_S
        house.stop()
        assert len(house.ask("queue", "list")) == 12
        house.start()
        sink.wait_for(8 + 12)
        until(lambda: not house.ask("queue", "list"), "messages wait still")
        taken = {one.recipients[0] for one in sink.messages if one.answered.startswith("250")}
        assert taken == {f"kim{number}@example.net" for number in range(12)}
        assert house.read("robin") == {}
