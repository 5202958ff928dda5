"""The customers with a planted story: who they are before anything happens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A customer of a story; days count from the story day, None is before trading began."""

    name: str
    country: str
    region: str
    branch: str
    tax_id: str
    currency: int = 0
    opened: int | None = None
    merged: int | None = None
    merged_into: str | None = None
    term: int = 1


CAST: dict[str, Role] = {
    "riser": Role(
        "Rheinstahl Schweißtechnik GmbH", "DE", "Nordrhein-Westfalen", "METAL", "DE811907980"
    ),
    "faller": Role("Glashütte Völkermarkt GmbH", "AT", "Kärnten", "GLASS", "ATU61234907"),
    "churner": Role("Brauerei Groß & Söhne KG", "DE", "Bayern", "FOOD", "DE812770345"),
    "non_payer": Role("Officine Dell'Orto S.r.l.", "IT", "Lombardia", "METAL", "IT09371640152"),
    "big_return": Role("L'Hostis Fonderie SA", "FR", "Bretagne", "METAL", "FR40303265045"),
    "duplicate": Role("Böhm Anlagenbau AG", "DE", "Baden-Württemberg", "CHEM", "DE813664218"),
    "duplicate_old": Role(
        "Boehm Anlagenbau Aktiengesellschaft",
        "DE",
        "Baden-Württemberg",
        "CHEM",
        "de 813 664 218",
        merged=-106,
        merged_into="duplicate",
    ),
    "merge": Role("苏州恒瑞半导体材料有限公司", "CN", "江苏", "ELEC", "91320594087ABMA1X8"),
    "merge_old": Role(
        "苏州恒瑞特种气体有限公司",
        "CN",
        "江苏",
        "ELEC",
        "91320594113CKMA2K1",
        merged=0,
        merged_into="merge",
    ),
    "late_invoice": Role("Hawkins Offshore Ltd", "GB", "Scotland", "METAL", "GB904447273"),
    "newcomer": Role("Jäger Feinwerk GmbH", "DE", "Sachsen", "ELEC", "DE814220917", opened=-57),
    "graduate": Role(
        "Labor Lindner Tübingen e.K.", "DE", "Baden-Württemberg", "LAB", "DE815003377", opened=-104
    ),
    "negative": Role("Steiner Kellerei Ges.m.b.H.", "AT", "Steiermark", "FOOD", "ATU57711208"),
    "fx": Role("Nguyen Aerospace, Inc.", "US", "Texas", "METAL", "74-1982360", currency=1),
    "stable": Role(
        "Universitätsklinikum Göttingen", "DE", "Niedersachsen", "HEALTH", "DE816118422"
    ),
    "stable_low": Role("Metallbau Voß Zwickau e.K.", "DE", "Sachsen", "CRAFT", "DE817720051"),
}
"""Role -> customer; the order fixes the customer's index, so append only."""

MEMBERS = tuple(CAST)
CAST_SIZE = len(MEMBERS)
INTERNAL = CAST_SIZE
"""Index of the internal customer, which follows the cast."""
