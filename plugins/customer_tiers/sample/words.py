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
        ),
        ("Stahlbau", "Metallbau", "Schweißtechnik", "Anlagenbau", "Glashütte", "Brauerei", "Labor"),
        ("{s} {t} GmbH", "{s} & Söhne {t} GmbH & Co. KG", "{t} {c} AG", "{t} {s} {c} e.K."),
        "DE#########",
    ),
    "AT": Country(
        0.08,
        0,
        (("Steiermark", "Graz"), ("Oberösterreich", "Linz"), ("Kärnten", "Völkermarkt")),
        ("Gruber", "Höller", "Pichler", "Wögerbauer", "Steiner"),
        ("Stahlwerk", "Metallbau", "Kellerei", "Maschinenbau"),
        ("{s} {t} Ges.m.b.H.", "{t} {c} GmbH"),
        "ATU########",
    ),
    "CH": Country(
        0.08,
        3,
        (("Zürich", "Zürich"), ("Basel-Landschaft", "Münchenstein"), ("Genève", "Genève")),
        ("Bühler", "Keller", "Rüegg", "Favre", "D'Amico"),
        ("Präzisionstechnik", "Pharma", "Mécanique", "Feinwerk"),
        ("{s} {t} AG", "{t} {c} SA", "{s} + {s} {t} GmbH"),
        "CHE#########",
    ),
    "FR": Country(
        0.10,
        0,
        (("Grand Est", "Strasbourg"), ("Île-de-France", "Créteil"), ("Bretagne", "Saint-Malo")),
        ("d'Ormesson", "Lefèvre", "Bénard", "L'Hostis", "Garçon"),
        ("Ateliers", "Soudure", "Fonderie", "Verrerie", "Clinique"),
        ("{t} {s} SARL", "{t} de l'Ouest {c} SA", "Éts {s} & Fils"),
        "FR###########",
    ),
    "IT": Country(
        0.06,
        0,
        (("Lombardia", "Brescia"), ("Veneto", "Verona")),
        ("Dell'Orto", "Bianchi", "Nicolò", "De Luca"),
        ("Officine", "Carpenteria", "Vetreria", "Acciaierie"),
        ("{t} {s} S.r.l.", "{t} di {c} S.p.A."),
        "IT###########",
    ),
    "GB": Country(
        0.08,
        2,
        (("West Midlands", "Birmingham"), ("Yorkshire", "Sheffield"), ("Scotland", "Aberdeen")),
        ("O'Neill", "Hawkins", "MacLeod", "Thwaite", "St. John"),
        ("Fabrication", "Engineering", "Brewing", "Offshore", "Hospital Supplies"),
        ("{s} {t} Ltd", "{c} {t} plc", "{s} & {s} {t} LLP"),
        "GB#########",
    ),
    "US": Country(
        0.08,
        1,
        (("Texas", "Houston"), ("Ohio", "Cleveland"), ("Georgia", "Macon")),
        ("Walker", "O'Brien", "Nguyen", "Ramírez", "Jackson"),
        ("Welding Supply", "Cryogenics", "Aerospace", "Food Processing"),
        ("{s} {t}, Inc.", "{c} {t} LLC", "{s} Bros. {t} Co."),
        "##-#######",
    ),
    "CN": Country(
        0.06,
        1,
        (("上海", "上海"), ("江苏", "苏州"), ("广东", "深圳"), ("湖北", "武汉")),
        ("华", "宏", "瑞", "金", "东", "盛", "恒", "泰"),
        ("精密机械", "特种气体", "半导体材料", "钢结构", "食品"),
        ("{c}{s}{s}{t}有限公司", "{c}市{s}达{t}股份有限公司"),
        "91##########MA####",
    ),
}

BRANCHES = (
    # ERP code, CRM words, share, pull on the size
    ("METAL", "Metal & Fabrication", 0.34, 0.0),
    ("CHEM", "Chemicals", 0.09, 0.5),
    ("FOOD", "Food & Beverage", 0.16, 0.1),
    ("HEALTH", "Healthcare", 0.11, 0.2),
    ("LAB", "Laboratories & Research", 0.10, -0.2),
    ("ELEC", "Electronics", 0.07, 0.4),
    ("GLASS", "Glass & Ceramics", 0.05, 0.4),
    ("CRAFT", "Workshops & Crafts", 0.08, -0.9),
)

PEOPLE = (
    # name, part of the mail address, locale
    ("Anna Köhler", "anna.koehler", "en"),
    ("王丽", "wang.li", "zh_CN"),
    ("James O'Connor", "james.oconnor", "en"),
    ("Sophie Lefèvre", "sophie.lefevre", "en"),
    ("Jürgen Weiß", "juergen.weiss", "en"),
    ("陈伟", "chen.wei", "zh_CN"),
    ("Maria Dell'Orto", "maria.dellorto", "en"),
    ("Tomáš Novák", "tomas.novak", "en"),
    ("Priya Sharma", "priya.sharma", "en"),
    ("李娜", "li.na", "zh_CN"),
    ("Hans-Peter Bühler", "hans-peter.buehler", "en"),
    ("Fatma Özdemir", "fatma.oezdemir", "en"),
    ("Emily Thwaite", "emily.thwaite", "en"),
    ("Łukasz Zieliński", "lukasz.zielinski", "en"),
    ("刘洋", "liu.yang", "zh_CN"),
    ("Carlos Ramírez", "carlos.ramirez", "en"),
)

RUBBISH_TAX_IDS = ("n/a", "unbekannt", "-", "0")
"""What is typed into a field that wants a tax id when nobody knows it."""
