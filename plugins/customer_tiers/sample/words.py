"""Words from which names of companies and people are put together, per country."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """A country: share of the customers, regions with a city each, and patterns of names.

    In a pattern `{s}` is a surname, `{t}` a trade, `{c}` the city; `vat` is the form of a tax id,
    in which each # is a digit.
    """

    share: float
    currency: int
    regions: tuple[tuple[str, str], ...]
    surnames: tuple[str, ...]
    trades: tuple[str, ...]
    patterns: tuple[str, ...]
    vat: str


COUNTRIES: dict[str, Country] = {
    "DE": Country(
        0.46,
        0,
        (
            ("Bayern", "München"),
            ("Bayern", "Nürnberg"),
            ("Baden-Württemberg", "Tübingen"),
            ("Nordrhein-Westfalen", "Köln"),
            ("Nordrhein-Westfalen", "Düsseldorf"),
            ("Niedersachsen", "Göttingen"),
            ("Sachsen", "Zwickau"),
            ("Hamburg", "Hamburg"),
        ),
        (
            "Müller",
            "Schäfer",
            "Groß",
            "Böhm",
            "Kraus",
            "Lindner",
            "Jäger",
            "Voß",
            "Özdemir",
            "Brandt",
            "Kühn",
            "Weiß",
            "Hübner",
            "Sturm",
            "Köhler",
            "Reuß",
            "Althoff",
            "Nowak",
            "Peters",
            "Dörr",
            "Bäcker",
            "Löffler",
            "Seidel",
            "Thieme",
            "Krüger",
        ),
        ("Stahlbau", "Metallbau", "Schweißtechnik", "Anlagenbau", "Glashütte", "Brauerei", "Labor"),
        ("{s} {t} GmbH", "{s} & Söhne {t} GmbH & Co. KG", "{s}-{s} {t} AG", "{t} {s} {c} e.K."),
        "DE#########",
    ),
    "AT": Country(
        0.08,
        0,
        (("Steiermark", "Graz"), ("Oberösterreich", "Linz"), ("Kärnten", "Völkermarkt")),
        (
            "Gruber",
            "Höller",
            "Pichler",
            "Wögerbauer",
            "Steiner",
            "Moser",
            "Egger",
            "Fürst",
            "Lackner",
        ),
        ("Stahlwerk", "Metallbau", "Kellerei", "Maschinenbau"),
        ("{s} {t} Ges.m.b.H.", "{s} & {s} {t} GmbH"),
        "ATU########",
    ),
    "CH": Country(
        0.08,
        3,
        (("Zürich", "Zürich"), ("Basel-Landschaft", "Münchenstein"), ("Genève", "Genève")),
        ("Bühler", "Keller", "Rüegg", "Favre", "D'Amico", "Zürcher", "Gygax", "Ammann", "Wyss"),
        ("Präzisionstechnik", "Pharma", "Mécanique", "Feinwerk"),
        ("{s} {t} AG", "{t} {s} {c} SA", "{s} + {s} {t} GmbH"),
        "CHE#########",
    ),
    "FR": Country(
        0.10,
        0,
        (("Grand Est", "Strasbourg"), ("Île-de-France", "Créteil"), ("Bretagne", "Saint-Malo")),
        ("d'Ormesson", "Lefèvre", "Bénard", "L'Hostis", "Garçon", "Moreau", "Le Goff", "Girard"),
        ("Ateliers", "Soudure", "Fonderie", "Verrerie", "Clinique"),
        ("{t} {s} SARL", "{t} {s} & {s} SA", "Éts {s} & Fils {t}"),
        "FR###########",
    ),
    "IT": Country(
        0.06,
        0,
        (("Lombardia", "Brescia"), ("Veneto", "Verona")),
        ("Dell'Orto", "Bianchi", "Nicolò", "De Luca", "Ferrari", "D'Angelo", "Rizzo", "Moretti"),
        ("Officine", "Carpenteria", "Vetreria", "Acciaierie"),
        ("{t} {s} S.r.l.", "{t} {s} di {c} S.p.A."),
        "IT###########",
    ),
    "GB": Country(
        0.08,
        2,
        (("West Midlands", "Birmingham"), ("Yorkshire", "Sheffield"), ("Scotland", "Aberdeen")),
        ("O'Neill", "Hawkins", "MacLeod", "Thwaite", "St. John", "Pryce", "Barlow", "D'Arcy"),
        ("Fabrication", "Engineering", "Brewing", "Offshore", "Hospital Supplies"),
        ("{s} {t} Ltd", "{c} {s} {t} plc", "{s} & {s} {t} LLP"),
        "GB#########",
    ),
    "US": Country(
        0.08,
        1,
        (("Texas", "Houston"), ("Ohio", "Cleveland"), ("Georgia", "Macon")),
        ("Walker", "O'Brien", "Nguyen", "Ramírez", "Jackson", "Kowalski", "Hayes", "Delgado"),
        ("Welding Supply", "Cryogenics", "Aerospace", "Food Processing"),
        ("{s} {t}, Inc.", "{s} & {s} {t} LLC", "{s} Bros. {t} Co."),
        "##-#######",
    ),
    "CN": Country(
        0.06,
        1,
        (("上海", "上海"), ("江苏", "苏州"), ("广东", "深圳"), ("湖北", "武汉")),
        ("华", "宏", "瑞", "金", "东", "盛", "恒", "泰", "天", "正", "嘉", "凯"),
        ("精密机械", "特种气体", "半导体材料", "钢结构", "食品"),
        ("{c}{s}{s}{t}有限公司", "{c}市{s}{s}{t}股份有限公司"),
        "91##########MA####",
    ),
}

BRANCHES = (
    # ERP code, CRM words, pull on the size
    ("METAL", "Metal & Fabrication", 0.0),
    ("CHEM", "Chemicals", 0.5),
    ("FOOD", "Food & Beverage", 0.1),
    ("HEALTH", "Healthcare", 0.2),
    ("LAB", "Laboratories & Research", -0.2),
    ("ELEC", "Electronics", 0.4),
    ("GLASS", "Glass & Ceramics", 0.4),
    ("CRAFT", "Workshops & Crafts", -0.9),
)

TRADES = {
    "METAL": "Stahlbau Metallbau Schweißtechnik Stahlwerk Mécanique Soudure Fonderie Officine"
    " Carpenteria Acciaierie Fabrication Offshore Aerospace 钢结构 精密机械",
    "CHEM": "Anlagenbau 特种气体 Cryogenics",
    "FOOD": "Brauerei Kellerei Brewing 食品",
    "HEALTH": "Pharma Clinique",
    "LAB": "Labor",
    "ELEC": "Präzisionstechnik Feinwerk 半导体材料",
    "GLASS": "Glashütte Verrerie Vetreria",
    "CRAFT": "Maschinenbau Ateliers Engineering",
}
"""ERP code of a branch -> one-word trades that belong to it; those of several words are below."""

LONG_TRADES = {"Hospital Supplies": "HEALTH", "Welding Supply": "METAL", "Food Processing": "FOOD"}

PEOPLE = (
    # given name, family name, both as in a mail address, locale
    ("Anna", "Köhler", "anna", "koehler", "en"),
    ("丽", "王", "li", "wang", "zh_CN"),
    ("James", "O'Connor", "james", "oconnor", "en"),
    ("Sophie", "Lefèvre", "sophie", "lefevre", "en"),
    ("Jürgen", "Weiß", "juergen", "weiss", "en"),
    ("伟", "陈", "wei", "chen", "zh_CN"),
    ("Maria", "Dell'Orto", "maria", "dellorto", "en"),
    ("Tomáš", "Novák", "tomas", "novak", "en"),
    ("Priya", "Sharma", "priya", "sharma", "en"),
    ("娜", "李", "na", "li", "zh_CN"),
    ("Hans-Peter", "Bühler", "hans-peter", "buehler", "en"),
    ("Fatma", "Özdemir", "fatma", "oezdemir", "en"),
    ("Emily", "Thwaite", "emily", "thwaite", "en"),
    ("Łukasz", "Zieliński", "lukasz", "zielinski", "en"),
    ("洋", "刘", "yang", "liu", "zh_CN"),
    ("Carlos", "Ramírez", "carlos", "ramirez", "en"),
)

RUBBISH_TAX_IDS = ("n/a", "unbekannt", "-", "0")
"""What is typed into a field that wants a tax id when nobody knows it."""
