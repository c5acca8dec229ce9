"""Panels of the Grafana dashboards, by Grafana's own Python SDK; the looks of all of them are decided here."""

from string import ascii_uppercase

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders.bargauge import Panel as BarGauge
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

from costpolicy.observe.exported import Recorded

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
CHOSEN = 'namespace=~"$namespace",policy=~"$policy"'
"""Matchers of what is chosen at the top of a dashboard."""


def board(uid: str, title: str, description: str, since: str, *, several: bool) -> Dashboard:
    """A dashboard with its variables; ``several``: all policies may be chosen at once."""
    made = (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["costpolicy"])
        .time(since, "now")
        .refresh("1m")
        .timezone("browser")
        .readonly()
    )
    made = made.with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    for name, of in (("namespace", ""), ("policy", '{namespace=~"$namespace"}')):
        query = (
            QueryVariable(name)
            .label(name.capitalize())
            .datasource(SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
        query = query.query(f"label_values({Recorded.POLICY_COST_PER_HOUR}{of}, {name})")
        if several or name == "namespace":
            query = query.include_all(True).multi(True).all_value(".+")
        made = made.with_variable(query)
    return made


def row(title: str) -> Row:
    """A heading."""
    return Row(title)


def lines(
    title: str, told: str, unit: str, asked: dict[str, str], *, stacked: bool = False, width: int = 12
) -> TimeSeries:
    """Curves over time; ``asked``: expressions by their legends."""
    options = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    panel = (
        TimeSeries().title(title).description(told).datasource(SOURCE).unit(unit).axis_soft_min(0).span(width).height(8)
    )
    panel = panel.legend(options).tooltip(tooltip).line_width(1).fill_opacity(35 if stacked else 6)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for letter, (legend, expression) in zip(ascii_uppercase, asked.items(), strict=False):
        panel = panel.with_target(Dataquery().expr(expression).legend_format(legend).ref_id(letter))
    return panel


def number(title: str, told: str, unit: str, expression: str, *, legend: str = "", width: int = 6) -> Stat:
    """One number, or one for each currency."""
    query = Dataquery().expr(expression).ref_id("A").instant().legend_format(legend)
    panel = Stat().title(title).description(told).datasource(SOURCE).unit(unit).span(width).height(4)
    return panel.no_value("not known").graph_mode(BigValueGraphMode.NONE).reduce_options(_last()).with_target(query)


def bars(title: str, told: str, unit: str, expression: str, *, legend: str, width: int = 12) -> BarGauge:
    """One bar for each series, now."""
    query = Dataquery().expr(expression).ref_id("A").instant().legend_format(legend)
    panel = BarGauge().title(title).description(told).datasource(SOURCE).unit(unit).span(width).height(8)
    return panel.no_value("not known").reduce_options(_last()).with_target(query)


def listing(title: str, told: str, expression: str, *, width: int = 12) -> Table:
    """One row for each series, now, with its labels."""
    query = Dataquery().expr(expression).ref_id("A").instant().format("table")
    return (
        Table()
        .title(title)
        .description(told)
        .datasource(SOURCE)
        .no_value("none")
        .span(width)
        .height(8)
        .with_target(query)
    )


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])
