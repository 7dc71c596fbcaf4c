"""The Spark body of the grouping, in one session: start-up costs more than all else here."""

from __future__ import annotations

import polars as pl
import pytest

from otrack_risk import risk
from otrack_risk.errors import TableError
from otrack_risk.risk.classes import classes

ROWS = {
    "year": [7, 7, 7, 7, 8, 8, 8],
    "score": [1.5, 1.5, None, float("nan"), 0.0, -0.0, 2.0],
    "need": ["ASD", "SLCN", "ASD", None, None, None, "SLCN"],
    "upn": ["x", None, "", "x", None, None, None],
}


@pytest.mark.needs("java")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")  # it is handed arrow
def test_spark_counts_what_polars_counts():
    pytest.importorskip("pyspark")
    import pyarrow as pa
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        table = pa.table(ROWS)
        there, here = session.createDataFrame(table), pl.DataFrame(pl.from_arrow(table))
        known = ["year", "score"]
        found = [
            risk.measure(rows, known, sensitive=["need"], direct_identifiers=["upn"]).record() for rows in (there, here)
        ]
        assert found[0] == found[1]
        assert found[0]["directly_identified"]["records"] == 2
        dropped = [classes(rows, known, missing="drop") for rows in (there, here)]
        assert dropped[0].sizes.equals(dropped[1].sizes)
        assert [part.left_out for part in dropped] == [2, 2]
        population = [risk.Population(table=rows) for rows in (there.union(there), pl.concat([here, here]))]
        average = [
            risk.marketer_risk(rows, known, whole).average
            for rows, whole in zip((there, here), population, strict=True)
        ]
        # 4 classes of 7 records, each twice as large in the population: (1/2 a class) x 4 / 7
        assert average == pytest.approx([4 / 14, 4 / 14])
        with pytest.raises(TableError, match="not counted on Spark"):
            risk.measure(there, ["score"], person="year")
    finally:
        session.stop()
