"""What a map of the whole country must not lose: sites that stand close, and islands far away and small."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from browser import needs_chromium
from tiny_result import districts_table, sites_table, tiny_pack, write_result

from web.app import create_app

pytestmark = needs_chromium


@pytest.mark.parametrize("lang", ["en", "hi"])
def test_sites_too_close_to_tell_apart_stand_as_one_sign_that_opens(chromium, tmp_path, lang):
    folder = write_result(tmp_path / "results" / "tiny")
    sites = pd.concat([
        sites_table().assign(option_id=f"warehouse-small@p{k}", site_id=f"warehouse@p{k}", place_id=f"p{k}",
                             lon=76.5 + 0.05 * k)
        for k in (-1, 0, 1)
    ])  # fmt: skip
    sites.to_csv(folder / "sites.csv", index=False)
    with chromium.visiting(create_app(tmp_path / "results", tiny_pack(), tmp_path), width=390) as visit:
        page = visit.open(f"/?lang={lang}#at=76.50,20.50,5.50")  # three districts fill no larger screen at that scale
        page.wait_for_selector("#map[data-drawn]")
        page.locator("#map").scroll_into_view_if_needed()
        box = page.locator("#map canvas").bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        told = {"en": "3 sites", "hi": "3 स्थल"}[lang]
        for dx in range(-12, 13, 3):  # labels and signs are placed in whole pixels
            page.mouse.move(middle[0] + dx, middle[1])
            if page.is_visible("#tip") and told in page.inner_text("#tip"):
                break
        assert told in page.inner_text("#tip")
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function("location.hash.match(/%2C7\\.\\d\\d/)")
        visit.assert_quiet()


@pytest.mark.parametrize("name", ["Lakshadweep"])
def test_islands_are_beside_the_country_in_the_colours_of_the_map(chromium, tmp_path, name):
    folder = write_result(tmp_path / "results" / "tiny")
    table = districts_table()
    table.loc[1, "state"] = name
    table.to_csv(folder / "districts.csv", index=False)
    squares = [shapely.box(x - 0.5, 20, x + 0.5, 21) for x in (75.5, 76.5, 77.5)]
    shapes = gpd.GeoDataFrame(table, geometry=squares, crs=4326)
    shapes.to_file(folder / "study.gpkg", layer="districts", driver="GPKG", engine="pyogrio")
    with chromium.visiting(create_app(tmp_path / "results", tiny_pack(), tmp_path), webgl=False) as visit:
        page = visit.open("/?lang=en#measure=exports")
        assert page.locator("#insets button").all_inner_texts() == [name]
        drawn = page.locator(".svg-districts path").nth(1).get_attribute("fill")
        assert page.get_attribute("#insets path", "fill") == drawn
        page.click("#insets button")
        page.wait_for_selector(f"#brief .sentence:has-text('{name}:')")
        assert not page.is_visible("#insets")  # the map itself shows them now
        visit.assert_quiet()
