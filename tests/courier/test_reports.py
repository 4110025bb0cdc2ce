"""Who hears what about an item: pure, a table of cases."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import CHRIS, ROBIN, FakeBook
from unitymail.courier.reports import DELAYED, owes_nothing, with_reports
from unitymail.interfaces.spool import DONE, Item, Outcome, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.fate import Fate
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report
from unitymail.settings.site import SiteSettings

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


SUCCESS = (Recipient("a@x.example", frozenset({"SUCCESS"})), Recipient("b@x.example"))
WELL = Outcome("done", success="relayed")
LESS = Outcome("done", "2.6.4", "song.mp3 was left out.", success="relayed")


@pytest.mark.parametrize(("states", "facts", "nothing"), [
    ([relay("a@x.example", DONE), relay("b@x.example", WELL)], {}, True),
    ([relay("a@x.example", WELL)], {"sender": ""}, True),
    ([relay("a@x.example", WELL), StepState(Report(ROBIN.address, ()), 1, 0.0, DONE)], {}, True),
    ([relay("a@x.example", WELL)], {"recipients": [Recipient("a@x.example", frozenset({"FAILURE"}))]}, True),
    ([relay("a@x.example", WELL)], {"recipients": SUCCESS}, False),
    ([relay("a@x.example", WELL)], {"by": (9.0, "N")}, False),
    ([relay("a@x.example", WELL)], {"by": (9.0, "R")}, True),
    ([relay("a@x.example", WELL)], {"by": (9.0, "R"), "traced": True}, False),
    ([relay("a@x.example", LESS)], {}, False),
    ([relay("a@x.example", WELL), relay("b@x.example", NOBODY)], {}, False),
    ([relay("a@x.example", NOBODY)], {"sender": ""}, False),
    ([relay("a@x.example", WELL), relay("b@x.example")], {}, False),
    ([relay("a@x.example", WELL), StepState(Report(ROBIN.address, ()))], {}, False),
])
def test_who_is_owed_nothing(states, facts, nothing):
    """All is done and nobody can want to hear of it: then asking what is to be told would give nothing."""
    by, mode = facts.pop("by", (None, ""))
    traced = facts.pop("traced", False)
    item = an_item(*states, **facts)
    envelope = replace(item.envelope, deliver_by=by, deliver_by_mode=mode, deliver_by_trace=traced)
    item = replace(item, envelope=envelope)
    assert owes_nothing(item) is nothing
    if nothing:
        assert with_reports(item, 0, BOOK, first_run=True) is item


OUTCOMES = st.builds(
    Outcome, st.sampled_from(["done", "done", "done", "failed"]), st.sampled_from(["2.0.0", "2.6.4", "5.1.1"]),
    success=st.sampled_from(["", "delivered", "relayed"]),
)
ADDRESSES = st.sampled_from(["a@x.example", "A@x.example", "b@x.example"])
STEPS = st.one_of(
    ADDRESSES.map(RelayToSmartHost), ADDRESSES.map(lambda to: Deliver(ROBIN.id, to)), st.just(BadMail("why")),
    st.builds(RelayToUser, st.just(ROBIN.id), st.just("r@y.example"), ADDRESSES, st.booleans()),
    st.builds(HandOver, st.just("l"), ADDRESSES),
    st.builds(Convert, st.just("l"), st.just("c"), st.just("1@v.example"), ADDRESSES),
    st.builds(Report, st.just(ROBIN.address), st.lists(st.builds(
        Fate, ADDRESSES, st.sampled_from(["failed", "expanded", "delivered"]), st.just("2.0.0"), st.just("So it is."),
    ), max_size=2).map(tuple)),
)
STATES = st.builds(StepState, STEPS, st.integers(0, 1), outcome=st.one_of(OUTCOMES, OUTCOMES, OUTCOMES, st.none()))
WISHES = st.none() | st.sets(st.sampled_from(["SUCCESS", "FAILURE", "DELAY"])).map(lambda s: frozenset(s or {"NEVER"}))


@settings(max_examples=1_000, deadline=None)
@given(
    states=st.lists(STATES, max_size=4), recipients=st.lists(st.builds(Recipient, ADDRESSES, WISHES), max_size=3),
    sender=st.sampled_from([ROBIN.address, "", "o@x.example"]), mode=st.sampled_from(["", "", "N", "R"]),
    silent=st.booleans(), notice=st.booleans(), first_run=st.booleans(), traced=st.booleans(),
)
def test_who_is_owed_nothing_is_told_nothing(states, recipients, sender, mode, silent, notice, first_run, traced):
    """Whatever the item, its outcomes and its sender's wishes: the short answer never costs anybody a report."""
    item = an_item(*states, sender=sender, recipients=recipients, silent=silent)
    by = 9.0 if mode else None
    envelope = replace(item.envelope, deliver_by=by, deliver_by_mode=mode, deliver_by_trace=bool(mode) and traced)
    item = replace(item, envelope=envelope)
    book = FakeBook(ROBIN, site=SiteSettings(relay_notice_removed=notice))
    if owes_nothing(item):
        assert with_reports(item, 0.0, book, first_run=first_run) is item
        assert all(state.outcome is not None for state in item.steps)


