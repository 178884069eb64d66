"""Physics, engineering, weather, queues."""

import math

import numpy as np
from numpy import array, linspace, zeros
from numpy.linalg import solve


def resistor_ladder(series, shunt, volts):
    """Nodal analysis: the current that the source delivers."""
    n = len(series)
    G = zeros((n, n))
    for i in range(n):
        G[i, i] += 1 / series[i] + 1 / shunt[i]
        if i > 0:
            G[i - 1, i - 1] += 1 / series[i]
            G[i, i - 1] -= 1 / series[i]
            G[i - 1, i] -= 1 / series[i]
    current = zeros(n)
    current[0] = volts / series[0]
    v = solve(G, current)
    return (volts - v[0]) / series[0] + v[-1]


def rlc_bandpass(R, L, C):
    """Largest gain and mean phase over a sweep of frequencies; C in microfarads."""
    w = 2 * np.pi * np.array([40.0, 50.0, 60.0, 75.0])
    Z = R + 1j * w * L + 1 / (1j * w * C * 1e-6)
    H = R / Z
    return np.max(np.abs(H)) + np.mean(np.angle(H)) + np.sum((1 / Z).imag)


def heat_index(T, RH):
    """Rothfusz regression with its adjustments, in Fahrenheit, over several readings."""
    simple = 0.5 * (T + 61.0 + (T - 68.0) * 1.2 + RH * 0.094)
    full = (
        -42.379
        + 2.04901523 * T
        + 10.14333127 * RH
        - 0.22475541 * T * RH
        - 6.83783e-3 * T**2
        - 5.481717e-2 * RH**2
        + 1.22874e-3 * T**2 * RH
        + 8.5282e-4 * T * RH**2
        - 1.99e-6 * T**2 * RH**2
    )
    dry = (13 - RH) / 4 * np.sqrt(np.clip((17 - np.abs(T - 95)) / 17, 1e-6, None))
    humid = (RH - 85) / 10 * (87 - T) / 5
    hi = np.select(
        [(simple + T) / 2 < 80, (RH < 13) & (T > 80) & (T < 112), (RH > 85) & (T < 87)],
        [simple, full - dry, full + humid],
        default=full,
    )
    return hi.mean()


def lindley(interarrival, service):
    """Waiting times in a queue with one server."""
    n = len(service)
    W = np.zeros(n)
    for i in range(n - 1):
        W[i + 1] = max(0.0, W[i] + service[i] - interarrival[i])
    busy = service.sum() / (interarrival.sum() + W[-1] + service[-1])
    return W.mean() + busy


def inventory(reorder, order_up_to, costs):
    """Periodic review; the demand of each week is drawn beforehand."""
    demand = np.random.default_rng(8).gamma(4.0, 2.5, size=26)
    stock, total, on_order = order_up_to, 0.0, 0.0
    for d in demand:
        stock += on_order
        on_order = 0.0
        sold = np.minimum(stock, d)
        total += costs["penalty"] * (d - sold)
        stock -= sold
        total += costs["holding"] * stock
        if stock < reorder:
            on_order = order_up_to - stock
            total += costs["fixed"] + costs["unit"] * on_order
    return total / demand.size


def newsvendor(quantity, price, salvage):
    demand = np.random.default_rng(3).lognormal(3.0, 0.4, 60)
    sold = np.where(demand < quantity, demand, quantity)
    left = np.maximum(quantity - demand, 0)
    profit = price * sold + salvage * left - 4.0 * quantity
    return profit.mean() - 0.1 * profit.std()


def truss(nodes, areas, load):
    """Assembly of bar stiffnesses, supports taken out, energy of the load."""
    bars = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (0, 3)]
    K = np.zeros((8, 8))
    for (i, j), A in zip(bars, areas):
        d = nodes[j] - nodes[i]
        L = np.linalg.norm(d)
        c, s = d / L
        t = np.array([[c * c, c * s], [c * s, s * s]])
        k = A / L * np.block([[t, -t], [-t, t]])
        dofs = [2 * i, 2 * i + 1, 2 * j, 2 * j + 1]
        K[np.ix_(dofs, dofs)] += k
    fixed = [0, 1, 5]
    free = np.setdiff1d(np.arange(8), fixed)
    f = np.zeros(8)
    f[6:] = load
    u = np.zeros(8)
    u[free] = np.linalg.solve(K[np.ix_(free, free)], f[free])
    return f @ u


