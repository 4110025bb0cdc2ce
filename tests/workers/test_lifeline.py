"""A worker ends a while after its parent, whatever it hangs in."""

import os
import threading

from unitymail.workers import lifeline


def test_it_ends_after_the_parent():
    """As long as the other end is open nothing happens; then the process ends."""
    reading, writing = os.pipe()
    ended, codes = threading.Event(), []

    def end(code):
        codes.append(code)
        ended.set()

    thread = lifeline.hold(reading, 0.0, end)
    assert thread.daemon
    assert not ended.wait(0.05)
    os.close(writing)
    assert ended.wait(10)
    thread.join(10)
    os.close(reading)
    assert codes == [1]