@pytest.mark.parametrize(("mode", "traced", "notify", "hears"), [
    ("N", False, None, True), ("R", False, None, False), ("R", True, None, True),
    ("R", True, frozenset({"NEVER"}), False),
])  # fmt: skip
def test_a_message_with_a_time_that_goes_on(mode, traced, notify, hears):
    """RFC 2852: the sender hears of a hop that knows no times, and of each hop when it asked for a trace."""
    item = an_item(relay("a@x.example", WELL), recipients=[Recipient("a@x.example", notify)])
    envelope = replace(item.envelope, deliver_by=9.0, deliver_by_mode=mode, deliver_by_trace=traced)
    reports = told(replace(item, envelope=envelope))
    assert [fate.action for report in reports for fate in report.fates] == ["relayed"] * hears


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


def test_hosts_and_files_of_ours_are_nobodys_business():
    """The sender reads of the next mail system; the journal and the queue keep the names."""
    book = FakeBook(site=replace(BOOK.site, smart_host_host="out.example", smart_host_password_file="/etc/secret"))
    for why, cause in (
        ("The smart host out.example refused this recipient.", "The next mail system refused this recipient."),
        ("The message is 8bit, and the smart host out.example takes none.",
         "The message is 8bit, and the next mail system takes none."),
        ("The password for the smart host out.example cannot be read from /etc/secret: No such file.",
         "The password for the next mail system cannot be read: No such file."),
        ("Nobody there.", "Nobody there."),
    ):
        (report,) = told(an_item(relay("a@x.example", replace(NOBODY, why=why))), book=book)
        assert report.fates[0].cause == cause


def test_who_gets_none():
    """Users who opted out hear nothing, nor does who is not known: an administrator gets that back as bad mail."""
    (step,) = told(an_item(relay("a@x.example", NOBODY), silent=True), book=FakeBook(ROBIN, CHRIS, KEEPERS))
    assert isinstance(step, BadMail)
    assert told(an_item(relay("a@x.example"), silent=True), 5 * HOURS) == []
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


ASKED = Recipient("a@x.example", frozenset({"SUCCESS", "FAILURE"}), "rfc822;o@x.example")


def actions(*states, recipients=(ASKED,), book=BOOK, now=0.0, **facts):
    """(address, action, status) of what the sender hears."""
    item = replace(an_item(*states, recipients=recipients), **facts)
    steps = (state.step for state in with_reports(item, now, book).steps)
    fates = [fate for step in steps if isinstance(step, Report) for fate in step.fates]
    return [(fate.address, fate.action, fate.status) for fate in fates]


def done(step, success="", status="2.0.0", why=""):
    return StepState(step, 1, 0.0, Outcome("done", status, why, success=success))


HEARS = {
    None: {"failed", "delayed"}, "NEVER": set(), "SUCCESS": {"delivered", "relayed"}, "FAILURE": {"failed"},
    "DELAY": {"delayed"}, "SUCCESS,FAILURE": {"delivered", "relayed", "failed"}, "FAILURE,DELAY": {"failed", "delayed"},
    "SUCCESS,DELAY": {"delivered", "relayed", "delayed"},
    "SUCCESS,FAILURE,DELAY": {"delivered", "relayed", "failed", "delayed"},
}


@pytest.mark.parametrize("orcpt", [None, "rfc822;o@x.example"])
@pytest.mark.parametrize("notify", HEARS)
def test_each_notify_by_each_outcome(notify, orcpt):
    """RFC 3461 4.1 in full: what the sender hears of, with or without ORCPT, which comes back as it was given."""
    wish = Recipient("a@x.example", None if notify is None else frozenset(notify.split(",")), orcpt)
    ends = {
        "delivered": done(Deliver("u-robin", "a@x.example"), "delivered"), "failed": relay("a@x.example", NOBODY),
        "relayed": done(RelayToSmartHost("a@x.example"), "relayed"), "delayed": relay("a@x.example"),
        "told by the next hop": done(RelayToSmartHost("a@x.example")),
    }
    heard = {}
    for end, state in ends.items():
        for report in told(an_item(state, recipients=[wish]), 4 * HOURS):
            heard[end] = [(fate.action, fate.orcpt) for fate in report.fates]
    assert heard == {end: [(end, orcpt or "")] for end in HEARS[notify]}


