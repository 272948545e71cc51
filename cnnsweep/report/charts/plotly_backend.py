"""Charts as plotly's JSON. Colours of text, grid and paper are the page's own, light or dark."""

from collections.abc import Iterator, Sequence
from typing import Any

from cnnsweep.report.charts.chart_model import XY, Chart, Heat, Series
from cnnsweep.report.charts.ticks import log_ticks, shortened, shown_number

Json = dict[str, Any]
_HEIGHT = 380
_FEW_TICKS = 12
_LONGEST_TICK, _LONGEST_NOTE = 24, 14  # letters
_ORANGE = [[0, "rgba(213,94,0,0.03)"], [1, "rgba(213,94,0,1)"]]  # on white and on black alike


def as_plotly(chart: Chart) -> Json:
    """``data`` and ``layout`` for ``Plotly.newPlot``."""
    if isinstance(chart, Heat):
        return _heat(chart)
    assert isinstance(chart, XY)
    return _xy(chart)


def _xy(chart: XY) -> Json:
    layout = _layout(chart.x_title, chart.y_title)
    if chart.x_log:
        layout["xaxis"] |= _logarithmic([x for s in chart.series for x in s.x])
    if chart.y_log:
        layout["yaxis"] |= _logarithmic([y for s in chart.series for y in s.y])
    if chart.ticks is not None:
        places = list(range(len(chart.ticks)))
        names = [_text(shortened(name, _LONGEST_TICK)) for name in chart.ticks]
        layout["xaxis"] |= {"tickvals": places, "ticktext": names}
    if chart.x_title in ("epoch", "trial") and _largest_x(chart) <= _FEW_TICKS:
        layout["xaxis"]["dtick"] = 1  # there is no half an epoch
    if chart.notes:
        layout["yaxis"] |= {"visible": False, "range": [-0.15, 1.15]}
        layout["xaxis"] |= {"range": [-0.4, len(chart.ticks or []) - 0.6], "zeroline": False}
        layout["annotations"] = [
            {"x": x, "y": y, "text": _text(shortened(text, _LONGEST_NOTE)), "showarrow": False}
            for x, y, text in chart.notes
        ]
    if chart.series and chart.series[0].kind == "bars":
        layout["xaxis"], layout["yaxis"] = layout["yaxis"], layout["xaxis"]
        layout["yaxis"]["autorange"] = "reversed"
    return {"data": [t for s in chart.series for t in _traces(s)], "layout": layout}


def _largest_x(chart: XY) -> float:
    return max((x for s in chart.series for x in s.x if isinstance(x, int | float)), default=0)


def _traces(series: Series) -> Iterator[Json]:
    if series.kind in ("line", "steps") and series.low is not None and series.high is not None:
        band: Json = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        band |= {"showlegend": False, "legendgroup": series.name}
        yield {**band, "x": series.x, "y": series.low}
        yield {**band, "x": series.x, "y": series.high, "fill": "tonexty",
               "fillcolor": f"{series.color}2e"}  # fmt: skip
    trace: Json = {"x": series.x, "y": series.y, "name": _text(series.name)}
    trace |= {"legendgroup": series.name, "showlegend": series.in_legend}
    if series.hover is not None:
        trace |= {"text": [_text(t) for t in series.hover], "hovertemplate": _HOVER}
    yield trace | _look(series)


_HOVER = "%{text}<br>%{x:.4~g}, %{y:.4~g}<extra></extra>"


