"""How the people of the sales force write down a company that the ERP has in clean form.

Half of them copy the name; the others leave out the legal form, spell umlauts their way, mistype a
letter, turn words around, or write a Chinese company in Latin letters. So the CRM names the same
company in ways that only a careful comparison brings together.
"""

from __future__ import annotations

import re

import numpy as np
from anyascii import anyascii

from customer_tiers.sample.rows import Array

LEGAL = {
    r"\bGmbH & Co\. KG$": "GmbH&Co.KG",
    r"\bGmbH$": "G.m.b.H.",
    r"\bGes\.m\.b\.H\.$": "GesmbH",
    r"\bAG$": "Aktiengesellschaft",
    r"\bS\.r\.l\.$": "SRL",
    r"\bS\.p\.A\.$": "SpA",
    r"\bLtd$": "Limited",
    r",? Inc\.$": " Incorporated",
    r"\bLLC$": "L.L.C.",
    r"股份有限公司$": "股份公司",
    r"有限公司$": "有限责任公司",
}
"""A legal form -> how else it is written."""

TRADES_IN_ENGLISH = {
    "精密机械": "Precision Machinery",
    "特种气体": "Specialty Gases",
    "半导体材料": "Semiconductor Materials",
    "钢结构": "Steel Structures",
    "食品": "Foods",
}
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ö": "Oe", "Ü": "Ue"})


def respelt(random: np.random.Generator, names: Array) -> Array:
    """Return each name as somebody typed it."""
    draws = random.random((len(names), 4))
    return np.array([_respelt(n, d) for n, d in zip(names, draws, strict=True)], dtype=object)


def _respelt(name: str, draw: Array) -> str:
    is_chinese = re.search("[一-鿿]", name) is not None
    if is_chinese and draw[0] < 0.35:
        return _in_latin(name, draw[1])
    if draw[0] < 0.5:
        return name
    name = _legal_form(name, draw[1])
    way = draw[2]
    if is_chinese:
        return name
    if way < 0.25:
        return name.translate(_TWO_LETTERS)
    if way < 0.40:
        return anyascii(name)
    if way < 0.70:
        return _mistyped(name, draw[3])
    if way < 0.80:
        return name.upper()
    if way < 0.90:
        return _turned(name)
    return name


def _legal_form(name: str, pick: float) -> str:
    for pattern, other in LEGAL.items():
        if re.search(pattern, name):
            if pick < 0.35:
                return re.sub(pattern, other, name)
            return re.sub(pattern, "", name).strip() if pick < 0.6 else name
    return name


def _mistyped(name: str, pick: float) -> str:
    """Drop, double or swap one letter inside a longer word."""
    places = [match.start() for match in re.finditer(r"(?<=\w\w)\w(?=\w\w)", name)]
    if not places:
        return name
    spot = places[int(pick * len(places))]
    way = int(pick * 1_000) % 3
    if way == 0:
        return name[:spot] + name[spot + 1 :]
    if way == 1:
        return name[: spot + 1] + name[spot:]
    return name[:spot] + name[spot + 1] + name[spot] + name[spot + 2 :]


def _turned(name: str) -> str:
    words = name.split(" ")
    return " ".join([words[1], words[0], *words[2:]]) if len(words) > 2 else name


def _in_latin(name: str, pick: float) -> str:
    """A Chinese company as its own English letterhead has it: city, brand, trade, Co., Ltd."""
    core = re.sub("(股份)?有限公司.*$", "", name)
    for trade, english in TRADES_IN_ENGLISH.items():
        if core.endswith(trade):
            core = core.removesuffix(trade).replace("市", "")
            city, brand = core[:2], core[2:]
            place = f"{anyascii(city).capitalize()} " if pick < 0.7 else ""
            return f"{place}{anyascii(brand).capitalize()} {english} Co., Ltd."
    return name


def rephoned(random: np.random.Generator, phones: Array) -> Array:
    """Return each telephone as typed: other marks, another extension, or none."""
    draws = random.random(len(phones))
    typed = np.full(len(phones), None, dtype=object)
    for index, (phone, draw) in enumerate(zip(phones, draws, strict=True)):
        if phone is None or draw > 0.75:
            continue
        dial, area, line = phone.split(" ")
        if draw < 0.25:
            typed[index] = f"00{dial[1:]}{area}{line}"
        elif draw < 0.45:
            typed[index] = f"0{area}/{line}"
        elif draw < 0.65:
            typed[index] = f"{dial} ({area}) {line[:3]} {line[3:]}"
        else:
            typed[index] = f"{dial} {area} {line}-{int(draw * 1_000) % 90 + 10}"
    return typed


def readdressed(random: np.random.Generator, streets: Array) -> Array:
    """Return each street as typed: shortened, of another house, or none."""
    draws = random.random(len(streets))
    typed = streets.copy()
    for index, draw in enumerate(draws):
        if draw < 0.2:
            typed[index] = None
        elif draw < 0.4:
            short = re.sub("stra(ß|ss)e", "str.", streets[index])
            typed[index] = re.sub("Street$", "St.", re.sub("Avenue", "Ave.", short))
        elif draw < 0.47:
            typed[index] = re.sub(r"\d+", lambda found: str(int(found[0]) + 7), streets[index])
    return typed
