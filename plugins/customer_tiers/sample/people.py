"""The CRM's users and accounts: whom the sales force knows, and who looks after whom."""

from __future__ import annotations

import numpy as np

from customer_tiers.sample import spellings
from customer_tiers.sample.cast import CAST_SIZE, INTERNAL, MEMBERS
from customer_tiers.sample.company import Company
from customer_tiers.sample.names import as_typed, company_names, other_form, website
from customer_tiers.sample.rows import NEVER, NONE, Array, Rows, Window, evening, generator
from customer_tiers.sample.visible import cut
from customer_tiers.sample.words import BRANCHES, COUNTRIES, PEOPLE

_STREAM = 41

FIRST_ACCOUNT_NO = 500_001

_WHERE = ("street", "postcode", "city", "country")


def users(company: Company, window: Window) -> Rows:
    """Return the table `app_user`: first the managers, then the owners; the last owner has left."""
    count = company.managers + company.owners
    people = [_person(index) for index in range(count)]
    left = np.full(count, NEVER)
    left[company.managers + company.leaver] = company.leaves_on
    number = np.array([f"U{index + 1:03d}" for index in range(count)], dtype=object)
    boss = np.full(count, None, dtype=object)
    owner = np.arange(company.owners)
    boss[company.managers :] = number[owner * company.managers // company.owners]
    rows: Rows = {
        "user_no": number,
        "full_name": np.array([person[0] for person in people], dtype=object),
        "email": np.array([person[1] for person in people], dtype=object),
        "locale": np.array([person[2] for person in people], dtype=object),
        "reports_to": boss,
        "created_on": np.full(count, company.first - 300),
        "left_on": left,
    }
    rows = cut(rows, window, "created_on", "left_on")
    return rows | {"is_enabled": (rows["left_on"] > window.through).astype(np.int64)}


def _person(index: int) -> tuple[str, str, str]:
    """Return name, address and locale; past the list, given and family names are mixed anew."""
    turn, place = divmod(index, len(PEOPLE))
    given, _, mail, _, locale = PEOPLE[place]
    alike = [person for person in PEOPLE if person[4] == locale]
    family = alike[(alike.index(PEOPLE[place]) + turn) % len(alike)]
    name = f"{family[1]}{given}" if locale == "zh_CN" else f"{given} {family[1]}"
    number = str(turn) if turn >= len(alike) else ""
    return name, f"{mail}.{family[3]}{number}@example.com", locale


class AddressBook:
    """The accounts of the CRM: most ERP customers, a few people who never bought, a few twice.

    Attributes:
        rows: One row per account with the days of its changes. `customer` is the index of the ERP
            customer behind it or NONE; the CRM itself knows only `erp_no` and the tax id.
    """

    def __init__(self, company: Company) -> None:
        self.company = company
        random = generator(company.parameters.seed, _STREAM)
        draw = random.random(company.size)
        # rows of the cast are always there; 3 % of the others sales has never heard of
        is_known = (draw > 0.03) | (np.arange(company.size) < CAST_SIZE)
        is_known[INTERNAL] = False
        known = np.flatnonzero(is_known)
        leads = random.choice(known[known > INTERNAL], max(5, company.size // 40))
        customer = np.concatenate([known, leads])
        self._is_lead = np.arange(len(customer)) >= len(known)
        # of the accounts beyond the known ones, every other is a customer entered twice, every
        # fourth a site of a customer that buys nothing itself, every fourth a stranger
        place = np.arange(len(customer)) - len(known)
        self._is_twin = self._is_lead & (place % 2 == 0)
        self._is_site = self._is_lead & (place % 4 == 1)
        self._is_stranger = self._is_lead & (place % 4 == 3)
        self._customer = customer
        self.rows = self._columns(random, customer)
        self._fit_cast()
        order = np.argsort(self.rows["created_on"], kind="stable")
        number = np.empty(len(customer), dtype=np.int64)
        number[order] = FIRST_ACCOUNT_NO + np.arange(len(customer))
        self.rows["account_no"] = number

    def _columns(self, random: np.random.Generator, customer: Array) -> Rows:
        company, count = self.company, len(customer)
        base = {
            name: company.rows[name][customer]
            for name in ("branch", "annual", "satisfaction", "rep_before", "rep_after")
        }
        lead = self._is_lead
        opened = company.rows["opened_on"][customer]
        created = np.maximum(opened - random.integers(-5, 200, count), company.first - 2_500)
        linked = np.where(random.random(count) < 0.12, NEVER, np.maximum(created, opened) + 7)
        share = 1 + random.gamma(1.2, 0.8, count)
        written = self._as_written(customer)
        ids = company.rows["tax_id"][customer]
        ids = np.array(
            [other_form(i) if d < 0.3 else i for i, d in zip(ids, share % 1, strict=True)],
            dtype=object,
        )
        ids[lead | written.pop("is_without_vat")] = None
        return (
            base
            | {
                "customer": np.where(lead, NONE, customer),
                "vat_no": as_typed(random, ids, 0.05),
                "created_on": created,
                "linked_on": np.where(lead, NEVER, linked),
                "rep_changed_on": np.where(lead, NEVER, company.rows["rep_changed_on"][customer]),
                "stop": company.rows["stop"][customer],
                "founded_on": created - random.integers(300, 30_000, count),
                "potential": np.rint(base["annual"] * share / 100).astype(np.int64) * 10_000,
                "is_strategic": (
                    (random.random(count) < 0.02) | (base["annual"] > company.big)
                ).astype(int),
                "is_without_rep": random.random(count) < 0.01,
            }
            | written
        )

    def _as_written(self, customer: Array) -> Rows:
        """Return how the CRM writes down each account's company and where it sits."""
        company, count = self.company, len(customer)
        random = generator(company.parameters.seed, _STREAM, 1)
        rows = {name: company.rows[name][customer].copy() for name in (*_WHERE, "name", "phone")}
        other = random.permutation(count)
        for name in (*_WHERE, "phone"):  # a site, and a stranger, sit elsewhere
            rows[name][self._is_site] = rows[name][other][self._is_site]
            rows[name][self._is_stranger] = rows[name][other][self._is_stranger]
        codes = {code: index for index, code in enumerate(COUNTRIES)}
        country = np.array([codes[code] for code in rows["country"]])
        strangers, _ = company_names(random, country, rows["city"])
        names = rows.pop("name")
        sites = [website(name, int(index)) for name, index in zip(names, customer, strict=True)]
        website_of = np.array(sites, dtype=object)
        elsewhere = self._is_site | self._is_stranger
        names[self._is_stranger] = strangers[self._is_stranger]
        for index in np.flatnonzero(elsewhere):
            website_of[index] = website(names[index], company.size + int(index))
            if self._is_site[index]:
                names[index] = f"{names[index]} (Standort {index % 7 + 2})"
        website_of[random.random(count) < 0.2] = None
        is_unknown = random.random(count) < 0.1
        rows["postcode"][is_unknown] = rows["city"][is_unknown] = None
        return rows | {
            "is_without_vat": random.random(count) < 0.2,
            "title": spellings.respelt(random, names),
            "website": website_of,
            "street": spellings.readdressed(random, rows["street"]),
            "phone": spellings.rephoned(random, rows["phone"]),
        }

    def truth(self) -> Rows:
        """Return the table `truth.account`: whose account it is, whatever the CRM says."""
        number = np.append(self.company.rows["debtor_no"], NONE)
        owner = np.where(self._is_site | self._is_stranger, NONE, self._customer)
        kinds = (self._is_twin, self._is_site, self._is_stranger)
        kind = np.select(kinds, ("twin", "site", "stranger"), "first")  # type: ignore[arg-type]
        return {
            "account_no": self.rows["account_no"],
            "debtor_no": number[owner],
            "difficulty": kind.astype(object),
        }

    def _fit_cast(self) -> None:
        """Give the cast accounts that can be linked; the duplicated company only by its tax id."""
        rows, company, cast = self.rows, self.company, slice(0, CAST_SIZE)
        opened = company.rows["opened_on"][cast]
        rows["created_on"][cast], rows["linked_on"][cast] = opened - 20, opened + 5
        rows["vat_no"][cast] = company.rows["tax_id"][cast]
        rows["title"][cast] = company.rows["name"][cast]
        rows["potential"][cast] = NONE
        rows["is_strategic"][cast], rows["is_without_rep"][cast] = 0, False
        rows["founded_on"][cast] = opened - 9_000
        survivor, old = MEMBERS.index("duplicate"), MEMBERS.index("duplicate_old")
        rows["linked_on"][survivor] = NEVER
        rows["vat_no"][survivor] = other_form(company.rows["tax_id"][survivor])
        rows["rep_before"][old] = rows["rep_before"][survivor]


def accounts(book: AddressBook, window: Window) -> Rows:
    """Return the table `account`."""
    changes = ("linked_on", "rep_changed_on")
    rows = cut(book.rows, window, "created_on", *changes)
    has = {name: rows[name] <= window.through for name in changes}
    rep = np.where(has["rep_changed_on"], rows["rep_after"], rows["rep_before"])
    user = book.company.user_numbers(rep)
    user[rows["is_without_rep"]] = None
    number = np.append(book.company.rows["debtor_no"], NONE)[rows["customer"]]
    words = np.array([branch[1] for branch in BRANCHES], dtype=object)
    return {
        "account_no": rows["account_no"],
        "title": rows["title"],
        "vat_no": rows["vat_no"],
        "website": rows["website"],
        **{name: rows[name] for name in ("street", "postcode", "city", "phone")},
        "country_code": rows["country"],
        "sector": words[rows["branch"]],
        "user_no": user,
        "erp_no": np.where(has["linked_on"], number, NONE),
        "founded_on": rows["founded_on"],
        "contract_until": _contract_until(rows),
        "potential_eur": rows["potential"],
        "is_strategic": rows["is_strategic"],
        "created_at": evening(rows["created_on"]) - 6 * 3_600,
        "replaced_by_no": np.full(len(rep), NONE),
        "changed_at": rows["changed_at"],
    }


def _contract_until(rows: Rows) -> Array:
    """Two of three accounts have a contract, of three to seven years since they were entered."""
    number = rows["account_no"]
    return np.where(number % 3 == 0, NONE, rows["created_on"] + 365 * (3 + number % 5))
