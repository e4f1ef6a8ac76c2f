"""What capital and a yearly saving are worth, worked by hand."""

import pytest

from siting.appraisal import Appraisal


def test_two_years_by_hand():
    """100 spent, 60 saved at the end of two years, at 10 %: 54.55 + 49.59 = 104.13 today."""
    a = Appraisal(100.0, 60.0, rate=0.10, years=2)
    assert a.present_value_inr == pytest.approx(104.1322, abs=1e-4)
    assert a.net_present_value_inr == pytest.approx(4.1322, abs=1e-4)
    assert a.benefit_cost_ratio == pytest.approx(1.041322, abs=1e-6)
    assert a.payback_years == pytest.approx(100 / 60)
    # 100 x^2 = 60 x + 60 for x = 1 + rate: x = 0.3 + sqrt(0.09 + 0.6)
    assert a.internal_rate_of_return == pytest.approx(0.3 + 0.69**0.5 - 1)


def test_at_its_internal_rate_capital_is_worth_nothing_more_and_nothing_less():
    rate = Appraisal(1095.0, 336.0, rate=0.08, years=30).internal_rate_of_return
    assert Appraisal(1095.0, 336.0, rate=rate, years=30).net_present_value_inr == pytest.approx(0, abs=1e-6)
    assert Appraisal(60.0, 2.0, rate=0.08, years=30).internal_rate_of_return == pytest.approx(0, abs=1e-9)


def test_without_capital_or_saving_there_is_no_ratio_payback_or_rate():
    nothing, loss = Appraisal(0.0, 0.0, 0.08, 30), Appraisal(100.0, -5.0, 0.08, 30)
    assert (nothing.benefit_cost_ratio, nothing.payback_years, nothing.internal_rate_of_return) == (None, None, None)
    assert (loss.payback_years, loss.internal_rate_of_return) == (None, None)
    assert loss.benefit_cost_ratio < 0 > loss.net_present_value_inr
    assert Appraisal(100.0, 3.0, 0.08, 30).internal_rate_of_return is None, "90 of 100 come back"


def test_a_subvention_is_paid_on_the_capital_and_changes_no_worth():
    plain, helped = (Appraisal(1000.0, 120.0, 0.08, 30, subvention) for subvention in (0.0, 0.03))
    assert (plain.interest_subvention_inr_per_year, helped.interest_subvention_inr_per_year) == (0.0, 30.0)
    assert helped.net_present_value_inr == plain.net_present_value_inr