def test_success_is_told_to_who_asks():
    """Delivered or relayed as it was; nothing where the next hop tells, nothing to who did not ask."""
    deliver, hand = Deliver("u-robin", "a@x.example"), HandOver("p", "a@x.example")
    assert actions(done(deliver, "delivered")) == [("a@x.example", "delivered", "2.0.0")]
    assert actions(done(hand, "relayed")) == [("a@x.example", "relayed", "2.0.0")]
    assert actions(done(hand)) == []
    assert actions(done(hand, "relayed"), recipients=[Recipient("a@x.example")]) == []


def test_removed_attachments():
    """2.6.4 to who asked for success, with what was left out; to all where the site says so, but never to NEVER."""
    convert = done(Convert("l", "c", "9@v.example", "a@x.example"), "relayed", "2.6.4", "minutes.doc was left out.")
    noticing = FakeBook(site=replace(BOOK.site, relay_notice_removed=True))
    quiet, never = [Recipient("a@x.example")], [Recipient("a@x.example", frozenset({"NEVER"}))]
    assert actions(convert) == [("a@x.example", "relayed", "2.6.4")]
    assert actions(convert, recipients=quiet) == []
    assert actions(convert, recipients=quiet, book=noticing) == [("a@x.example", "relayed", "2.6.4")]
    assert actions(convert, recipients=never, book=noticing) == []
    (report,) = told(an_item(convert, recipients=[ASKED]))
    assert report.fates[0].cause == "minutes.doc was left out."


def test_a_list_has_answered_for_its_members():
    """RFC 3461 5.2.7.3: `expanded` once; of members only what fails."""
    team = Recipient("team@x.example", frozenset({"SUCCESS", "FAILURE"}))
    planned = StepState(Report(ROBIN.address, (Fate("team@x.example", "expanded", "2.0.0", "x"),)))
    members = [done(HandOver("p", "m@x.example", "team@x.example"), "relayed"),
               StepState(HandOver("p", "n@x.example", "team@x.example"), 1, 0.0, NOBODY)]
    assert actions(*members, planned, recipients=[team]) == [
        ("team@x.example", "expanded", "2.0.0"), ("team@x.example", "failed", "5.1.1"),
    ]


TEAM = DistributionList("d-team", "team", "team@x.example", members=("u-robin", "u-chris"))


@pytest.mark.parametrize(("state", "cause"), [
    (StepState(Deliver("u-robin", "team@x.example"), 1, 0.0, NOBODY),
     "Not every member of this list was reached. Nobody there."),
    (StepState(HandOver("p", "m@y.example", "team@x.example"), 1, 0.0, replace(NOBODY, why="")),
     "Not every member of this list was reached. Nobody has this address."),
    (replace(relay("team@x.example"), last=Outcome("try-again", "4.4.1", "No answer.")),
     "Not every member of this list has been reached yet. No answer."),
    (StepState(Deliver("u-robin", "robin@x.example"), 1, 0.0, NOBODY), "Nobody there."),
])
def test_one_member_is_not_the_list(state, cause):
    """Ninety-nine of a hundred may have it: a report on the list does not sound as if nobody had."""
    (report,) = told(an_item(state), 4 * HOURS, FakeBook(ROBIN, TEAM))
    assert [fate.cause for fate in report.fates] == [cause]


def test_members_that_fail_together_are_one_group():
    """The list that the sender wrote to is named once, however many of its members have failed in a run."""
    members = [StepState(HandOver("p", f"m{n}@y.example", "team@x.example"), 1, 0.0, NOBODY) for n in range(3)]
    assert actions(*members) == [("team@x.example", "failed", "5.1.1")]


def test_a_report_that_was_tried_is_not_corrected_any_more():
    """It may be out already, whatever became of the attempt."""
    planned = StepState(Report(ROBIN.address, (Fate("a@x.example", "delivered", "2.0.0", "x"),)), 1, 60.0)
    waits = StepState(Deliver("u-robin", "a@x.example"), 1, 60.0)
    assert actions(waits, planned) == [("a@x.example", "delivered", "2.0.0")]


def test_a_success_planned_too_early_is_taken_back():
    """What the door was about to deliver and left to the courier is told when it is delivered, if it ever is."""
    planned = StepState(Report(ROBIN.address, (
        Fate("a@x.example", "delivered", "2.0.0", "x"), Fate("b@x.example", "delivered", "2.0.0", "x"),
    )))
    waits = StepState(Deliver("u-robin", "a@x.example"), 1, 60.0)
    assert actions(waits, planned) == [("b@x.example", "delivered", "2.0.0")]
    failed = replace(waits, outcome=NOBODY)
    assert actions(failed, planned) == [("b@x.example", "delivered", "2.0.0"), ("a@x.example", "failed", "5.1.1")]
    only = replace(planned, step=replace(planned.step, fates=planned.step.fates[:1]))
    assert actions(waits, only) == []
    assert all(state.outcome is not None for state in with_reports(an_item(waits, only), 0, BOOK).steps[1:])
    assert actions(replace(waits, outcome=Outcome("done", success="delivered")), planned) == [
        ("a@x.example", "delivered", "2.0.0"), ("b@x.example", "delivered", "2.0.0"),
    ]


