"""Who hears what about an item: pure, a table of cases."""

from dataclasses import replace

from tests.fakes import ROBIN, FakeBook
from unitymail.courier.reports import DELAYED, with_reports
from unitymail.interfaces.spool import DONE, Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report

BOOK = FakeBook()
NOBODY = Outcome("failed", "5.1.1", "Nobody there.", "550 no", "mx.example")
HOURS = 3_600


def an_item(*states, sender=ROBIN.address, recipients=(), silent=False):
    envelope = Envelope(sender, tuple(recipients) or (Recipient("a@x.example"), Recipient("b@x.example")))
    return Item(
        "t1", "", 0.0, envelope, "email", "normal", False, "", "", "", 10, 5, tuple(states), silent=silent
    )


def relay(to, outcome=None, attempts=1):
    return StepState(RelayToSmartHost(to), attempts if outcome is None else 1, 0.0, outcome)


def told(item, now=0.0, book=BOOK, **facts):
    """The reports and bad mails that were added."""
    after = with_reports(item, now, book, **facts)
    return [state.step for state in after.steps if state not in item.steps]


def test_failures_share_one_report():
    """All that failed in a run is one report with a group per recipient; what is done or waits is not in it."""
    item = an_item(relay("a@x.example", NOBODY), relay("b@x.example", NOBODY), relay("c@x.example", DONE),
                   relay("d@x.example"))
    fates = tuple(Fate(a, "failed", "5.1.1", "Nobody there.", "550 no", "mx.example")
                  for a in ("a@x.example", "b@x.example"))
    assert told(item) == [Report(ROBIN.address, fates)]


def test_nothing_is_told_twice():
    """Asked again, after a crash say, there is nothing new."""
    once = with_reports(an_item(relay("a@x.example", NOBODY)), 0, BOOK)
    assert with_reports(once, 0, BOOK) is once


def test_a_report_not_sent_yet_takes_it_up():
    """The report of unknown recipients, planned on entry, also tells of what failed in the first run."""
    unknown = Fate("who@vm1.example.com", "failed", "5.1.1", "Unknown.")
    item = an_item(relay("a@x.example", NOBODY), StepState(Report(ROBIN.address, (unknown,))))
    (report,) = told(item, first_run=True)
    assert [fate.address for fate in report.fates] == ["who@vm1.example.com", "a@x.example"]
    assert len(with_reports(item, 0, BOOK, first_run=True).steps) == 2


def test_later_runs_report_for_themselves():
    """A report that an earlier run may have sent is never changed."""
    unknown = Fate("who@vm1.example.com", "failed", "5.1.1", "Unknown.")
    item = an_item(relay("a@x.example", NOBODY), StepState(Report(ROBIN.address, (unknown,))))
    after = with_reports(item, 77.0, BOOK)
    assert after.steps[:2] == item.steps
    assert (after.steps[2].next_at, [fate.address for fate in after.steps[2].step.fates]) == (77.0, ["a@x.example"])


def test_a_sent_report_is_left_alone():
    """What fails later is a new report."""
    sent = StepState(Report(ROBIN.address, (Fate("who@vm1.example.com", "failed", "5.1.1", "Unknown."),)), 1, 0, DONE)
    (report,) = told(an_item(relay("a@x.example", NOBODY), sent))
    assert [fate.address for fate in report.fates] == ["a@x.example"]


def test_notify_is_kept():
    """NEVER and SUCCESS alone bar a failure; ORCPT goes along."""
    for notify, due in ((None, 1), ({"NEVER"}, 0), ({"SUCCESS"}, 0), ({"FAILURE"}, 1), ({"DELAY", "FAILURE"}, 1)):
        recipient = Recipient("A@X.example", None if notify is None else frozenset(notify), "rfc822;o@x.example")
        reports = told(an_item(relay("a@x.example", NOBODY), recipients=[recipient]))
        assert len(reports) == due, notify
        assert all(fate.orcpt == "rfc822;o@x.example" for report in reports for fate in report.fates)


def test_delays_are_told_once_after_four_hours():
    """A step that still waits after the notice time is told of, unless NOTIFY lacks DELAY; failures later again."""
    item = an_item(relay("a@x.example", attempts=9))
    assert told(item, 4 * HOURS - 1) == []
    assert told(item, 4 * HOURS) == [Report(ROBIN.address, (Fate("a@x.example", "delayed", "4.4.7", DELAYED),))]
    after = with_reports(item, 4 * HOURS, BOOK)
    assert with_reports(after, 5 * HOURS, BOOK) is after
    failed = replace(after, steps=(relay("a@x.example", NOBODY), replace(after.steps[1], attempts=1, outcome=DONE)))
    assert [fate.action for fate in told(failed, 48 * HOURS)[0].fates] == ["failed"]
    quiet = [Recipient("a@x.example", frozenset({"FAILURE"}))]
    assert told(an_item(relay("a@x.example", attempts=9), recipients=quiet), 5 * HOURS) == []
    none = FakeBook(site=replace(BOOK.site, relay_delay_notice=0))
    assert told(item, 40 * HOURS, none) == []


def test_who_gets_none():
    """Automatic mail, senders nobody knows, and users who opted out hear nothing."""
    assert told(an_item(relay("a@x.example", NOBODY), silent=True)) == []
    opted_out = FakeBook(replace(ROBIN, route_ndr=False))
    assert told(an_item(relay("a@x.example", NOBODY)), book=opted_out) == []


def test_the_null_sender_means_bad_mail():
    """A report that cannot be delivered is kept for the administrator, once."""
    item = an_item(relay("a@x.example", NOBODY), sender="")
    (step,) = told(item)
    assert isinstance(step, BadMail)
    assert "a@x.example" in step.reason
    after = with_reports(item, 0, BOOK)
    assert with_reports(after, 0, BOOK) is after


def test_recipients_are_named_as_the_sender_wrote_them():
    """Whatever the step, the fate shows the sender's own recipient."""
    steps = [
        Deliver("u-robin", "a@x.example"), Convert("l", "c", "99@vpim.example", "b@x.example"),
        RelayToUser("u-robin", "home@elsewhere.example", "c@x.example"), HandOver("p", "member@x", "d@x.example"),
        HandOver("p", "e@x.example"),
    ]
    (report,) = told(an_item(*(StepState(step, 1, 0, NOBODY) for step in steps)))
    assert [fate.address for fate in report.fates] == [f"{c}@x.example" for c in "abcde"]


def test_reports_and_bad_mail_that_fail_are_not_told():
    """There is never a report about a report."""
    fates = (Fate("a@x.example", "failed", "5.1.1", "x"),)
    item = an_item(StepState(Report(ROBIN.address, fates), 1, 0, NOBODY), StepState(BadMail("x"), 1, 0, NOBODY))
    assert told(item) == []