def lennard_jones(positions, epsilon, sigma):
    n = len(positions)
    i, j = np.triu_indices(n, 1)
    r2 = np.sum((positions[i] - positions[j]) ** 2, axis=1)
    s6 = (sigma**2 / r2) ** 3
    inside = r2 < 6.25
    return np.sum((4 * epsilon * (s6**2 - s6))[inside])


def anharmonic(omega, quartic):
    """Lowest levels of an oscillator on a grid."""
    n = 31
    x = linspace(-4, 4, n)
    h = x[1] - x[0]
    V = 0.5 * omega**2 * x**2 + quartic * x**4
    H = np.diag(V + 1 / h**2) - 0.5 / h**2 * (np.eye(n, k=1) + np.eye(n, k=-1))
    E = np.linalg.eigvalsh(H)
    return E[1] - E[0] + 0.1 * E[2]


def lenses(distances, focal):
    """Ray transfer matrices; spot size of a bundle of rays."""
    M = np.eye(2)
    for d, f in zip(distances, focal):
        M = np.array([[1, 0], [-1 / f, 1]]) @ np.array([[1, d], [0, 1]]) @ M
    rays = np.array([[-0.1, 0.0, 0.1, 0.05], [0.02, 0.01, -0.01, 0.0]])
    out = M @ rays
    return np.sqrt(np.mean((out[0] - out[0].mean()) ** 2))


def mean_field(couplings, field, temperature):
    """Magnetizations of a spin glass by damped iteration."""
    J = (couplings + couplings.T) / 2
    np.fill_diagonal(J, 0.0)
    m = np.full(len(field), 0.1)
    for _ in range(400):
        new = np.tanh((J @ m + field) / temperature)
        if np.linalg.norm(new - m) < 1e-14:
            break
        m = 0.5 * m + 0.5 * new
    entropy = -((1 + m) / 2 * np.log((1 + m) / 2) + (1 - m) / 2 * np.log((1 - m) / 2))
    return -0.5 * m @ J @ m - field @ m - temperature * entropy.sum()


def black_body(temperature):
    """Share of the radiation that is visible."""
    h, c, k = 6.62607015e-34, 299792458.0, 1.380649e-23
    lam = np.linspace(380e-9, 750e-9, 60)
    B = 2 * h * c**2 / lam**5 / np.expm1(h * c / (lam * k * temperature))
    visible = np.pi * np.trapezoid(B, lam)
    return visible / (5.670374419e-8 * temperature**4)


def rocket(thrust_curve, mass, cd):
    """Thrust by table; stops at the top of the flight, found between two steps."""
    burn = np.array([0.0, 0.2, 0.8, 1.5, 1.8])
    state = np.array([0.0, 0.0])  # height, speed
    drag = 0.5 * 1.2 * 2.2e-3 * cd
    t, dt = 0.0, 0.05
    while True:
        thrust = np.interp(t, burn, thrust_curve, right=0.0)
        h, v = state
        a = (thrust - drag * v * abs(v)) / mass - 9.81
        new = state + dt * np.array([v + 0.5 * dt * a, a])
        t += dt
        if new[1] < 0 and t > 1.0:
            s = state[1] / (state[1] - new[1])
            return ((1 - s) * state + s * new)[0]
        state = new


def leslie(fertility, survival):
    """Growth rate of an age-structured population, and its mean age."""
    n = len(fertility)
    L = np.zeros((n, n))
    L[0] = fertility
    L[np.arange(1, n), np.arange(n - 1)] = survival
    pop = np.ones(n)
    for _ in range(150):
        pop = L @ pop
        growth = pop.sum()
        pop /= growth
    return math.log(growth) + pop @ np.arange(n)


def muskingum(inflow, K, x):
    """Flood routing down two reaches; the peak that arrives."""
    dt = 1.0
    D = 2 * K * (1 - x) + dt
    C = np.array([dt - 2 * K * x, dt + 2 * K * x, 2 * K * (1 - x) - dt]) / D
    flow = inflow
    for _reach in range(2):
        out = np.zeros_like(flow)
        out[0] = flow[0]
        for t in range(1, len(flow)):
            out[t] = C @ np.array([flow[t], flow[t - 1], out[t - 1]])
        flow = out
    return np.amax(flow)


def car_following(speeds, headway):
    """Intelligent driver model on a ring, with a mean speed at the end."""
    n = len(speeds)
    v = speeds.copy()
    x = np.arange(n) * 20.0
    ring = 20.0 * n
    for _ in range(30):
        gap = (np.roll(x, -1) - x) % ring - 5.0
        dv = v - np.roll(v, -1)
        wanted = 2.0 + np.maximum(0.0, v * headway + v * dv / (2 * np.sqrt(1.0 * 1.5)))
        v += 0.2 * 1.0 * (1 - (v / 30.0) ** 4 - (wanted / gap) ** 2)
        x += 0.2 * v
    return v.mean() + v.std()


