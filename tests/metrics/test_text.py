"""What Prometheus reads: checked with its own parser."""

import time

from prometheus_client.parser import text_string_to_metric_families

from unitymail.metrics.counts import Counts
from unitymail.metrics.families import BOUNDS, FAMILIES, PREFIX
from unitymail.metrics.snapshot import Snapshot, added
from unitymail.metrics.text import as_text


def read(snapshot):
    """{(name, labels): value} of a page."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(as_text(snapshot).decode())
        for sample in family.samples
    }


def test_counters_and_gauges():
    """Counters end in _total, gauges do not; labels have their names."""
    counts = Counts()
    counts.connected("mta")
    counts.replied("mta", "250")
    counts.signed_in("imaps", "SCRAM-SHA-256", "bad-credentials")
    found = read(counts.snapshot())
    assert found["unitymail_connections_total", (("door", "mta"),)] == 1
    assert found["unitymail_connections_open", (("door", "mta"),)] == 1
    assert found["unitymail_replies_total", (("door", "mta"), ("reply", "250"))] == 1
    labels = (("door", "imaps"), ("mechanism", "SCRAM-SHA-256"), ("outcome", "bad-credentials"))
    assert found["unitymail_sign_ins_total", labels] == 1


def test_a_histogram_counts_up():
    """Each bucket holds those below it too; the last one, the count and the sum agree."""
    counts = Counts()
    for seconds in (0.002, 0.02, 500):
        counts.took("mta", "message", seconds)
    found = read(counts.snapshot())

    def at(suffix, **more):
        labels = {"door": "mta", "verb": "message", **more}
        return found[f"unitymail_answer_seconds_{suffix}", tuple(sorted(labels.items()))]

    assert (at("bucket", le="0.001"), at("bucket", le="0.0025"), at("bucket", le="0.025")) == (0, 1, 2)
    assert (at("bucket", le=str(BOUNDS[-1])), at("bucket", le="+Inf"), at("count")) == (2, 3, 3)
    assert abs(at("sum") - 500.022) < 1e-9


def test_totals_are_there_before_anything_happened():
    """A rate can be taken from the first moment on, and an alarm on `troubles` is never without data."""
    found = read(Snapshot())
    assert found["unitymail_troubles_total", ()] == 0
    assert found["unitymail_messages_accepted_total", ()] == 0


def test_every_family_is_explained():
    """Each has its HELP and TYPE, whether there are numbers or not."""
    text = as_text(Snapshot()).decode()
    for family in FAMILIES.values():
        assert f"# HELP {PREFIX}{family.name}" in text, family.name
        assert f"# TYPE {PREFIX}{family.name}" in text, family.name


def test_a_label_cannot_break_a_line():
    """Quotes, backslashes and line ends come back as they were."""
    evil = 'x"\n\\y'
    snapshot = Snapshot({("events", evil): 1})
    assert read(snapshot)["unitymail_events_total", (("event", evil),)] == 1


def test_the_page_of_a_busy_node_is_made_quickly():
    """Six doors with all replies, verbs and mechanisms: a few milliseconds, in a thread."""
    counts = Counts()
    for door in ("mta", "submission", "submissions", "imap", "imaps", "peer"):
        counts.connected(door)
        for reply in range(40):
            counts.replied(door, str(500 + reply))
        for verb in range(25):
            counts.took(door, str(verb), 0.1)
    snapshot = added((counts.snapshot(),))
    before = time.thread_time()
    text = as_text(snapshot)
    assert len(text.splitlines()) > 2_500
    assert time.thread_time() - before < 0.5