def _look(series: Series) -> Json:
    if series.kind == "bars":
        # Lying down, so that long names can be read.
        marked = {"marker": {"color": series.color}, "x": series.y, "y": series.x}
        return {"type": "bar", "orientation": "h", **marked}
    if series.kind in ("line", "steps"):
        line: Json = {"color": series.color, "width": 7 if series.big else 2 - series.faint}
        line |= {"dash": "dot"} if series.dashed else {}
        line |= {"shape": "hv"} if series.kind == "steps" else {}
        opacity = 0.6 if series.faint else 1
        return {"type": "scatter", "mode": "lines", "line": line, "opacity": opacity}
    marker: Json = {"color": series.color, "size": 11 if series.big else 6}
    marker |= {"symbol": "diamond"} if series.big else {}
    marker |= {"symbol": "x-thin-open", "line": {"width": 2}} if series.cross else {}
    marker |= {"symbol": "circle-open", "line": {"width": 2}} if series.ring else {}
    look: Json = {"type": "scatter", "mode": "markers", "marker": marker}
    look["opacity"] = 0.5 if series.faint else 1
    if series.low is not None and series.high is not None:
        up = [_gap(h, y) for h, y in zip(series.high, series.y, strict=True)]
        down = [_gap(y, low) for low, y in zip(series.low, series.y, strict=True)]
        look["error_y"] = {"type": "data", "symmetric": False, "array": up, "arrayminus": down}
    return look


def _gap(high: float | None, low: float | None) -> float | None:
    return None if high is None or low is None else high - low


def _heat(chart: Heat) -> Json:
    trace: Json = {"x": chart.x, "y": chart.y, "z": chart.z}
    trace["colorbar"] = {"title": {"text": _text(chart.z_title), "side": "right"}, "thickness": 12}
    layout = _layout(chart.x_title, chart.y_title)
    if chart.x_log:
        layout["xaxis"] |= _logarithmic(chart.x)
    if chart.y_log:
        layout["yaxis"] |= _logarithmic(chart.y)
    if chart.smooth:
        trace |= {"type": "contour", "colorscale": "Viridis", "contours": {"coloring": "heatmap"}}
        trace |= {"line": {"width": 0.5, "color": "rgba(255,255,255,0.5)"}, "hoverinfo": "skip"}
    else:
        trace |= {"type": "heatmap", "colorscale": _ORANGE}
        trace |= {"xgap": 1, "ygap": 1, "zmin": 0}
        trace |= {"hovertemplate": "%{y} taken for %{x}: %{z:.2~f} %<extra></extra>"}
        layout["yaxis"] |= {"autorange": "reversed", "type": "category", "showgrid": False}
        layout["xaxis"] |= {"type": "category", "showgrid": False}
        layout["height"] = 460
        if chart.text is not None:
            layout["annotations"] = list(_cells(chart))
    data = [trace]
    if chart.points is not None:
        points = next(_traces(chart.points)) | {"showlegend": False}
        points["marker"] |= {"size": 5, "line": {"width": 1, "color": "#222"}}
        data.append(points)
    return {"data": data, "layout": layout}


def _cells(chart: Heat) -> Iterator[Json]:
    """Numbers in the cells, in the page's ink but where the cell is dark."""
    largest = max((v for row in chart.z for v in row if v is not None), default=0) or 1
    for y, row in enumerate(chart.text or []):
        for x, text in enumerate(row):
            value = chart.z[y][x]
            note: Json = {"x": x, "y": y, "text": text, "showarrow": False}
            if value is not None and value > 0.6 * largest:
                note["font"] = {"color": "#fff"}
            if text:
                yield note


def _logarithmic(values: Sequence[object]) -> Json:
    ticks = log_ticks(values)
    return {"type": "log", "tickvals": ticks, "ticktext": [shown_number(tick) for tick in ticks]}


def _layout(x_title: str, y_title: str) -> Json:
    def axis(title: str) -> Json:
        shown = {"text": _text(title), "standoff": 8}
        return {"title": shown, "automargin": True, "zeroline": False}

    return {
        "height": _HEIGHT,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "xaxis": axis(x_title),
        "yaxis": axis(y_title),
        "showlegend": False,  # the page has its own below the chart, where it covers nothing
        "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def _text(text: str) -> str:
    """Plotly takes a few HTML tags and links in its texts: folders may bring none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
