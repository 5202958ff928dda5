"""A company's name, telephone, address and tax number in a form in which equals are equal.

Legal forms go, umlauts and accents fold, a Chinese name is also held in pinyin, because the other
system may have it in Latin letters.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from sys import intern

from anyascii import anyascii
from rapidfuzz import fuzz

_LEGAL_WORDS = """
    gmbh mbh ges gesmbh ag kg kgaa ohg ek ev eg ug se co cokg aktiengesellschaft
    sa sas sarl eurl snc srl spa sapa sl slu lda ltda sca bv nv cv vof
    ltd limited plc llp llc lp inc incorporated corp corporation company pty pte
    ab oy oyj as asa aps sro zoo sp kft zrt doo dd ad ooo oao pao kk sdn bhd jsc
"""
LEGAL_WORDS = frozenset(_LEGAL_WORDS.split())
"""Words at the end of a name in Latin letters that say what kind of company it is, as folded."""

LEGAL_HAN = re.compile(
    "(股份有限公司|有限责任公司|有限責任公司|股份公司|有限公司|集团公司|集團公司|集团|集團|公司)$"
)
"""The same at the end of a Chinese name; applied until none is left."""

LONG_LEGAL_WORDS = tuple(word for word in LEGAL_WORDS if len(word) > 8)

LINKING_WORDS = frozenset(("und", "and", "et", "e", "y"))

_HAN = re.compile("[\u3400-\u9fff]")
_OTHER = re.compile(r"[^0-9a-z]+")
_SINGLE_LETTER_DOT = re.compile(r"(?<=\b\w)\.")
_STREET = re.compile(r" *(strasse|str)\b")
_ROADS = {"street": "st", "avenue": "ave", "road": "rd", "boulevard": "blvd", "drive": "dr"}
_SHORTEST_NUMBER = 7
_SHORTEST_TAX_ID = 5


_ASCII = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_/.#"
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in _ASCII) + "\u00ba\u00b0\u3000\u00a0\t"
"""Full-width forms, as Chinese systems write them, the rings of N°, and odd spaces."""

PLAIN = _ASCII.upper() + "OO   "
"""What WIDE is alike to, letter by letter. Model int_accounts_matched has both, and the labels."""

_PLAIN_OF = str.maketrans(WIDE, PLAIN)

LABEL = (
    "^([A-Z][A-Z])?(VAT|USCC|UST|UMSATZSTEUER|UID|TVA|MWST|MVA|MOMS|IVA|PIVA"
    "|PARTITAIVA|BTW|GST|FEIN|EIN|TIN|TAX|STEUER|STNR|NIF|CIF|NIP"
    "|统一社会信用代码|社会信用代码|纳税人识别号|納稅人識別號|税号|稅號)"
    "(INTRACOM|REGISTRATION|REG|IDENTIFIKATIONS|IDENTIFICATION|IDENT|ID)?"
    "(NUMBER|NUMMER|NUMERO|NUM|NO|NR)?"
)
"""What people write before a tax number, without marks: "GB VAT Reg. No.", "USt-IdNr."."""

LABEL_BEHIND = "(VAT|TVA|MWST|MVA|MOMS|IVA)$"
"""The same behind it, as in Switzerland and Norway."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart; what follows from the rest is made when asked for, to hold many.

    `text` is the name without its legal form or marks: folded words with a space between, or, of a
    Chinese name, its characters as they are and any Latin letters. Empty unless the name is Chinese
    are `sounds`, the pinyin of each two neighbouring characters with a space between, and `pinyin`.
    `numbers`, each once and in order, tell sites and namesakes apart.
    """

    text: str
    sounds: str
    pinyin: str
    numbers: str

    @property
    def han(self) -> str:
        """Its Chinese characters, without the legal form."""
        return "".join(_HAN.findall(self.text))

    @property
    def is_han(self) -> bool:
        """Whether it is written in Chinese."""
        return bool(self.pinyin)

    @property
    def core(self) -> str:
        """The name without spaces."""
        return self.text.replace(" ", "")

    @property
    def turned(self) -> str:
        """The same with the words in order of the alphabet."""
        return _turned(self.text)

    @property
    def words(self) -> list[str]:
        """Its words; of a Chinese name, its sounds."""
        return (self.sounds or self.text).split()


@lru_cache(maxsize=1 << 12)
def _turned(text: str) -> str:
    return "".join(sorted(text.split()))


def take_apart(name: str) -> Name:
    """Take a company's name apart."""
    text = unicodedata.normalize("NFKC", name).lower()
    text = re.sub("['\u2019]", "", text)
    numbers = intern(" ".join(sorted(set(re.findall(r"\d+", text)))))
    if _HAN.search(text):
        return _han(text, numbers)
    words = [word for word in fold(text).split() if word not in LINKING_WORDS]
    while len(words) > 1 and _is_legal(words[-1]):
        words.pop()
    return Name(" ".join(words), "", "", numbers)


def _is_legal(word: str) -> bool:
    """Whether a word is a legal form; a long one may be mistyped."""
    if word in LEGAL_WORDS:
        return True
    return len(word) > 8 and any(fuzz.ratio(word, form) > 90 for form in LONG_LEGAL_WORDS)


def fold(text: str) -> str:
    """Latin letters of any text, words apart by one space; müller, mueller and muller are one."""
    plain = anyascii(_SINGLE_LETTER_DOT.sub("", text)).lower()
    plain = plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return _OTHER.sub(" ", plain).strip()


def _han(text: str, numbers: str) -> Name:
    letters = "".join(_HAN.findall(text))
    while shorter := LEGAL_HAN.sub("", letters):
        if shorter == letters:
            break
        letters = shorter
    # 上海市 and 上海 are one place
    letters = letters[:2] + letters[2:].replace("市", "", 1) if letters[2:3] == "市" else letters
    sounds = [anyascii(letter).lower() for letter in letters]
    pairs = " ".join(a + b for a, b in pairwise(sounds))
    latin = fold(_HAN.sub(" ", text)).replace(" ", "")
    return Name(letters + latin, pairs or " ".join(sounds), "".join(sounds) + latin, numbers)


def tax_key(text: str | None) -> str | None:
    """A tax number without marks and labels; None for what cannot be one, such as n/a or 0."""
    plain = (text or "").translate(_PLAIN_OF)
    key = re.sub("[^0-9A-Z]", "", unicodedata.normalize("NFKC", plain).upper())
    key = re.sub(LABEL_BEHIND, "", re.sub(LABEL, "", key))
    return key if sum(letter.isdigit() for letter in key) >= _SHORTEST_TAX_ID else None


def domain_key(text: str | None) -> str | None:
    """The host of a site, address or domain, without www."""
    host = re.sub(r"^[a-z]+://", "", (text or "").strip().lower()).partition("/")[0]
    host = host.rpartition("@")[2].removeprefix("www.").rstrip(".")
    return host if "." in host else None


def phone_key(text: str | None) -> str | None:
    """The digits of a telephone number without the zeros before it."""
    digits = re.sub(r"\D", "", text or "").lstrip("0")
    return digits if len(digits) >= _SHORTEST_NUMBER else None


def address_key(text: str | None) -> tuple[str, str] | None:
    """Street as folded words and house number; None without both."""
    if not text:
        return None
    numbers = re.findall(r"\d+", text)
    words = _STREET.sub("str", fold(re.sub(r"\d+", " ", text)))
    street = " ".join(_ROADS.get(word, word) for word in words.split())
    return (street, numbers[0]) if street and numbers else None
