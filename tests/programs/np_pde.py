"""Finite differences on small grids, written in place."""

import numpy as np


def heat(u0, alpha):
    """Explicit scheme, fixed ends."""
    nx, nt = len(u0), 20
    dx = 1.0 / (nx - 1)
    dt = 0.0025
    u = u0.copy()
    for _n in range(nt):
        un = u.copy()
        u[1:-1] = un[1:-1] + alpha * dt / dx**2 * (un[2:] - 2 * un[1:-1] + un[:-2])
        u[0] = 0
        u[-1] = 0
    return np.sum(u) * dx


def advection(c, amplitude):
    nx = 41
    dx = 2 / (nx - 1)
    nt = 20
    dt = 0.02
    u = np.ones(nx)
    u[int(0.5 / dx) : int(1 / dx + 1)] = amplitude  # square wave
    for _n in range(nt):
        un = u.copy()
        u[1:] = un[1:] - c * dt / dx * (un[1:] - un[:-1])
    weight = np.linspace(0, 2, nx)
    return np.dot(weight, u**2) * dx


def burgers(u, nu):
    """Viscous Burgers' equation on a ring; loops, because that is easier to read."""
    nx = u.size
    dx, dt = 0.3, 0.02
    u = np.array(u)
    un = np.empty(nx)
    for _n in range(15):
        un[:] = u
        for i in range(1, nx - 1):
            u[i] = (
                un[i]
                - un[i] * dt / dx * (un[i] - un[i - 1])
                + nu * dt / dx**2 * (un[i + 1] - 2 * un[i] + un[i - 1])
            )
        u[0] = (
            un[0]
            - un[0] * dt / dx * (un[0] - un[-2])
            + nu * dt / dx**2 * (un[1] - 2 * un[0] + un[-2])
        )
        u[-1] = u[0]
    return float(np.sqrt((u**2).mean()))


def wave(c, pluck):
    """A string: three time levels that take turns."""
    n = 21
    x = np.linspace(0.0, 1.0, n)
    dx = x[1] - x[0]
    dt = 0.5 * dx
    r2 = (c * dt / dx) ** 2
    old = pluck * np.sin(np.pi * x) + 0.1 * np.sin(3 * np.pi * x)
    now = old.copy()
    now[1:-1] += 0.5 * r2 * (old[2:] - 2 * old[1:-1] + old[:-2])
    new = np.zeros_like(now)
    for _ in range(30):
        new[1:-1] = 2 * now[1:-1] - old[1:-1] + r2 * (now[2:] - 2 * now[1:-1] + now[:-2])
        old, now, new = now, new, old
    return now[5] + 2.0 * now[10]


def laplace_jacobi(left, top):
    """Relax a square plate until nothing changes any more."""
    p = np.zeros((6, 6))
    p[:, 0] = left
    p[0, :] = top
    error = 1.0
    iterations = 0
    while error > 1e-11:
        pn = p.copy()
        p[1:-1, 1:-1] = 0.25 * (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1])
        p[-1, 1:-1] = p[-2, 1:-1]  # insulated below
        error = np.max(np.abs(p - pn))
        iterations += 1
        if iterations > 500:
            raise RuntimeError("no convergence")
    return p[2, 3] + 0.5 * p[4, 1]


def laplace_sor(boundary, omega=1.5):
    """Gauss-Seidel with over-relaxation, point by point."""
    n = 5
    phi = np.zeros((n, n))
    phi[0] = boundary
    for _sweep in range(60):
        biggest = 0.0
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                residual = (
                    phi[i + 1, j] + phi[i - 1, j] + phi[i, j + 1] + phi[i, j - 1] - 4 * phi[i, j]
                )
                phi[i, j] += omega * residual / 4
                biggest = max(biggest, abs(residual))
        if biggest < 1e-12:
            break
    return phi[1, 1] * phi[2, 2] - phi[3, 2] ** 2


def convection_2d(u, v, dt):
    """Nonlinear convection, both components, upwind."""
    dx = dy = 0.5
    u, v = u.copy(), v.copy()
    for _n in range(6):
        un = u.copy()
        vn = v.copy()
        u[1:, 1:] = (
            un[1:, 1:]
            - (un[1:, 1:] * dt / dx * (un[1:, 1:] - un[1:, :-1]))
            - (vn[1:, 1:] * dt / dy * (un[1:, 1:] - un[:-1, 1:]))
        )
        v[1:, 1:] = (
            vn[1:, 1:]
            - (un[1:, 1:] * dt / dx * (vn[1:, 1:] - vn[1:, :-1]))
            - (vn[1:, 1:] * dt / dy * (vn[1:, 1:] - vn[:-1, 1:]))
        )
        u[0, :] = 1
        u[-1, :] = 1
        u[:, 0] = 1
        u[:, -1] = 1
        v[0, :] = v[-1, :] = 1
        v[:, 0] = v[:, -1] = 1
    return np.linalg.norm(u) + np.linalg.norm(v) ** 2


def build_up_b(b, rho, dt, u, v, dx, dy):
    b[1:-1, 1:-1] = rho * (
        1
        / dt
        * ((u[1:-1, 2:] - u[1:-1, 0:-2]) / (2 * dx) + (v[2:, 1:-1] - v[0:-2, 1:-1]) / (2 * dy))
        - ((u[1:-1, 2:] - u[1:-1, 0:-2]) / (2 * dx)) ** 2
        - 2 * ((u[2:, 1:-1] - u[0:-2, 1:-1]) / (2 * dy) * (v[1:-1, 2:] - v[1:-1, 0:-2]) / (2 * dx))
        - ((v[2:, 1:-1] - v[0:-2, 1:-1]) / (2 * dy)) ** 2
    )
    return b


