"""State estimation and smoothing of series."""

import math

import numpy as np
from numpy.linalg import inv

POSITIONS = np.array([0.1, 1.3, 1.9, 3.2, 4.1, 4.8, 6.2])


def kalman(observations, q, r):
    """Constant velocity model; log likelihood of the observations."""
    F = np.array([[1.0, 1.0], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    Q = q * np.array([[0.25, 0.5], [0.5, 1.0]])
    R = np.array([[r]])
    x = np.zeros((2, 1))
    P = 10.0 * np.eye(2)
    logl = 0.0
    for z in observations:
        # predict
        x = F @ x
        P = F @ P @ F.T + Q
        # update
        y = z - H @ x
        S = H @ P @ H.T + R
        K = P @ H.T @ inv(S)
        x = x + K @ y
        P = (np.eye(2) - K @ H) @ P
        logl += -0.5 * (np.log(2 * np.pi * S) + y.T @ inv(S) @ y).item()
    return logl


class KalmanFilter(object):
    def __init__(self, F=None, B=None, H=None, Q=None, R=None, P=None, x0=None):
        if F is None or H is None:
            raise ValueError("Set proper system dynamics.")
        self.n = F.shape[1]
        self.F = F
        self.H = H
        self.B = 0 if B is None else B
        self.Q = np.eye(self.n) if Q is None else Q
        self.R = np.eye(self.n) if R is None else R
        self.P = np.eye(self.n) if P is None else P
        self.x = np.zeros((self.n, 1)) if x0 is None else x0

    def predict(self, u=0):
        self.x = np.dot(self.F, self.x) + np.dot(self.B, u)
        self.P = np.dot(np.dot(self.F, self.P), self.F.T) + self.Q
        return self.x

    def update(self, z):
        y = z - np.dot(self.H, self.x)
        S = self.R + np.dot(self.H, np.dot(self.P, self.H.T))
        K = np.dot(np.dot(self.P, self.H.T), np.linalg.inv(S))
        self.x = self.x + np.dot(K, y)
        I = np.eye(self.n)
        self.P = np.dot(np.dot(I - np.dot(K, self.H), self.P), (I - np.dot(K, self.H)).T) + np.dot(
            np.dot(K, self.R), K.T
        )


def tracked_acceleration(measurements, dt, noise):
    F = np.array([[1, dt, 0], [0, 1, dt], [0, 0, 1]])
    H = np.array([1, 0, 0]).reshape(1, 3)
    Q = np.array([[0.05, 0.05, 0.0], [0.05, 0.05, 0.0], [0.0, 0.0, 0.0]])
    R = np.array([noise]).reshape(1, 1)
    kf = KalmanFilter(F=F, H=H, Q=Q, R=R)
    predictions = []
    for z in measurements:
        predictions.append(np.dot(H, kf.predict())[0])
        kf.update(z)
    return float(np.mean((np.array(predictions).ravel() - measurements) ** 2))


def extended_kalman(bearings, ranges, prior):
    """A robot that sees one landmark, as angle and distance."""
    landmark = np.array([4.0, 3.0])
    mu = prior.copy()
    sigma = np.diag([0.5, 0.5])
    motion = np.array([0.3, 0.1])
    for angle, distance in zip(bearings, ranges):
        mu += motion
        sigma += 0.02 * np.identity(2)
        dx, dy = landmark - mu
        q = dx**2 + dy**2
        expected = np.array([math.sqrt(q), math.atan2(dy, dx)])
        J = np.array([[-dx / np.sqrt(q), -dy / np.sqrt(q)], [dy / q, -dx / q]])
        S = J @ sigma @ J.T + np.diag([0.1, 0.01])
        gain = np.linalg.solve(S, J @ sigma).T
        mu += gain @ (np.array([distance, angle]) - expected)
        sigma = sigma - gain @ S @ gain.T
    return mu[0] + 2 * mu[1] + np.trace(sigma)


def rts_smoother(y, level_noise):
    """Local level model: forward pass, then Rauch-Tung-Striebel backward."""
    n = len(y)
    m, p = np.zeros(n), np.zeros(n)
    mean, var = 0.0, 4.0
    for t in range(n):
        var = var + level_noise
        k = var / (var + 0.5)
        mean = mean + k * (y[t] - mean)
        var = (1 - k) * var
        m[t], p[t] = mean, var
    for t in range(n - 2, -1, -1):
        g = p[t] / (p[t] + level_noise)
        m[t] += g * (m[t + 1] - m[t])
        p[t] += g**2 * (p[t + 1] - p[t] - level_noise)
    return m[n // 2] + p[0]


def particle_filter(y, phi, sigma):
    """Weighted particles, never resampled: the likelihood stays smooth."""
    rng = np.random.default_rng(42)
    n = 40
    x = rng.standard_normal(n) * sigma
    logw = np.full(n, -np.log(n))
    for obs in y:
        x = phi * x + sigma * rng.normal(size=n)
        logw = logw - 0.5 * (obs - x) ** 2 - 0.5 * np.log(2 * np.pi)
    top = logw.max()
    return top + np.log(np.exp(logw - top).sum())


def alpha_beta(z, alpha, beta, dt=0.5):
    x = v = 0.0
    estimates = np.empty(len(z))
    for i, measured in enumerate(z):
        x += dt * v
        residual = measured - x
        x += alpha * residual
        v += beta * residual / dt
        estimates[i] = x
    return np.abs(np.diff(estimates)).sum()


def holt_winters(series, alpha, beta, gamma):
    """Additive seasons of three; sum of squared one-step errors."""
    season = list(series[:3] - np.mean(series[:3]))
    level, trend = np.mean(series[:3]), (series[3] - series[0]) / 3
    sse = 0
    for t in range(3, len(series)):
        forecast = level + trend + season[t - 3]
        sse += (series[t] - forecast) ** 2
        last = level
        level = alpha * (series[t] - season[t - 3]) + (1 - alpha) * (level + trend)
        trend = beta * (level - last) + (1 - beta) * trend
        season.append(gamma * (series[t] - level) + (1 - gamma) * season[t - 3])
    return sse


def biquad(x, b, a):
    """Direct form II, transposed."""
    w = np.zeros(2)
    y = np.zeros_like(x)
    for n, xn in enumerate(x):
        y[n] = b[0] * xn + w[0]
        w[0] = b[1] * xn - a[0] * y[n] + w[1]
        w[1] = b[2] * xn - a[1] * y[n]
    return np.sum(y**2)


def complementary(gyro, accel, tau):
    """Tilt angle out of a drifting gyroscope and a noisy accelerometer."""
    dt = 0.1
    alpha = tau / (tau + dt)
    angle = np.arctan2(accel[0, 0], accel[0, 1])
    for rate, (ax, az) in zip(gyro, accel):
        angle = alpha * (angle + rate * dt) + (1 - alpha) * np.arctan2(ax, az)
    return np.degrees(angle)


def savitzky_golay(y, x_scale):
    """Local parabolas by least squares, evaluated in the middle of each window."""
    half = 2
    t = np.arange(-half, half + 1) * x_scale
    design = np.stack([np.ones_like(t), t, t**2], axis=1)
    coefficients = np.linalg.pinv(design)
    smooth = y.copy()
    slope = np.zeros(len(y))
    for i in range(half, len(y) - half):
        window = y[i - half : i + half + 1]
        smooth[i] = coefficients[0].dot(window)
        slope[i] = coefficients[1].dot(window)
    return ((y - smooth) ** 2).sum() + slope.max()


CASES = [
    ("Kalman filter", kalman, (POSITIONS, 0.3, 0.5)),
    ("Kalman filter, a class", tracked_acceleration, (POSITIONS**2 / 4, 0.6, 0.5)),
    (
        "extended Kalman filter",
        extended_kalman,
        (
            np.array([0.66, 0.68, 0.71, 0.75]),
            np.array([4.6, 4.3, 4.1, 3.7]),
            np.array([0.1, -0.2]),
        ),
    ),
    ("Rauch-Tung-Striebel", rts_smoother, (POSITIONS, 0.4)),
    ("particle filter", particle_filter, (np.array([0.3, -0.5, 0.8, 1.1]), 0.8, 0.6)),
    ("alpha-beta filter", alpha_beta, (POSITIONS, 0.6, 0.2)),
    (
        "Holt-Winters",
        holt_winters,
        (np.array([3.0, 5.1, 4.2, 3.9, 6.3, 5.0, 4.8, 7.1, 6.2]), 0.4, 0.2, 0.3),
    ),
    (
        "biquad",
        biquad,
        (np.sin(POSITIONS), np.array([0.2, 0.35, 0.2]), np.array([-0.6, 0.25])),
    ),
    (
        "complementary filter",
        complementary,
        (
            np.array([0.2, 0.15, -0.1]),
            np.array([[0.1, 0.99], [0.15, 0.98], [0.12, 1.01]]),
            0.5,
        ),
    ),
    ("Savitzky-Golay", savitzky_golay, (np.cos(POSITIONS), 0.9)),
]
