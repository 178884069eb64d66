"""Only the branch that ran is differentiated: a tax with brackets, and what its tape holds."""

import tapead

BRACKETS = [(0.0, 0.1), (10_000.0, 0.2), (40_000.0, 0.35)]


def tax(income, children):
    """The tax of an income: each bracket's rate on the part of the income above its start."""
    total = 0.0
    for (start, rate), (end, _) in zip(BRACKETS, [*BRACKETS[1:], (float("inf"), 0.0)]):
        if income > start:
            total += rate * (min(income, end) - start)
    relief = 500.0 * children
    return total - relief if total > relief else 0.0


if __name__ == "__main__":
    rate = tapead.value_and_grad(tax, argnums=(0, 1))
    print("income    tax        d tax / d income   d tax / d children")
    for income in (5_000.0, 9_000.0, 25_000.0, 60_000.0):
        value, (by_income, by_children) = rate(income, 1.0)
        print(f"{income:8.0f} {value:9.2f} {by_income:14.2f} {by_children:20.2f}")

    print("\nThe tape of an income in the first bracket:")
    print(tapead.record(tax, 9_000.0, 1.0))
    print("\nThe tape of one in the second:")
    print(tapead.record(tax, 25_000.0, 1.0))
