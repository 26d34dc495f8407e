# SPDX-License-Identifier: Apache-2.0
"""What bench/tpch/run writes: a Markdown table and a chart of the results."""

import math

COLORS = {"dbaspot": "#d9480f", "postgres": "#336791", "duckdb": "#b8860b"}


def geometric_mean(values):
    return math.exp(sum(math.log(max(value, 1e-9)) for value in values) / len(values))


def _totals(results):
    """Per peer: sum and geometric mean over the queries that every peer answered."""
    names = list(results["peers"])
    shared = [q for q in results["queries"].values() if all(q["seconds"].get(n) for n in names)]
    return {
        name: (
            sum(q["seconds"][name] for q in shared),
            geometric_mean([q["seconds"][name] for q in shared]) if shared else 0.0,
        )
        for name in names
    }


def _ratio(value, base):
    return f"{value / base:.2f}" if value and base else "-"


def _seconds(value):
    return f"{value:.4f}" if value is not None else "failed"


def markdown(results):
    """The report: queries, totals, load; the ratios are the first peer's to the others."""
    names = list(results["peers"])
    first, others = names[0], names[1:]
    lines = [
        f"# TPC-H scale {results['scale']:g}: {', '.join(names)}",
        "",
        f"{results['machine']}; {results['when']}; median of {results['repeats']} hot runs,"
        " interleaved, in seconds.",
        "",
    ]
    lines += [f"- {name}: {results['peers'][name]['version']}" for name in names]
    ratios = [f"{first} / {name}" for name in others]
    lines += ["", "| query | " + " | ".join(names + ratios) + " | rows | rows agree |"]
    lines.append("|---|" + "--:|" * (len(names) + len(others) + 1) + "---|")
    for number, query in results["queries"].items():
        seconds = [query["seconds"].get(name) for name in names]
        cells = [_seconds(value) for value in seconds]
        cells += [_ratio(seconds[0], value) for value in seconds[1:]]
        lines.append(f"| Q{number} | " + " | ".join(cells) +
                     f" | {query['rows']} | {query['agree']} |")
    totals = _totals(results)
    for at, label in enumerate(("total", "geometric mean")):
        cells = [f"{totals[name][at]:.4f}" for name in names]
        cells += [_ratio(totals[first][at], totals[name][at]) for name in others]
        lines.append(f"| {label} | " + " | ".join(cells) + " | | |")
    lines += ["", "| load | " + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
    loads = [results["peers"][name] for name in names]
    lines.append("| lineitem, rows/s | " +
                 " | ".join(f"{load['lineitem_rows_per_second']:,.0f}" for load in loads) + " |")
    lines.append("| all tables, s | " +
                 " | ".join(f"{load['load_seconds']:.1f}" for load in loads) + " |")
    lines.append("| keys and statistics after it, s | " +
                 " | ".join(f"{load['finish_seconds']:.1f}" for load in loads) + " |")
    lines.append("| on disk, MB | " +
                 " | ".join(f"{load['data_bytes'] / 1e6:,.0f}" for load in loads) + " |")
    return "\n".join(lines) + "\n"


def svg(results):
    """Bars per query on a logarithmic scale of time."""
    names = list(results["peers"])
    times = [s for q in results["queries"].values() for s in q["seconds"].values() if s]
    low = 10.0 ** math.floor(math.log10(max(min(times, default=0.001), 1e-5)))
    high = 10.0 ** math.ceil(math.log10(max(times, default=1.0)))
    bar, gap, left, top, width = 10, 8, 60, 60, 640
    group = bar * len(names) + gap
    height = top + group * len(results["queries"]) + 40

    def x_of(seconds):
        share = math.log10(seconds / low) / max(math.log10(high / low), 1e-9)
        return left + width * min(max(share, 0.0), 1.0)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{height}"'
        ' font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">TPC-H scale {results["scale"]:g}, seconds a query'
        " (logarithmic; shorter is better)</text>",
    ]
    for at, name in enumerate(names):
        out.append(f'<rect x="{left + at * 130}" y="30" width="10" height="10"'
                   f' fill="{COLORS[name]}"/>')
        out.append(f'<text x="{left + at * 130 + 15}" y="39">{name}</text>')
    tick = low
    while tick <= high * 1.0001:
        x = x_of(tick)
        out.append(f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{height - 30}"'
                   ' stroke="#ddd"/>')
        out.append(f'<text x="{x:.1f}" y="{height - 14}" text-anchor="middle">{tick:g}</text>')
        tick *= 10
    for row, (number, query) in enumerate(results["queries"].items()):
        y = top + row * group
        out.append(f'<text x="{left - 8}" y="{y + bar * len(names) / 2 + 4:.1f}"'
                   f' text-anchor="end">Q{number}</text>')
        for at, name in enumerate(names):
            seconds = query["seconds"].get(name)
            end = x_of(seconds) if seconds else left
            out.append(f'<rect x="{left}" y="{y + at * bar}" width="{max(end - left, 1):.1f}"'
                       f' height="{bar - 1}" fill="{COLORS[name]}"/>')
            label = f"{seconds:.3f}" if seconds else "failed"
            out.append(f'<text x="{end + 4:.1f}" y="{y + at * bar + 8}" font-size="9">{label}'
                       "</text>")
    out.append("</svg>")
    return "\n".join(out) + "\n"