def pressure_poisson(p, dx, dy, b, nit=8):
    pn = np.empty_like(p)
    for _q in range(nit):
        pn = p.copy()
        p[1:-1, 1:-1] = (
            (pn[1:-1, 2:] + pn[1:-1, 0:-2]) * dy**2 + (pn[2:, 1:-1] + pn[0:-2, 1:-1]) * dx**2
        ) / (2 * (dx**2 + dy**2)) - dx**2 * dy**2 / (2 * (dx**2 + dy**2)) * b[1:-1, 1:-1]
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0
    return p


def cavity_flow(lid, nu, rho):
    """Lid-driven cavity: kinetic energy after a few steps."""
    nx = ny = 7
    dx = dy = 2 / (nx - 1)
    dt = 0.02
    u = np.zeros((ny, nx))
    v = np.zeros((ny, nx))
    p = np.zeros((ny, nx))
    b = np.zeros((ny, nx))
    for _n in range(8):
        un = u.copy()
        vn = v.copy()
        b = build_up_b(b, rho, dt, u, v, dx, dy)
        p = pressure_poisson(p, dx, dy, b)
        for w, wn, dp in (
            (u, un, (p[1:-1, 2:] - p[1:-1, 0:-2]) / (2 * dx)),
            (v, vn, (p[2:, 1:-1] - p[0:-2, 1:-1]) / (2 * dy)),
        ):
            mid = wn[1:-1, 1:-1]
            w[1:-1, 1:-1] = (
                mid
                - un[1:-1, 1:-1] * dt / dx * (mid - wn[1:-1, 0:-2])
                - vn[1:-1, 1:-1] * dt / dy * (mid - wn[0:-2, 1:-1])
                - dt / rho * dp
                + nu * dt / dx**2 * (wn[1:-1, 2:] - 2 * mid + wn[1:-1, 0:-2])
                + nu * dt / dy**2 * (wn[2:, 1:-1] - 2 * mid + wn[0:-2, 1:-1])
            )
        u[0, :] = u[:, 0] = u[:, -1] = 0
        u[-1, :] = lid
        v[0, :] = v[-1, :] = v[:, 0] = v[:, -1] = 0
    return 0.5 * rho * (u**2 + v**2).sum() * dx * dy


def crank_nicolson(temperature, k):
    n = temperature.shape[0]
    r = k * 0.05 / 2
    A = np.diag((1 + 2 * r) * np.ones(n)) + np.diag(-r * np.ones(n - 1), 1)
    A += np.diag(-r * np.ones(n - 1), -1)
    B = 2 * np.eye(n) - A
    T = temperature
    for _ in range(10):
        T = np.linalg.solve(A, B @ T)
    return T.max()


def gray_scott(feed, kill):
    """Reaction and diffusion on a torus."""

    def laplacian(z):
        return (
            np.roll(z, 1, axis=0)
            + np.roll(z, -1, axis=0)
            + np.roll(z, 1, axis=1)
            + np.roll(z, -1, axis=1)
            - 4 * z
        )

    U = np.ones((8, 8))
    V = np.zeros((8, 8))
    U[2:5, 3:6], V[2:5, 3:6] = 0.5, 0.25
    for _ in range(25):
        reaction = U * V**2
        U += 0.16 * laplacian(U) - reaction + feed * (1 - U)
        V += 0.08 * laplacian(V) + reaction - (feed + kill) * V
    return V.sum()


def shallow_water(h, gravity):
    """Lax-Friedrichs in conservative variables, walls at both ends."""
    q = np.zeros((2, h.size + 2))
    q[0, 1:-1] = h
    dt_dx = 0.1
    for _ in range(12):
        q[0, 0], q[0, -1] = q[0, 1], q[0, -2]
        q[1, 0], q[1, -1] = -q[1, 1], -q[1, -2]
        depth, momentum = q
        flux = np.array([momentum, momentum**2 / depth + 0.5 * gravity * depth**2])
        q[:, 1:-1] = 0.5 * (q[:, 2:] + q[:, :-2]) - 0.5 * dt_dx * (flux[:, 2:] - flux[:, :-2])
    energy = 0.5 * q[1, 1:-1] ** 2 / q[0, 1:-1] + 0.5 * gravity * q[0, 1:-1] ** 2
    return energy.sum()


BUMP = np.array([0.0, 0.31, 0.85, 1.2, 1.05, 0.7, 0.42, 0.15, 0.0])
FLOW = np.array(
    [[1.0, 1.2, 1.1, 1.0], [1.3, 2.0, 1.8, 1.1], [1.1, 1.7, 1.9, 1.2], [1.0, 1.1, 1.2, 1.0]]
)

CASES = [
    ("heat equation", heat, (BUMP, 1.3)),
    ("advection, upwind", advection, (0.9, 2.0)),
    ("Burgers on a ring", burgers, (np.array([1.0, 1.4, 1.9, 1.2, 0.7, 0.8, 1.0]), 0.12)),
    ("wave on a string", wave, (1.1, 0.7)),
    ("Laplace, Jacobi", laplace_jacobi, (2.0, 1.5)),
    ("Laplace, over-relaxation", laplace_sor, (np.array([0.5, 1.0, 2.5, 1.5, 0.2]), 1.2)),
    ("convection in 2-D", convection_2d, (FLOW, FLOW.T[::-1].copy(), 0.05)),
    ("cavity flow", cavity_flow, (1.0, 0.1, 1.2)),
    ("Crank-Nicolson", crank_nicolson, (BUMP[1:-1], 3.0)),
    ("Gray-Scott", gray_scott, (0.04, 0.06)),
    ("shallow water", shallow_water, (np.array([1.0, 1.1, 1.6, 2.1, 1.7, 1.2, 1.05, 0.9]), 9.81)),
]
