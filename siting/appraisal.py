"""What capital spent once and a saving every year are worth to society, and who pays.

All money is in prices of one year, so the rate is real. A transfer moves money between exchequer and builders; it is
told apart and is in no figure of worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from scipy.optimize import brentq

from siting.model.costs import annuity_factor
from siting.money import INR_PER_CRORE


@dataclass(frozen=True)
class Appraisal:
    """Capital and what it saves, appraised.

    Args:
        capital_inr: spent at the start.
        saving_inr_per_year: at the end of each year, running cost taken off.
        rate: real discount rate, fraction a year.
        years: how long it is saved.
        subvention: of the capital that the exchequer pays a year to lower its interest, fraction.
    """

    capital_inr: float
    saving_inr_per_year: float
    rate: float
    years: float
    subvention: float = 0.0

    @classmethod
    def of(cls, capital_inr_crore: float, saving_inr_per_year: float, p: Mapping[str, float]) -> Appraisal:
        """Appraise by the parameters of a study."""
        capital_inr = capital_inr_crore * INR_PER_CRORE
        return cls(capital_inr, saving_inr_per_year, p["discount_rate"], p["appraisal_years"], p["credit_subsidy"])

    @cached_property
    def present_value_inr(self) -> float:
        """Of the saving of all years."""
        return self.saving_inr_per_year * annuity_factor(self.rate, self.years)

    @property
    def net_present_value_inr(self) -> float:
        """Present value of the saving less the capital."""
        return self.present_value_inr - self.capital_inr

    @property
    def benefit_cost_ratio(self) -> float | None:
        """Present value of the saving over the capital; None without capital."""
        return self.present_value_inr / self.capital_inr if self.capital_inr > 0 else None

    @property
    def payback_years(self) -> float | None:
        """Capital over saving; None without capital or saving."""
        if self.capital_inr <= 0 or self.saving_inr_per_year <= 0:
            return None
        return self.capital_inr / self.saving_inr_per_year

    @cached_property
    def internal_rate_of_return(self) -> float | None:
        """The rate at which the net present value is zero; None where the saving never adds up to the capital."""
        payback = self.payback_years
        if payback is None or payback > self.years:
            return None
        # Savings for ever would return one over the payback, so that some years return less.
        return float(brentq(lambda rate: annuity_factor(rate, self.years) - payback, 0.0, 1.0 / payback))

    @property
    def interest_subvention_inr_per_year(self) -> float:
        """Transfer from the exchequer to those who borrow the capital."""
        return self.subvention * self.capital_inr