def test_deliver_by_with_a_notice():
    """RFC 2852, mode N: at its moment a notice even without DELAY, and `relayed` where the promise ends."""
    by = {"envelope": Envelope(ROBIN.address, (Recipient("a@x.example", frozenset({"FAILURE"})),),
                               deliver_by=100.0, deliver_by_mode="N")}
    waits, gone = relay("a@x.example"), done(RelayToSmartHost("a@x.example"), "relayed")
    assert actions(waits, now=99.0, **by) == []
    assert actions(waits, now=100.0, **by) == [("a@x.example", "delayed", "4.4.7")]
    assert actions(gone, **by) == [("a@x.example", "relayed", "2.0.0")]
    never = {"envelope": replace(by["envelope"], recipients=(Recipient("a@x.example", frozenset({"NEVER"})),))}
    assert actions(waits, now=100.0, **never) == actions(gone, **never) == []


def test_a_delay_names_its_cause():
    """The newest failure of the step, its status as far as that is a passing one, and no name of a host of ours."""
    last = Outcome("try-again", "4.3.2", "The smart host out.example is busy.", "450 4.3.2 later", "mx.example")
    book = FakeBook(site=replace(BOOK.site, smart_host_host="out.example"))
    (report,) = told(an_item(replace(relay("a@x.example"), last=last)), 4 * HOURS, book)
    assert report.fates[0] == Fate(
        "a@x.example", "delayed", "4.3.2", "The next mail system is busy.", "450 4.3.2 later", "mx.example"
    )
    final = replace(last, status="5.4.4")
    (report,) = told(an_item(replace(relay("a@x.example"), last=final)), 4 * HOURS)
    assert report.fates[0].status == "4.4.7"  # what still waits has not failed


def test_a_copy_beside_a_kept_one_is_nobodys_news():
    """Accept-and-relay: neither its failure nor its success."""
    copy = RelayToUser("u-robin", "home@y.example", "a@x.example", kept=True)
    assert actions(StepState(copy, 1, 0.0, NOBODY)) == actions(done(copy, "relayed")) == []


KEEPERS = DistributionList("d-u", UNDELIVERABLE, f"{UNDELIVERABLE}@vm1.example.com", members=("u-robin", "u-chris"))


def test_the_keepers_of_the_undeliverable():
    """They get it once; bad mail only when none of them can."""
    book = FakeBook(ROBIN, CHRIS, KEEPERS)
    item = with_reports(an_item(relay("a@x.example", NOBODY), sender=""), 0, book)
    assert [state.step for state in item.steps[1:]] == [
        Deliver("u-robin", KEEPERS.address), Deliver("u-chris", KEEPERS.address),
    ]
    one, two = (replace(state, outcome=NOBODY) for state in item.steps[1:])
    for states in (item.steps[1:], (one, replace(two, outcome=DONE)), (one, item.steps[2])):
        asked = replace(item, steps=(item.steps[0], *states))
        assert with_reports(asked, 0, book) is asked
    ended = with_reports(replace(item, steps=(item.steps[0], one, two)), 0, book)
    assert isinstance(ended.steps[-1].step, BadMail)


@pytest.mark.parametrize(("others", "left"), [(["u-robin"], ["u-chris"]), (["u-chris", "u-robin"], [])])
def test_a_keeper_who_has_the_message_gets_no_second_copy(others, left):
    """It was for them as well; what they did not get after all they are given."""
    book, had = FakeBook(ROBIN, CHRIS, KEEPERS), [StepState(Deliver(one, "x"), 1, 0.0, DONE) for one in others]
    item = an_item(relay("a@x.example", NOBODY), *had, sender="")
    assert told(item, book=book) == [Deliver(one, KEEPERS.address) for one in left]
    lost = [replace(state, outcome=NOBODY) for state in had]
    assert len(told(an_item(relay("a@x.example", NOBODY), *lost, sender=""), book=book)) == 2


def test_malformed_mail_is_nothing_for_the_keepers():
    """What is not built as mail should be, and can be neither delivered nor returned, is bad mail."""
    item = replace(an_item(relay("a@x.example", NOBODY), sender=""), malformed=True)
    (step,) = told(item, book=FakeBook(ROBIN, CHRIS, KEEPERS))
    assert isinstance(step, BadMail)
