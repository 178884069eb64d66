"""Why derivatives are not computed path by path: 9 paths over 6 edges, 59,049 over 30.

Three edges lead from x to y and three from y to z. By the chain rule d z / d x is the sum over all
paths of the products of the derivatives on their edges, and every layer multiplies the number of
paths by three. A sweep adds up what has come together at y before it goes on: it factors the sum,
(a + b + c) * (d + e + f), and comes to each edge once.
"""

import math

import tapead


def layers(x, weights):
    """In every layer three ways from x to the next x, each with a derivative of its own."""
    for a, b, c in weights:
        x = a * x + b * x + c * x
    return x


def between_layers(tape):
    """How many edges lead out of the values that layers hand on; the others are within a layer."""
    # A row has two operands at most, so a layer is five rows: three products and two sums.
    values = range(0, len(tape), 5)
    return sum(edge.source in values for edge in tape.draw(most=len(tape)).edges)


def show(weights):
    tape = tapead.record(layers, 1.0, weights, argnums=0)
    found = tape.paths("x")
    swept = tape.adjoints()[0]
    print(
        f"{len(weights)} layers: {found.count:,} paths, {between_layers(tape)} edges between them"
    )
    print(f"  between rows there are {found.edges}; the sweep visited {tape.visited.edges}")
    print(f"  sum over paths {found.total:g}, by a sweep {swept:g}")
    return found


if __name__ == "__main__":
    two = [(1.0, 2.0, 3.0), (4.0, 5.0, 6.0)]
    found = show(two)
    terms = " + ".join(f"{path.product:g}" for path in found.each())
    print(f"  path by path: {terms} = {math.fsum(path.product for path in found.each()):g}")
    print(f"  factored: (1 + 2 + 3) * (4 + 5 + 6) = {math.prod(map(sum, two)):g}\n")

    show([(0.5, 0.25, 0.5)] * 10)
    print()
    tape = tapead.record(layers, 1.0, [(0.5, 0.25, 0.25)] * 1000, argnums=0)
    print(f"1000 layers: {tape.paths('x')}")
