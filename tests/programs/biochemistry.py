"""Chemistry and biology: kinetics, populations, neurons, thermodynamics."""

import math
import sys
from types import SimpleNamespace

from .toolbox import as_number, newton, require_float, rk4, saturation_pressure

R = 8.314462618


class StepRejected(Exception):
    """The error estimate of a step was too large."""

    def __init__(self, error):
        super().__init__(f"error {error:.2e}")
        self.error = error


class AdaptiveSolver:
    """Bogacki-Shampine 3(2) with step size control."""

    def __init__(self, rhs, rtol=1e-4, atol=1e-6):
        self.rhs, self.rtol, self.atol = rhs, rtol, atol
        self.accepted = self.rejected = 0

    def try_step(self, t, y, h):
        f, n = self.rhs, range(len(y))
        k1 = f(t, y)
        k2 = f(t + h / 2, [y[i] + h / 2 * k1[i] for i in n])
        k3 = f(t + 0.75 * h, [y[i] + 0.75 * h * k2[i] for i in n])
        new = [y[i] + h * (2 * k1[i] + 3 * k2[i] + 4 * k3[i]) / 9 for i in n]
        k4 = f(t + h, new)
        low = [y[i] + h * (7 * k1[i] + 6 * k2[i] + 8 * k3[i] + 3 * k4[i]) / 24 for i in n]
        scaled = [(new[i] - low[i]) / (self.atol + self.rtol * abs(new[i])) for i in n]
        error = math.sqrt(sum(e * e for e in scaled) / len(y))
        if error > 1:
            raise StepRejected(error)
        return new, error

    def solve(self, y, t, t_end, h):
        while t < t_end:
            h = min(h, t_end - t)
            try:
                y, error = self.try_step(t, y, h)
            except StepRejected as rejection:
                self.rejected += 1
                h *= max(0.2, 0.9 * rejection.error ** (-1 / 3))
                continue
            self.accepted += 1
            t += h
            h *= min(5.0, 0.9 * max(error, 1e-10) ** (-1 / 3))
        return y


def van_der_pol(mu, x, v):
    solver = AdaptiveSolver(lambda t, y: [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])
    x, v = solver.solve([x, v], 0.0, 2.0, 0.5)
    sys.stderr.write("%d accepted, %d rejected\n" % (solver.accepted, solver.rejected))
    assert solver.rejected > 0
    return x


def lotka_volterra(rates):
    def rhs(_, y):
        prey, hunters = y
        return [
            rates["birth"] * prey - rates["kill"] * prey * hunters,
            rates["feed"] * prey * hunters - rates["death"] * hunters,
        ]

    y = [10.0, 5.0]
    for i in range(40):
        y = rk4(rhs, y, i * 0.05, 0.05)
    return math.log(y[0]) + math.log(y[1])


def michaelis_menten(vmax, km, substrate):
    """Time until half of the substrate is gone, by the integrated rate law and by steps."""
    closed = (km * math.log(2.0) + substrate / 2) / vmax
    s, t, dt = substrate, 0.0, closed / 50
    while s > substrate / 2:
        before = s
        s -= dt * vmax * s / (km + s)
        t += dt
    overshoot = (substrate / 2 - s) / (before - s)
    return closed + (t - dt * overshoot)


def arrhenius(factors, energies, temperature):
    """Branching ratio of parallel reactions."""
    require_float(temperature, name="temperature")
    constants = [a * math.exp(-e / (R * temperature)) for a, e in zip(factors, energies)]
    return constants[0] / math.fsum(constants)


def ph_of_weak_acid(pka, concentration):
    ka, kw = 10**-pka, 1e-14

    def charge(h):
        return h**3 + ka * h**2 - (ka * concentration + kw) * h - ka * kw

    def slope(h):
        return 3 * h**2 + 2 * ka * h - (ka * concentration + kw)

    return -math.log10(newton(charge, slope, math.sqrt(ka * concentration), tol=1e-18))


