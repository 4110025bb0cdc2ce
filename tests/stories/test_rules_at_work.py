"""Rules that an administrator sets, as the mail shows them: class of service, search order, nested lists, subjects."""

import contextlib
import time

from tests.stories.house import until
from tests.stories.site import CHRIS, ROBIN, Told, letter, parsed, tag
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.founding import DIRECTORY
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import User

OUT = "terry@elsewhere.example"
DEEPEST = 20


def trace_of(octets):
    return parsed(octets)["X-Unitymail-Trace"]


def test_secure_when_the_sender_asks(site):
    """Class of service 3: what Robin sends as private stays that, and may leave; only what Robin sends as secure is."""
    private, secure = tag(), tag()
    site.a.run("cos", "set", "Default", "--secure", "ask")
    try:
        site.a.submit("robin", [CHRIS, OUT], letter("private_voice", private), sender=ROBIN)
        (out,) = until(lambda: site.outside.having(private), site.journals)
        site.a.submit("robin", [CHRIS, OUT], letter("secure_voice_header", secure), sender=ROBIN)
        report = site.told(site.a, "robin", secure)
        kept = {word: site.inbox(site.b, "chris", word)[0] for word in (private, secure)}
    finally:
        site.a.run("cos", "set", "Default", "--secure", "private")
    assert parsed(out.octets)["Sensitivity"].lower() == "private"
    assert report.groups == [(OUT, "failed", "5.7.1")] and site.outside.having(secure) == []
    assert ["secure=yes;" in trace_of(kept[word]) for word in (private, secure)] == [False, True]


@contextlib.contextmanager
def two_with_one_number(site):
    """Lee in North and Kim in South both have 1500; Pat's system knows the number. The scope by which it dials."""
    for partition, alias in (("North", "lee"), ("South", "kim")):
        site.a.run("partition", "add", partition)
        site.a.add_user(alias, "--display-name", alias, "--extension", "1500", "--partition", partition)
    site.a.run("scope", "add", "dialled", "--partition", "North", "--partition", "South")
    site.a.run("location", "set", "Branch", "--scope", "dialled")
    site.d.run("contact", "add", "desk", "--display-name", "The desk", "--location", "Head", "--mailbox-number", "1500",
               "--proxy", "desk@head.example")
    try:
        yield "dialled"
    finally:
        site.d.run("contact", "delete", "desk")
        site.a.run("location", "set", "Branch", "--scope", "Default")
        site.a.run("scope", "delete", "dialled")
        for partition, alias in (("North", "lee"), ("South", "kim")):
            site.a.run("user", "delete", alias)
            site.a.run("partition", "delete", partition)


def test_one_number_in_two_partitions(site):
    """Who is reached at a number that two users have is who comes first in the order of the search scope's partitions;
    in the other order it is the other one."""
    with two_with_one_number(site) as scope:
        first, second = tag(), tag()
        for word, alias, order in ((first, "lee", ("North", "South")), (second, "kim", ("South", "North"))):
            site.a.run("scope", "set", scope, *(option for name in order for option in ("--partition", name)))
            octets = letter("viewmail_voice", word, From="pat@elsewhere.example")
            site.d.submit("pat", ["desk@head.example"], octets, sender="pat@elsewhere.example")
            site.inbox(site.a, alias, word)
            site.quiet()
        assert site.having(site.a, "kim", first) + site.having(site.a, "lee", second) == []


def nest(house, names):
    """Each list holds the next one, the last Robin and Chris. In one change: a command for each takes its time."""
    database = Database(house.folder / DIRECTORY)
    with Directory(database, time.time).change("story") as change:
        members = tuple(change.named(User, alias).id for alias in ("robin", "chris"))
        for name in reversed(names):
            members = (change.add(DistributionList("", name, "", members=members)).id,)
    database.close()


def test_lists_twenty_deep(stopped_house):
    """A message to the outermost of twenty lists reaches those on the innermost, once each; one list more around them,
    and it reaches nobody, which the sender is told."""
    house, word, deeper = stopped_house, tag(), tag()
    lists = [f"level{number}" for number in range(DEEPEST + 1)]
    nest(house, lists)
    house.start()
    house.submit("robin", [f"{lists[1]}@vm1.example.com"], letter("viewmail_voice", word), sender=ROBIN)
    house.submit("robin", [f"{lists[0]}@vm1.example.com"], letter("viewmail_voice", deeper), sender=ROBIN)
    until(lambda: len(house.read("robin")) == 2, house.journal)
    copy, report = house.read("robin").values()
    if deeper.encode() in copy:
        copy, report = report, copy
    assert word.encode() in copy and len(house.read("chris")) == 1
    told = Told(report)
    assert told.groups == [(f"{lists[0]}@vm1.example.com", "failed", "5.2.4")]
    assert f"nested more than {DEEPEST} deep" in told.words


def test_subjects_that_the_site_writes(site):
    """A message without a subject has the one of Chris's home server: who wrote, from which number, that it is urgent
    and private. %Alias%, a token of templates, is none here and stays as typed; so does any subject that is there."""
    word, said = tag(), tag()
    unsaid = {"Subject": "", "Message-ID": f"<{word}@example.com>"}
    with site.rules(site.b, "subject.user=%U% %P% from %NAME% (%EXTENSION%) to %CALLEDID%, %Alias%"):
        site.a.submit("robin", [CHRIS], letter("secure_private_urgent", word, **unsaid), sender=ROBIN)
        site.a.submit("robin", [CHRIS], letter("private_voice", said), sender=ROBIN)
        (written,) = site.inbox(site.b, "chris", word)
        (kept,) = site.inbox(site.b, "chris", said)
    assert parsed(written)["Subject"] == "Urgent Private from Robin Smith (1041) to 1042, %Alias%"
    assert parsed(kept)["Subject"] == f"Voice Message from Robin Smith {said}"
