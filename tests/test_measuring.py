"""The numbers of a process and of all: where each comes from, and a page that is made once however many ask."""

import json
import os
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import RecordingJournal
from unitymail.measuring import Measuring
from unitymail.metrics.snapshot import added
from unitymail.metrics.text import as_text
from unitymail.settings.node import ListenTable, NodeSettings
from unitymail.tls import read_pairs, self_signed
from unitymail.turns import TurnWatch

NO_DOORS = ListenTable(smtp=0, submission=0, submissions=0, imap=0, imaps=0)


@pytest.fixture
def running(tmp_path):
    octets, key = self_signed("mail.example")
    (tmp_path / "c").write_bytes(octets)
    (tmp_path / "k").write_bytes(key)
    journal = RecordingJournal()
    journal.counts = Counter({"received": 3, "delivered": 4, "trouble": 1, "connected": 9})
    journal.relays = Counter({"done": 2, "try-again": 1})
    turns = TurnWatch(lambda took: None)
    turns.longest, turns.long_turns = 0.012, 1
    (tmp_path / "accounts").mkdir()
    return SimpleNamespace(
        journal=journal, turns=turns, settings=NodeSettings(str(tmp_path), listen=NO_DOORS),
        tls=SimpleNamespace(pairs=read_pairs(str(tmp_path / "c"), str(tmp_path / "k"))),
    )


def numbers(text):
    return {
        (sample.name.removeprefix("unitymail_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_where_each_number_comes_from(running):
    """The doors, the journal, the turns of the reactor, the disk and the certificates."""
    measuring = Measuring(running)
    measuring.metrics.replied("mta", "250")
    measuring.metrics.connected("imaps")
    found = numbers(as_text(added((*measuring._each(), measuring.standing()))))
    expected = {
        ("replies_total", "mta", "250"): 1, ("connections_open", "imaps"): 1, ("messages_accepted_total",): 3,
        ("deliveries_total",): 4, ("troubles_total",): 1, ("events_total", "connected"): 9,
        ("relays_total", "done"): 2, ("relays_total", "try-again"): 1, ("long_turns_total",): 1,
        ("longest_turn_seconds",): 0.012, ("processes",): 1, ("queue_messages",): 0, ("queue_oldest_seconds",): 0,
        ("shunted_messages",): 0, ("bad_mail_messages",): 0,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert found["certificate_expires_seconds", "mail.example"] > 1_800_000_000
    assert found["free_disk_bytes", "accounts"] > 0
    assert found[("resident_bytes",)] > 10_000_000
    assert found[("cpu_seconds_total",)] > 0


def test_doors_that_nobody_came_to(running):
    """Each open door has its numbers from the start, whatever becomes of workers; one that is closed has none."""
    running.settings = replace(running.settings, listen=replace(NO_DOORS, smtp=25, imaps=993))
    parent, worker = Measuring(running), Measuring(running)
    worker.metrics.connected("imaps")
    parent.heard(7, worker.report())
    parent.heard(7, None)
    found = numbers(as_text(added(parent._each())))
    for family in ("connections_open", "received_bytes_total", "sent_bytes_total"):
        assert {key[1]: value for key, value in found.items() if key[0] == family} == {"mta": 0, "imaps": 0}, family
    assert (found["connections_total", "mta"], found["connections_total", "imaps"]) == (0, 1)


def test_workers_report_to_their_parent(running):
    """What one reports as JSON is added in the parent, and stays when it ends; what is no report is trouble."""
    worker, parent = Measuring(running), Measuring(running)
    worker.metrics.replied("mta", "250")
    worker.metrics.connected("mta")
    parent.heard(7, json.loads(json.dumps(worker.report())))
    assert added(parent._each()).counters[("messages",)] == 6
    assert added(parent._each()).gauges[("processes",)] == 2
    assert parent.figures()["open"] == {"mta": 1}
    parent.heard(7, None)
    assert added(parent._each()).counters[("messages",)] == 6
    assert added(parent._each()).counters["replies", "mta", "250"] == 1
    assert added(parent._each()).gauges[("processes",)] == 1
    found = parent.figures()
    assert (found["open"], found["came"], found["sign_ins_failed"]) == ({}, {"mta": 1}, 0)
    parent.heard(8, {"nonsense": 1})
    assert [e.event for e in running.journal.events] == ["trouble"]


def test_what_status_is_told(running):
    """Connections by door, events, turns of the reactors, and how many sign-ins failed."""
    measuring = Measuring(running)
    for outcome in ("ok", "bad-credentials", "bad-credentials", "busy"):
        measuring.metrics.signed_in("imap", "PLAIN", outcome)
    measuring.metrics.connected("imap")
    measuring.metrics.disconnected("imap")
    measuring.metrics.connected("mta")
    assert measuring.figures() == {
        "open": {"imap": 0, "mta": 1}, "came": {"imap": 1, "mta": 1}, "sign_ins_failed": 2, "connections": 1,
        "longest_turn_ms": 12.0, "long_turns": 1,
        "events": {"received": 3, "delivered": 4, "trouble": 1, "connected": 9},
    }


def test_what_status_is_told_of_each_process(running):
    """Of this one and of each worker; of one that said nothing yet, or is gone, nothing. The longest turn stays."""
    parent, worker = Measuring(running), Measuring(running)
    parent.metrics.connected("mta")
    for _ in range(3):
        worker.metrics.connected("imaps")
    running.turns.longest = 0.034
    parent.heard(7, worker.report())
    running.turns.longest = 0.012
    assert parent.figures_of(os.getpid()) == {"connections": 1, "longest_turn_ms": 12.0, "long_turns": 1}
    assert parent.figures_of(7) == {"connections": 3, "longest_turn_ms": 34.0, "long_turns": 1}
    assert (parent.figures()["connections"], parent.figures()["longest_turn_ms"]) == (4, 34.0)
    parent.heard(7, None)
    for pid in (7, 8):
        assert parent.figures_of(pid) == {"connections": 0, "longest_turn_ms": 0.0, "long_turns": 0}
    found = parent.figures()
    assert (found["connections"], found["longest_turn_ms"], found["long_turns"]) == (1, 34.0, 2)