def van_der_waals_volume(pressure, temperature, a=0.3640, b=4.267e-5):
    def f(v):
        return (pressure + a / v**2) * (v - b) - R * temperature

    def df(v):
        return pressure - a / v**2 + 2 * a * b / v**3

    try:
        volume = newton(f, df, R * temperature / pressure, tol=1e-15)
    except (RuntimeError, ZeroDivisionError):
        volume = float("nan")
    return volume * 1e3


def dew_point(celsius, humidity):
    """Magnus formula backwards; the pressures come from a cached helper."""
    vapor = humidity * saturation_pressure(celsius)
    x = math.log(vapor / 6.112)
    dew = 243.12 * x / (17.62 - x)
    return dew + 0.01 * saturation_pressure(dew) / saturation_pressure(celsius)


def hodgkin_huxley(current, g_na):
    """Membrane voltage after 2 ms."""

    def rate(v, scale, shift, width):
        z = (v + shift) / width
        if abs(z) < 1e-6:
            return scale * width * (1 + z / 2)
        return scale * (v + shift) / (1 - math.exp(-z))

    n = SimpleNamespace(v=-65.0, m=0.05, h=0.6, n=0.32)
    dt = 0.02
    for _ in range(100):
        ionic = g_na * n.m**3 * n.h * (n.v - 50) + 36 * n.n**4 * (n.v + 77) + 0.3 * (n.v + 54.4)
        dm = rate(n.v, 0.1, 40, 10) * (1 - n.m) - 4 * math.exp(-(n.v + 65) / 18) * n.m
        dh = 0.07 * math.exp(-(n.v + 65) / 20) * (1 - n.h) - n.h / (1 + math.exp(-(n.v + 35) / 10))
        dn = rate(n.v, 0.01, 55, 10) * (1 - n.n) - 0.125 * math.exp(-(n.v + 65) / 80) * n.n
        n.v += dt * (current - ionic)
        n.m, n.h, n.n = n.m + dt * dm, n.h + dt * dh, n.n + dt * dn
    return n.v


def epidemic_peak(beta, gamma):
    """Infected at the peak of an SIR epidemic, day by day."""
    s, i, r = 0.99, 0.01, 0.0
    curve = []
    for _day in range(200):
        new, healed = beta * s * i, gamma * i
        s, i, r = s - new, i + new - healed, r + healed
        curve.append(i)
        if len(curve) > 2 and curve[-1] < curve[-2]:
            break
    else:
        raise ValueError("no peak within 200 days")
    day, peak = max(enumerate(curve), key=lambda pair: pair[1])
    return peak + 0.0 * day


def dose(weight, half_life, text="2,5"):
    """Plasma level under repeated doses; some settings come as text."""
    k = math.log(2) / as_number(half_life)
    level = as_number(0)
    for hour in range(48):
        if hour % 8 == 0:
            level += as_number(text) * 100 / as_number(weight)
        level *= math.exp(-k)
    return level


CASES = [
    ("Van der Pol, adaptive", van_der_pol, (5.0, 2.0, 0.3)),
    (
        "Lotka-Volterra",
        lotka_volterra,
        ({"birth": 1.1, "kill": 0.4, "feed": 0.1, "death": 0.4},),
    ),
    ("Michaelis-Menten", michaelis_menten, (1.3, 0.8, 2.1)),
    ("Arrhenius", arrhenius, ([1e9, 3e10, 2e8], [52e3, 61e3, 47e3], 350.0)),
    ("pH of a weak acid", ph_of_weak_acid, (4.76, 0.1)),
    ("van der Waals volume", van_der_waals_volume, (2.0e6, 320.0)),
    ("dew point", dew_point, (21.5, 0.45)),
    ("Hodgkin-Huxley", hodgkin_huxley, (10.0, 120.0)),
    ("epidemic peak", epidemic_peak, (0.5, 0.13)),
    ("repeated dose", dose, (71.0, 5.5)),
]
