"""The matrix of access and TLS at the SMTP doors, written out by hand from the documents, never from the code.

Sources. The chapter (Configuring the Server for IMAP Client Access and Authentication): an address on the list is
allowed or denied by its entry; others are untrusted, and connect only where that is allowed; then they authenticate
where that is required, and TLS is not offered to them, may be used, or must be used. Ours: submission doors always want
a sign-in; a password goes under TLS, or from 127.0.0.1; of several entries the exact one wins, the longest, then `*`.

Each row tells what becomes of MAIL, in the clear and under TLS, for a client that does not sign in, or does::

    250   accepted            AUTH  530, authentication is required
    none  not offered         TLS   530, TLS comes first
    -     there is no such way: on the submissions door all is TLS
"""

from typing import NamedTuple

STRANGER = """
    require  TLS       door         from         clear  clear+AUTH  TLS   TLS+AUTH

    yes      disabled  mta          here         AUTH   250         none  none
    yes      disabled  mta          elsewhere    AUTH   none        none  none
    yes      disabled  submission   here         AUTH   250         none  none
    yes      disabled  submission   elsewhere    AUTH   none        none  none
    yes      disabled  submissions  here         -      -           AUTH  250
    yes      disabled  submissions  elsewhere    -      -           AUTH  250

    yes      optional  mta          here         AUTH   250         AUTH  250
    yes      optional  mta          elsewhere    AUTH   none        AUTH  250
    yes      optional  submission   here         AUTH   250         AUTH  250
    yes      optional  submission   elsewhere    AUTH   none        AUTH  250
    yes      optional  submissions  here         -      -           AUTH  250
    yes      optional  submissions  elsewhere    -      -           AUTH  250

    yes      required  mta          here         TLS    none        AUTH  250
    yes      required  mta          elsewhere    TLS    none        AUTH  250
    yes      required  submission   here         TLS    none        AUTH  250
    yes      required  submission   elsewhere    TLS    none        AUTH  250
    yes      required  submissions  here         -      -           AUTH  250
    yes      required  submissions  elsewhere    -      -           AUTH  250

    no       disabled  mta          here         250    250         none  none
    no       disabled  mta          elsewhere    250    none        none  none
    no       disabled  submission   here         AUTH   250         none  none
    no       disabled  submission   elsewhere    AUTH   none        none  none
    no       disabled  submissions  here         -      -           AUTH  250
    no       disabled  submissions  elsewhere    -      -           AUTH  250

    no       optional  mta          here         250    250         250   250
    no       optional  mta          elsewhere    250    none        250   250
    no       optional  submission   here         AUTH   250         AUTH  250
    no       optional  submission   elsewhere    AUTH   none        AUTH  250
    no       optional  submissions  here         -      -           AUTH  250
    no       optional  submissions  elsewhere    -      -           AUTH  250

    no       required  mta          here         TLS    none        250   250
    no       required  mta          elsewhere    TLS    none        250   250
    no       required  submission   here         TLS    none        AUTH  250
    no       required  submission   elsewhere    TLS    none        AUTH  250
    no       required  submissions  here         -      -           AUTH  250
    no       required  submissions  elsewhere    -      -           AUTH  250
"""
"""An address that no entry names, where such may connect."""

TRUSTED = """
    require  TLS       door         from         clear  clear+AUTH  TLS   TLS+AUTH

    any      any       mta          here         250    250         250   250
    any      any       mta          elsewhere    250    none        250   250
    any      any       submission   here         AUTH   250         AUTH  250
    any      any       submission   elsewhere    AUTH   none        AUTH  250
    any      any       submissions  here         -      -           AUTH  250
    any      any       submissions  elsewhere    -      -           AUTH  250
"""
"""An address whose entry allows it, whatever is said of untrusted ones, and whether they may connect or not."""

LISTED = """
    entries                                      address      standing

    +{a}                                         {a}          trusted
    ~{a}                                         {a}          legacy
    -{a}                                         {a}          denied
    +{block}                                     {a}          trusted
    -{block}                                     {a}          denied
    +{pattern}                                   {a}          trusted
    -{pattern}                                   {a}          denied
    ~{pattern}                                   {a}          legacy
    +*                                           {a}          trusted
    -*                                           {a}          denied
    +{a}                                         {other}      untrusted
    -{a}                                         {other}      untrusted
    +{block}                                     {far}        untrusted
    +{pattern}                                   {far}        untrusted
    -{a} +{block}                                {a}          denied
    -{a} +{block}                                {other}      trusted
    +{a} -{block}                                {a}          trusted
    +{a} -{block}                                {other}      denied
    +{a} -*                                      {a}          trusted
    +{a} -*                                      {far}        denied
    -{block} +*                                  {a}          denied
    -{block} +*                                  {far}        trusted
    +{block} -{pattern}                          {a}          denied
    -{block} +{pattern}                          {a}          denied
    +{block} -{wide}                             {a}          trusted
    -{block} +{wide}                             {a}          denied
    ~{block} +{a}                                {a}          trusted
    +{block} ~{a}                                {a}          legacy
"""
"""What entries make of an address: + allows, - denies, ~ allows a legacy sender. {block} and {pattern} are alike."""


class Row(NamedTuple):
    require: str
    tls: str
    door: str
    place: str
    clear: str
    clear_auth: str
    under_tls: str
    under_tls_auth: str


def rows(table):
    """Without its heading."""
    return [line.split() for line in table.splitlines() if line.strip()][1:]


def matrix(table):
    return [Row(*words) for words in rows(table)]


def listed():
    """(entries, address, standing), with names in braces."""
    return [(words[:-2], words[-2], words[-1]) for words in rows(LISTED)]
