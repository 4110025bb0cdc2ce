"""The whole middle as one table: recipient × action × category × marks × gates × scope, the steps of each."""

from dataclasses import replace
from itertools import product

import pytest

from tests.fakes import CHRIS, FakeUsage
from tests.routing.letters import JO, LONDON, PARIS, RELAYING, SIGNED_IN, book, envelope, message, scope
from unitymail.mail.message import Category, Sensitivity
from unitymail.people.class_of_service import RequireSecure
from unitymail.people.distribution_list import DistributionList
from unitymail.people.user import Action, Actions
from unitymail.routing.decide import decide
from unitymail.routing.steps import Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser, Report

TABLE = """
recipient  action            category  mark     private  secure  scope | steps

# Out of reach is out of reach whatever else holds, and never falls through to the smart host.
user       *                 *         *        *        *       out   | 5.7.1
remote     -                 *         *        *        *       out   | 5.7.1
london     -                 *         *        *        *       out   | 5.7.1
paris      -                 *         *        *        *       out   | 5.7.1
dialled    -                 *         *        *        *       out   | 5.7.1
away       -                 *         *        *        *       out   | 5.7.1
list       *                 *         *        *        *       out   | 5.7.1
outsider   -                 *         *        *        *       out   | 5.7.1

# The user's message action. Receipts are rejected silently.
user       accept            *         *        *        *       in    | deliver
user       reject            receipt   *        *        *       in    |
user       reject            *         *        *        *       in    | 5.6.1
user       relay             *         normal   *        *       in    | relay
user       relay             *         private  open     *       in    | relay
user       relay             *         private  shut     *       in    | 5.7.1
user       relay             *         secure   *        open    in    | relay
user       relay             *         secure   *        shut    in    | 5.7.1
user       relay             *         both     open     open    in    | relay
user       relay             *         both     *        *       in    | 5.7.1
user       accept-and-relay  *         normal   *        *       in    | deliver relay
user       accept-and-relay  *         private  open     *       in    | deliver relay
user       accept-and-relay  *         private  shut     *       in    | deliver
user       accept-and-relay  *         secure   *        open    in    | deliver relay
user       accept-and-relay  *         secure   *        shut    in    | deliver
user       accept-and-relay  *         both     open     open    in    | deliver relay
user       accept-and-relay  *         both     *        *       in    | deliver

# The home server alone applies the actions; private and secure stay within the site.
remote     -                 *         *        *        *       in    | hand-over

# VPIM keeps the private mark, so only the location's own switch counts, for secure messages. Dialled: no contact.
london     -                 *         normal   *        *       in    | london
london     -                 *         private  *        *       in    | london
london     -                 *         *        *        *       in    | 5.7.1
paris      -                 *         *        *        *       in    | paris
dialled    -                 *         normal   *        *       in    | dialled
dialled    -                 *         private  *        *       in    | dialled
dialled    -                 *         *        *        *       in    | 5.7.1
away       -                 *         normal   *        *       in    | vpim-home
away       -                 *         private  *        *       in    | vpim-home
away       -                 *         *        *        *       in    | 5.7.1

# A list of the user and the contact in London: each member's own rules.
list       accept            *         normal   *        *       in    | deliver london
list       accept            *         private  *        *       in    | deliver london
list       accept            *         *        *        *       in    | deliver 5.7.1
list       reject            receipt   normal   *        *       in    | london
list       reject            receipt   private  *        *       in    | london
list       reject            receipt   *        *        *       in    | 5.7.1
list       reject            *         normal   *        *       in    | london 5.6.1
list       reject            *         private  *        *       in    | london 5.6.1
list       reject            *         *        *        *       in    | 5.6.1,5.7.1
list       relay             *         normal   *        *       in    | relay london
list       relay             *         private  open     *       in    | relay london
list       relay             *         private  shut     *       in    | london 5.7.1
list       relay             *         secure   *        open    in    | relay 5.7.1
list       relay             *         both     open     open    in    | relay 5.7.1
list       relay             *         *        *        *       in    | 5.7.1,5.7.1
list       accept-and-relay  *         normal   *        *       in    | deliver relay london
list       accept-and-relay  *         private  open     *       in    | deliver relay london
list       accept-and-relay  *         private  shut     *       in    | deliver london
list       accept-and-relay  *         secure   *        open    in    | deliver relay 5.7.1
list       accept-and-relay  *         both     open     open    in    | deliver relay 5.7.1
list       accept-and-relay  *         *        *        *       in    | deliver 5.7.1

# Contacts without a location count as unknown. Unknown recipients go to the smart host here, through the same gates.
outsider   -                 *         normal   *        *       in    | smart-host
outsider   -                 *         private  open     *       in    | smart-host
outsider   -                 *         secure   *        open    in    | smart-host
outsider   -                 *         both     open     open    in    | smart-host
outsider   -                 *         *        *        *       in    | 5.7.1
unknown    -                 *         normal   *        *       *     | smart-host
unknown    -                 *         private  open     *       *     | smart-host
unknown    -                 *         secure   *        open    *     | smart-host
unknown    -                 *         both     open     open    *     | smart-host
unknown    -                 *         *        *        *       *     | 5.7.1
"""
"""The first row that fits says what is planned; `*` fits all. Statuses are those in the one report."""

