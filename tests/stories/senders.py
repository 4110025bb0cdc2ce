"""Clients that go on sending while the node is killed and started again under them."""

import smtplib
import threading


class Sender(threading.Thread):
    """Submits `message(number)` for its numbers; on a broken connection it waits for the node's next life.

    Then it goes on with the next number. `acknowledged` are those that got 250; `counted` is released for each begun.
    """

    def __init__(self, house, numbers, alive, counted, recipients, message):
        super().__init__(daemon=True)
        self.house, self.numbers, self.alive, self.counted = house, numbers, alive, counted
        self.recipients, self.message = recipients, message
        self.acknowledged = []

    def run(self):
        client = None
        for number in self.numbers:
            self.counted.release()
            try:
                client = client or self.house.smtp("robin")
                client.sendmail("robin.smith@example.com", self.recipients, self.message(number))
                self.acknowledged.append(number)
            except (OSError, smtplib.SMTPException):
                client = None
                self.alive.wait(60)
        if client:
            client.close()


class Crowd:
    """`senders` of them at work, who send `messages` in all."""

    def __init__(self, house, messages, senders, recipients, message):
        self.alive, self._counted = threading.Event(), threading.Semaphore(0)
        self.alive.set()
        self._senders = [
            Sender(house, range(first, messages, senders), self.alive, self._counted, recipients, message)
            for first in range(senders)
        ]
        for sender in self._senders:
            sender.start()

    def begins(self, count):
        """Wait until so many more were begun."""
        for _ in range(count):
            assert self._counted.acquire(timeout=60)

    def acknowledged(self, patience):
        """What got 250, once all are done."""
        for sender in self._senders:
            sender.join(patience)
            assert not sender.is_alive()
        return {number for sender in self._senders for number in sender.acknowledged}
