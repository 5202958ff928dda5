"""The curve as a picture: seconds of a night over lines of history, and over customers."""

from __future__ import annotations

Point = tuple[int, int, float]
"""Lines, customers, seconds."""

WIDTH, HEIGHT, MARGIN = 360, 220, 46
COLOUR = "#2b7a9b"


def draw(points: list[Point]) -> str:
    """Lay both curves side by side; an SVG without a ground of its own."""
    most_customers = max((point[1] for point in points), default=0)
    fewest_lines = min((point[0] for point in points), default=0)
    by_lines = [(p[0] / 1e6, p[2]) for p in points if p[1] == most_customers]
    by_customers = [(p[1] / 1e3, p[2]) for p in points if p[0] == fewest_lines]
    top = max((point[2] for point in points), default=1) * 1.15
    panels = (
        _panel(sorted(by_lines), top, 0, f"million lines, {most_customers:,} customers"),
        _panel(sorted(by_customers), top, WIDTH, f"thousand customers, {fewest_lines:,} lines"),
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#777">\n' + "".join(panels) + "</svg>\n"
    )


def _panel(points: list[tuple[float, float]], top: float, left: int, title: str) -> str:
    widest = max((x for x, _ in points), default=1) * 1.1

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + MARGIN + x / widest * (WIDTH - 1.5 * MARGIN)
        return across, HEIGHT - MARGIN - y / top * (HEIGHT - 1.5 * MARGIN)

    (x0, y0), (x1, y1) = place(0, 0), place(widest, top)
    parts = [
        f'<path d="M{x0:.0f} {y1:.0f}V{y0:.0f}H{x1:.0f}" fill="none" stroke="#999"/>\n',
        f'<text x="{x0:.0f}" y="{y1 - 6:.0f}">seconds of a night with changes</text>\n',
        f'<text x="{x1:.0f}" y="{HEIGHT - 8}" text-anchor="end">{title}</text>\n',
    ]
    path = "L".join("{:.1f} {:.1f}".format(*place(*point)) for point in points)
    parts.append(f'<path d="M{path}" fill="none" stroke="{COLOUR}" stroke-width="2"/>\n')
    for x, y in points:
        across, up = place(x, y)
        parts.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="{COLOUR}"/>\n')
        parts.append(
            f'<text x="{across:.1f}" y="{up - 8:.1f}" text-anchor="middle">{y:.0f}</text>\n'
        )
        parts.append(
            f'<text x="{across:.1f}" y="{y0 + 16:.0f}" text-anchor="middle">{x:g}</text>\n'
        )
    return "".join(parts)
