"""The words of scorecards in English and Hindi, and numbers as people write them there.

English is in the source; Hindi stands in ``translations/hi/LC_MESSAGES/messages.po`` and is compiled when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata.cache import cached_array
from siting.money import INR_PER_CRORE, indian

LANGUAGES = ("en", "hi")
TRANSLATIONS = Path(__file__).with_name("translations")
USD_PER_MILLION = 1e6
CROWDED = 100.0  # numbers from here on have no decimals

SECTOR_WORDS: Mapping[str, str] = {
    "agri_other": "Other farm and animal products",
    "auto": "Vehicles and parts",
    "chemicals": "Chemicals",
    "electronics": "Electronics",
    "food_fresh": "Fruit and vegetables",
    "food_grains": "Grain",
    "food_processed": "Processed food",
    "footwear": "Footwear",
    "frozen_meat_fish": "Frozen meat and fish",
    "furniture": "Furniture",
    "gems_jewellery": "Gems and jewellery",
    "leather": "Leather",
    "machinery": "Machinery",
    "metals": "Metals",
    "mineral_products": "Minerals and fuels",
    "optical_medical": "Optical and medical devices",
    "other_manufactures": "Other manufactures",
    "pharma": "Pharmaceuticals",
    "plastics_rubber": "Plastics and rubber",
    "tea_coffee_spices": "Tea, coffee and spices",
    "textiles_garments": "Textiles and garments",
    "toys": "Toys",
    "transport_other": "Ships, aircraft and other vehicles",
    "wood_paper": "Wood and paper",
}
"""English names of the bundled sectors; others are told by their key."""


def sector_name(key: str) -> str:
    """English name of a sector; of one of the user's own, its key in words."""
    return SECTOR_WORDS.get(key, key.replace("_", " ").capitalize())


@cache
def catalogue(language: str) -> NullTranslations:
    """Translations into a language of ``LANGUAGES``."""
    if language == "en":
        return NullTranslations()
    source = (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").read_bytes()
    compiled = cached_array(lambda: _compiled(source, language), np.frombuffer(source, np.uint8), language, suffix="mo")
    return GNUTranslations(BytesIO(compiled.tobytes()))


def _compiled(source: bytes, language: str) -> NDArray[np.uint8]:
    """A catalogue as gettext reads it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    binary = BytesIO()
    write_mo(binary, read_po(BytesIO(source), locale=language))
    return np.frombuffer(binary.getvalue(), np.uint8)


@dataclass(frozen=True)
class Words:
    """How a language says things."""

    language: str

    def __call__(self, text: str, **values: object) -> str:
        """A text in the language, with its values put in."""
        told = str(catalogue(self.language).gettext(text))
        return told % values if values else told

    def sector(self, key: str) -> str:
        """Name of a sector."""
        return self(sector_name(key))

    def crore(self, inr: float) -> str:
        """Rupees in crore, with two digits where they are few."""
        return self("₹%(n)s crore", n=self.number(inr / INR_PER_CRORE))

    def usd(self, usd: float) -> str:
        """US$ million."""
        return self("US$ %(n)s million", n=self.number(usd / USD_PER_MILLION))

    def million(self, usd: float) -> str:
        """US$ million without the unit."""
        return self.number(usd / USD_PER_MILLION)

    def number(self, value: float) -> str:
        """Number with Indian grouping: no decimals where it is large, one or two where it is small."""
        size = abs(value)
        return indian(value, 0 if size >= CROWDED or size == 0 else 1 if size >= 1 else 2)

    def whole(self, value: float) -> str:
        """Number without decimals."""
        return indian(value)

    def percent(self, share: float) -> str:
        """A share in per cent."""
        return f"{100 * share:.1f} %"
