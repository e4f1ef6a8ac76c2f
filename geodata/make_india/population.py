"""People of today's districts from the Census of India 2011, whose 640 districts the official codes up to 640 number.

A district that was formed since takes its share of the districts it was cut from by post offices: each office stands
for people of one census district, and today's districts add up their offices. What every census district
counted stays in the sum, so the country keeps its 1,210,854,977.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geodata.districts import METRIC_CRS
from geodata.errors import Fault, InputError
from geodata.tables import Column, read_table

FloatArray = npt.NDArray[np.float64]

HERE = Path(__file__).parent
LAST_CENSUS_CODE = 640
# The official map has these two regions of Puducherry within the district of that name.
MERGED_SINCE = {634: 635, 636: 635}  # Yanam, Mahe -> Puducherry
# People per km2 assumed when a town's inhabitants are spread over the post offices in and around it.
TOWN_DENSITY_PER_KM2 = 10_000
LARGEST_TOWN_SHARE = 0.95  # of a census district's people
COUNTS = ("population", "workers", "workers_outside_farming", "households", "urban_households")


def read_census(path: Path = HERE / "census_2011_districts.csv") -> pd.DataFrame:
    """``COUNTS`` and the name by census code, with the districts of ``MERGED_SINCE`` added to theirs.

    Workers are main and marginal ones; those outside farming are workers in household industry and other workers.
    """
    numbers = ("population", "workers", "cultivator_workers", "agricultural_workers", "household_workers",
               "other_workers", "households", "urban_households")  # fmt: skip
    code = Column("census_2011_code", "number", minimum=1, maximum=LAST_CENSUS_CODE, unique=True)
    columns = [code, Column("state"), Column("district"), *(Column(name, "number", minimum=0) for name in numbers)]
    table = read_table(path, columns)
    table["workers_outside_farming"] = table["household_workers"] + table["other_workers"]
    code_now = table["census_2011_code"].astype(int).replace(MERGED_SINCE)
    census = table.groupby(code_now)[list(COUNTS)].sum().astype("int64")
    return census.join(table.set_index(table["census_2011_code"].astype(int))["district"])


def read_parents(districts: pd.DataFrame, path: Path = HERE / "district_parents.csv") -> pd.DataFrame:
    """Districts formed since the census, by lgd_code: ``formed`` (year), ``parents`` (list of lgd_code).

    Raises:
        InputError: for a name that is no district, and for a district formed since that has no row.
    """
    table = read_table(path, [Column("state"), Column("district"), Column("formed", "number"), Column("parents")])
    keys = zip(districts["state"], districts["district"], strict=True)
    code = {key: int(number) for key, number in zip(keys, districts["lgd_code"], strict=True)}
    problems, rows = [], {}
    for state, district, formed, parents in table.to_numpy().tolist():
        names = [district, *parents.split("; ")]
        unknown = [name for name in names if (state, name) not in code]
        problems += [Fault(f"no district {name!r} of {state}", "correct the name", path.name) for name in unknown]
        if not unknown:
            own, *others = (code[state, name] for name in names)
            rows[own] = {"formed": int(formed), "parents": others}
    young = districts[districts["lgd_code"] > LAST_CENSUS_CODE]
    problems += [
        Fault(f"{row.district} of {row.state} was formed since the census and has no row", "add its parents", path.name)
        for row in young.itertuples()
        if row.lgd_code not in rows and not problems
    ]
    if problems:
        raise InputError(problems)
    return pd.DataFrame.from_dict(rows, orient="index")


def census_origins(code: int, parents: pd.DataFrame) -> list[int]:
    """The census districts that a district was cut from, through those in between; itself if it is one."""
    if code <= LAST_CENSUS_CODE:
        return [code]
    cut_from: list[int] = parents["parents"][code]
    found = [origin for parent in cut_from for origin in census_origins(parent, parents)]
    return list(dict.fromkeys(found))


def census_district_of(offices: pd.DataFrame, districts: gpd.GeoDataFrame, parents: pd.DataFrame) -> pd.Series:
    """Census code of each office: of its district, else of the origin whose remaining land is nearest.

    An office without a position in its district counts for the origin named first.

    Args:
        offices: columns lgd_code (its district), placed (whether it lies there), x, y (metres, ``METRIC_CRS``).
        districts: columns lgd_code, geometry.
    """
    shape = districts.set_index("lgd_code").geometry.to_crs(METRIC_CRS)
    origin = offices["lgd_code"].astype(int).copy()
    for code in offices["lgd_code"].unique():
        rows = offices.index[offices["lgd_code"] == code]
        choices = census_origins(int(code), parents)
        origin[rows] = choices[0]
        here = rows[offices.loc[rows, "placed"]]
        if len(choices) > 1 and len(here):
            spots = shapely.points(offices.loc[here, ["x", "y"]].to_numpy())
            away = np.array([shapely.distance(shape[choice], spots) for choice in choices])
            origin[here] = np.array(choices)[away.argmin(axis=0)]
    return origin


def people_per_office(offices: pd.DataFrame, census: pd.DataFrame, towns: pd.DataFrame) -> FloatArray:
    """People that each office stands for.

    A town's people are spread over the placed offices within the radius its people need at ``TOWN_DENSITY_PER_KM2`` (at
    least the nearest office); the rest of each census district's people is spread evenly over its branch offices,
    the rural kind. Where towns claim more than ``LARGEST_TOWN_SHARE`` of a district they are scaled down to it.

    Args:
        offices: columns x, y (metres), placed, branch (bool), census_code.
        census: table of :func:`read_census`.
        towns: columns population, x, y (metres).
    """
    placed = np.flatnonzero(offices["placed"])
    tree = KDTree(offices[["x", "y"]].to_numpy()[placed])
    radius_m = np.sqrt(towns["population"] / TOWN_DENSITY_PER_KM2 / np.pi).to_numpy() * 1000
    spots = towns[["x", "y"]].to_numpy()
    around = tree.query_ball_point(spots, radius_m)
    nearest = np.asarray(tree.query(spots)[1])
    people = np.zeros(len(offices))
    for inhabitants, near, fallback in zip(towns["population"], around, nearest, strict=True):
        chosen = placed[near or [fallback]]
        people[chosen] += inhabitants / len(chosen)
    counted = census["population"].astype(float).to_dict()
    for code, rows in offices.groupby("census_code").indices.items():
        total = counted[code]
        people[rows] *= min(1.0, LARGEST_TOWN_SHARE * total / max(people[rows].sum(), 1.0))
        rural = offices["branch"].to_numpy()[rows]
        share = rural / rural.sum() if rural.any() else np.full(rural.shape, 1 / rural.size)
        people[rows] += (total - people[rows].sum()) * share
    return people


def population_table(districts: pd.DataFrame, offices: pd.DataFrame, census: pd.DataFrame) -> pd.DataFrame:
    """``COUNTS`` of every district, whole numbers that add up to the census.

    Args:
        districts: columns district_id, lgd_code.
        offices: columns lgd_code, census_code, people.

    Returns:
        district_id, lgd_code, ``COUNTS``, ``census_2011_districts`` (names, joined by ";"), ``source``.

    Raises:
        InputError: for a census district without an office.
    """
    people = offices.groupby(["census_code", "lgd_code"])["people"].sum()
    absent = census.loc[census.index.difference(people.index.get_level_values("census_code")), "district"]
    if len(absent):
        raise InputError(
            [
                Fault(f"district {code} ({name}) has no post office", "mend the list of post offices", "census")
                for code, name in absent.items()
            ]
        )
    share = people / people.groupby("census_code").transform("sum")
    parts = pd.DataFrame(index=share.index)
    groups = [(code, group.to_numpy()) for code, group in share.groupby("census_code")]
    for count in COUNTS:
        totals = census[count].to_dict()
        parts[count] = np.concatenate([whole_shares(totals[code], group) for code, group in groups])
    names = pd.Series(census["district"].reindex(share.index.get_level_values("census_code")).to_numpy(), share.index)
    by_district = parts.groupby("lgd_code").sum()
    by_district["census_2011_districts"] = names.groupby("lgd_code").agg("; ".join)
    shared = (share < 1).groupby("lgd_code").any()
    by_district["source"] = shared.map({
        False: "Census of India 2011", True: "Census of India 2011, shared out by post offices",
    })  # fmt: skip
    return districts[["district_id", "lgd_code"]].merge(by_district, left_on="lgd_code", right_index=True)


def whole_shares(total: int, shares: FloatArray) -> npt.NDArray[np.int64]:
    """Split a count by shares that add up to 1 into whole numbers that add up to it (largest remainders)."""
    exact = total * shares
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - whole.sum()]] += 1
    return whole
