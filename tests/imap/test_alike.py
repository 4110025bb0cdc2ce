"""What many sessions are told of the same folder is found once, and is right for each of them."""

from random import Random

from pytest import MonkeyPatch
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.imap import keeping_up
from unitymail.imap.alike import MOST, Alike
from unitymail.imap.commands import idle


class AlikeTests(SynchronousTestCase):
    def test_once_for_each_step(self):
        """For one step and one key it is made once; the next step, and too many keys, make it anew."""
        alike, folder, made = Alike(), House().inbox, []

        def told(serial, key):
            return alike.told(folder, serial, key, lambda: made.append((serial, key)) or len(made))

        self.assertEqual([told(1, "a"), told(1, "a"), told(1, "b"), told(2, "a")], [1, 1, 2, 3])
        for key in range(MOST):
            told(2, key)
        self.assertEqual(told(2, "a"), MOST + 4)

    def test_a_difference_is_found_once(self):
        """Of thirty who idle alike, one is compared with the folder."""
        house = House()
        clients = [house.selected() for _ in range(30)]
        for client in clients:
            client.say("a IDLE")
        house.inbox.arrive(MESSAGE)
        house.doorbell.ring("u-robin", "INBOX")
        for client in clients:
            client.heard()
        compared = []
        real = keeping_up.diff
        self.patch(keeping_up, "diff", lambda *args, **how: compared.append(1) or real(*args, **how))
        house.inbox.store([1], "add", ["\\Seen"])
        house.doorbell.ring("u-robin", "INBOX")
        self.assertEqual(len(compared), 2)  # one of them was told of \\Recent
        self.assertEqual(sum("FETCH (FLAGS (\\Recent \\Seen))" in client.heard() for client in clients), 1)

    def test_a_saved_result(self):
        """What `$` stands for is the same message after others left while the client idled, once for each of them."""
        house = House()
        for _ in range(5):
            house.inbox.put(MESSAGE)
        clients = [house.selected() for _ in range(3)]
        for client in clients:
            client.say("s SEARCH RETURN (SAVE) UID 4")
            client.say("i IDLE")
        house.inbox.store([1, 2], "add", ["\\Deleted"])
        house.inbox.expunge()
        house.doorbell.ring("u-robin", "INBOX")
        for client in clients:
            client.say("DONE")
            self.assertEqual(client.say("f FETCH $ UID")[0], "* 2 FETCH (UID 4)")

    def test_as_one_by_one(self):
        """Whatever happens, all who idle hear what each hears who is told alone, whatever it has enabled."""
        for seed in range(20):
            together = self.play(seed)
            with MonkeyPatch.context() as patch:
                patch.setattr(idle, "tell_at_once", lambda session: False)
                self.assertEqual(together, self.play(seed))

    def play(self, seed):
        chance = Random(seed)
        house = House()
        for _ in range(4):
            house.inbox.put(MESSAGE, recent=False)
        clients = []
        for enabling in ("", "CONDSTORE", "QRESYNC", "IMAP4REV2") * 3:
            client = house.signed_in()
            if enabling:
                client.say(f"e ENABLE {enabling}")
            client.say(chance.choice(("s SELECT INBOX", "s EXAMINE INBOX")))
            if chance.random() < 0.3:
                client.say(f"t FETCH {chance.randint(1, 4)} BODY[]")
            client.say("i IDLE")
            clients.append(client)
        for _ in range(6):
            self.happen(house.inbox, chance)
            house.doorbell.ring("u-robin", "INBOX")
        said = [client.heard() for client in clients]
        for client in clients:
            client.say("DONE")
            self.assertEqual(client.say("n NOOP"), ["n OK NOOP completed"])
            self.assertEqual(list(client.session.view.uids), list(house.inbox.snapshot.uids))
        return said

    def happen(self, folder, chance):
        uids = list(folder.snapshot.uids)
        what = chance.randrange(3)
        if what == 0 or not uids:
            folder.arrive(MESSAGE)
        elif what == 1:
            folder.store([chance.choice(uids)], "add", [chance.choice(("\\Seen", "\\Flagged", "work"))])
        else:
            folder.store([chance.choice(uids)], "add", ["\\Deleted"])
            folder.expunge()
