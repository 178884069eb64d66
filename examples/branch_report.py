"""How near is a branch to falling the other way?

A gradient is that of the branches that were taken, and does not see the other ones. Here an option
is worth nothing once its price touches a barrier. The report lists every decision with its margin,
and says by how much each input would have to move to flip it: a little further, and the payoff is
gone, of which the gradient knew nothing.
"""

import math

import tapead

STRIKE, BARRIER = 100.0, 125.0
SHOCKS = [math.sin(0.9 * k * k) for k in range(1, 51)]


def payoff(spot, volatility):
    """A call on the end of a path that must stay below the barrier."""
    paid = 1.0
    for shock in SHOCKS:
        spot = spot * math.exp(volatility * shock)
        if spot >= BARRIER:
            paid = 0.0
    return paid * max(spot - STRIKE, 0.0)


if __name__ == "__main__":
    inputs = {"spot": 100.0, "volatility": 0.0258}
    value = payoff(**inputs)
    by_spot, by_volatility = tapead.grad(payoff, argnums=(0, 1))(*inputs.values())
    print(f"payoff {value:.4f}, by spot {by_spot:.4f}, by volatility {by_volatility:.4f}\n")

    report = tapead.branches(payoff, *inputs.values())
    print(report)

    nearest = report[0]
    print(f"\n{nearest.source!r} was decided {nearest.times} times, true {nearest.held} times")
    for name, move in nearest.moves.items():
        for part in (0.99, 1.01):
            moved = {**inputs, name: inputs[name] + part * move.by}
            print(f"{name} moved by {part * move.by:+.6f}: payoff {payoff(**moved):8.4f}")

    print("\nthe five nearest of all decisions:")
    for decision in report.closest(5):
        print(f"  {decision.left:9.4f} {decision.operation} {decision.right:g}", end="")
        print(f"   margin {decision.margin:8.4f}")

    tie = tapead.branches(payoff, STRIKE, 0.0)
    print("\nAnd where nothing moves at all, the strike itself is a kink:\n")
    print(tie)