def elo(ratings, k):
    """Updates the ratings in place, game by game; surprise of the results."""
    games = [(0, 1, 1.0), (2, 3, 0.5), (1, 2, 0.0), (3, 0, 0.0), (1, 3, 1.0), (0, 2, 1.0)]
    surprise = 0.0
    for a, b, score in games:
        expected = 1 / (1 + 10 ** ((ratings[b] - ratings[a]) / 400))
        surprise -= score * np.log(expected) + (1 - score) * np.log(1 - expected)
        change = k * (score - expected)
        ratings[a] += change
        ratings[b] -= change
    return surprise + np.std(ratings) / 100


def reactor(feed, activation):
    """Three stirred tanks in a row, steady state of each by Newton's method."""
    concentration, temperature = feed
    conversion = []
    for _tank in range(3):
        state = array([0.5 * concentration, temperature + 10.0])
        for _ in range(30):
            c, T = state
            k = 2e6 * np.exp(-activation / T)
            residual = array([concentration - c - k * c, temperature - T + 40.0 * k * c])
            dk = k * activation / T**2
            J = array([[-1 - k, -dk * c], [40.0 * k, -1 + 40.0 * dk * c]])
            step = solve(J, -residual)
            state = state + step
            if np.abs(step).sum() < 1e-12:
                break
        concentration, temperature = state
        conversion.append(1 - concentration / feed[0])
    return np.array(conversion) @ [0.2, 0.3, 0.5]


BRIDGE = np.array([[0.0, 0.0], [1.0, 1.1], [1.9, 0.0], [3.0, 0.9]])
CLUSTER = np.array([[0.0, 0.0, 0.0], [1.1, 0.1, 0.0], [0.5, 1.0, 0.1], [0.4, 0.3, 1.05]])

CASES = [
    (
        "resistor ladder",
        resistor_ladder,
        (np.array([10.0, 22.0, 47.0]), np.array([100.0, 82.0, 68.0]), 5.0),
    ),
    ("band pass", rlc_bandpass, (50.0, 0.3, 20.0)),
    (
        "heat index",
        heat_index,
        (np.array([75.0, 97.0, 85.0, 91.0]), np.array([40.0, 10.0, 88.0, 55.0])),
    ),
    (
        "Lindley recursion",
        lindley,
        (np.array([1.0, 0.4, 2.5, 0.7, 1.2]), np.array([0.9, 1.3, 0.6, 1.5, 0.8])),
    ),
    (
        "inventory",
        inventory,
        (14.6, 33.0, {"holding": 0.2, "penalty": 3.0, "fixed": 8.0, "unit": 1.1}),
    ),
    ("newsvendor", newsvendor, (20.4, 9.0, 1.5)),
    (
        "truss",
        truss,
        (BRIDGE, np.array([1.0, 2.0, 1.5, 1.2, 0.8, 1.1]), np.array([0.3, -1.0])),
    ),
    ("Lennard-Jones", lennard_jones, (CLUSTER * [1.0, 1.0, 2.4], 0.9, 1.02)),
    ("anharmonic oscillator", anharmonic, (1.1, 0.05)),
    ("lenses", lenses, ([0.5, 0.8, 0.3], np.array([0.6, -1.2, 0.9]))),
    (
        "mean field",
        mean_field,
        (np.array([[0.0, 0.5, -0.3], [0.4, 0.0, 0.6], [0.1, 0.2, 0.0]]), CLUSTER[3] - 0.5, 0.9),
    ),
    ("black body", black_body, (5778.0,)),
    ("rocket", rocket, (np.array([0.0, 14.0, 9.0, 8.0, 0.0]), 0.26, 0.75)),
    ("Leslie matrix", leslie, (np.array([0.1, 1.2, 1.6, 0.4]), np.array([0.6, 0.7, 0.5]))),
    (
        "flood routing",
        muskingum,
        (np.array([10.0, 25.0, 58.0, 81.0, 60.0, 42.0, 28.0, 17.0, 11.0]), 1.6, 0.2),
    ),
    ("cars on a ring", car_following, (np.array([8.0, 11.0, 9.0, 12.0, 10.0]), 1.2)),
    ("Elo", elo, (np.array([1500.0, 1620.0, 1480.0, 1710.0]), 32.0)),
    ("stirred tanks", reactor, ((2.0, 300.0), 4600.0)),
]