RECIPIENTS = {
    "user": "chris@vm1.example.com",
    "remote": "dana@vm1.example.com",
    "london": "jo@vm1.example.com",
    "paris": "max@vm1.example.com",
    "dialled": "720+4455@vm1.example.com",
    "away": "ann@vm1.example.com",
    "list": "both@vm1.example.com",
    "outsider": "pat@vm1.example.com",
    "unknown": "someone@elsewhere.example",
}
RELAY_TO = "chris@phone.example.net"
AWAY = replace(LONDON, id="v-away", name="Away", domain="away.example.org", dial_id="730", home="n-b")
MAX = replace(JO, id="c-max", alias="max", location="v-paris", proxies=(RECIPIENTS["paris"],))
ANN = replace(JO, id="c-ann", alias="ann", location="v-away", proxies=(RECIPIENTS["away"],))
BOTH = DistributionList("l-both", "both", RECIPIENTS["list"], partition="p-default", members=("u-chris", "c-jo"),
                        allow_contacts=True)
MARKS = {
    "normal": (Sensitivity.NORMAL, False),
    "private": (Sensitivity.PRIVATE, False),
    "secure": (Sensitivity.NORMAL, True),
    "both": (Sensitivity.PRIVATE, True),
}
ROWS = [
    (tuple(columns.split()), steps.split())
    for columns, _, steps in (line.partition("|") for line in TABLE.splitlines()[2:] if "|" in line)
]
COMBINATIONS = [
    (recipient, action, *rest)
    for recipient in RECIPIENTS
    for action in ([action.value for action in Action] if recipient in ("user", "list") else ["-"])
    for rest in product([c.value for c in Category], MARKS, ("open", "shut"), ("open", "shut"), ("in", "out"))
]


def row_for(combination):
    """The number of the first row that fits."""
    for number, (columns, _) in enumerate(ROWS):
        if all(column in ("*", value) for column, value in zip(columns, combination, strict=True)):
            return number
    raise AssertionError(f"no row fits {combination}")


def planned(recipient, action, category, mark, private, secure, reach):
    sensitivity, is_secure = MARKS[mark]
    site = replace(
        RELAYING, recipient_not_found="smart-host", relay_allow_private=private == "open",
        relay_allow_secure=secure == "open",
    )
    chris = CHRIS if action == "-" else replace(
        CHRIS, actions=Actions(**{category: Action(action)}), relay_address=RELAY_TO
    )
    never = replace(book().class_of_service("c-default"), secure=RequireSecure.NEVER)
    reaches = scope("p-default" if reach == "in" else "p-else")
    people = book(chris, MAX, ANN, BOTH, AWAY, PARIS, never, reaches, site=site)
    letter = message(Category(category), sensitivity=sensitivity, secure=is_secure)
    return decide(letter, envelope(RECIPIENTS[recipient]), SIGNED_IN, people, FakeUsage()).steps


def expected_steps(words, recipient):
    to = RECIPIENTS[recipient]
    known = {
        "deliver": Deliver("u-chris", to),
        "relay": RelayToUser("u-chris", RELAY_TO, to, kept="deliver" in words),
        "hand-over": HandOver("n-b", to),
        "vpim-home": HandOver("n-b", to),
        "london": Convert("v-london", "c-jo", "8882233@london.example.org", to),
        "paris": Convert("v-paris", "c-max", "2233@paris.example.org", to),
        "dialled": Convert("v-london", "", "8884455@london.example.org", to),
        "smart-host": RelayToSmartHost(to),
    }
    return [known.get(word, word) for word in words]


def shown(steps):
    """The steps, a report as the statuses in it."""
    return [
        ",".join(sorted(fate.status for fate in step.fates)) if isinstance(step, Report) else step for step in steps
    ]


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_every_combination(recipient):
    """The plan of each combination is that of the first row which fits it."""
    for combination in (c for c in COMBINATIONS if c[0] == recipient):
        words = ROWS[row_for(combination)][1]
        assert shown(planned(*combination)) == expected_steps(words, recipient), (combination, words)


def test_every_row_is_needed():
    """No row of the table is dead, and the table is not small."""
    used = {row_for(combination) for combination in COMBINATIONS}
    assert used == set(range(len(ROWS)))
    assert len(COMBINATIONS) > 1_900
