"""Rotations, cameras, rays, robots, the sun."""

import math

import numpy as np
from numpy import arccos, arcsin, array, cos, cross, deg2rad, dot, pi, sin
from numpy.linalg import norm


def rot2(theta):
    c, s = np.cos(theta), np.sin(theta)
    return np.array([[c, -s], [s, c]])


def turned_polygon(points, theta):
    """Extent of a polygon after turning it, times its area."""
    p = points @ rot2(theta).T
    x, y = p[:, 0], p[:, 1]
    area = 0.5 * np.abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    return np.ptp(x) * area


def euler_angles(yaw, pitch, roll):
    Rz = array([[cos(yaw), -sin(yaw), 0], [sin(yaw), cos(yaw), 0], [0, 0, 1]])
    Ry = array([[cos(pitch), 0, sin(pitch)], [0, 1, 0], [-sin(pitch), 0, cos(pitch)]])
    Rx = array([[1, 0, 0], [0, cos(roll), -sin(roll)], [0, sin(roll), cos(roll)]])
    R = Rz @ Ry @ Rx
    angle = arccos((R.trace() - 1) / 2)
    return angle + R[2].dot([0.1, 0.2, 0.3])


class Quaternion:
    def __init__(self, w, x, y, z):
        self.q = np.array([w, x, y, z])

    @classmethod
    def from_axis(cls, axis, angle):
        axis = axis / norm(axis)
        return cls(np.cos(angle / 2), *(np.sin(angle / 2) * axis))

    def __mul__(self, other):
        w1, x1, y1, z1 = self.q
        w2, x2, y2, z2 = other.q
        return Quaternion(
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 + y1 * w2 + z1 * x2 - x1 * z2,
            w1 * z2 + z1 * w2 + x1 * y2 - y1 * x2,
        )

    def conjugate(self):
        w, x, y, z = self.q
        return Quaternion(w, -x, -y, -z)

    def rotate(self, v):
        return (self * Quaternion(0.0, *v) * self.conjugate()).q[1:]


def quaternions(axis, angle, v):
    q = Quaternion.from_axis(axis, angle) * Quaternion.from_axis(np.array([0.0, 0.0, 1.0]), 0.4)
    return q.rotate(v) @ np.array([1.0, 2.0, -1.0])


def slerp(q0, q1, t):
    q0, q1 = q0 / norm(q0), q1 / norm(q1)
    d = np.clip(q0 @ q1, -1.0, 1.0)
    if d < 0:
        q1, d = -q1, -d
    omega = np.arccos(d)
    q = (np.sin((1 - t) * omega) * q0 + np.sin(t * omega) * q1) / np.sin(omega)
    return q[0] + 2 * q[3]


def rodrigues(k, v):
    theta = norm(k)
    u = k / theta
    return sum(v * cos(theta) + cross(u, v) * sin(theta) + u * dot(u, v) * (1 - cos(theta)))


def dh(theta, d, a, alpha):
    """One link of an arm after Denavit and Hartenberg."""
    ct, st, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
    T = np.eye(4)
    T[:3, :] = [
        [ct, -st * ca, st * sa, a * ct],
        [st, ct * ca, -ct * sa, a * st],
        [0, sa, ca, d],
    ]
    return T


def robot_arm(joints, lengths):
    T = np.eye(4)
    for theta, length, alpha in zip(joints, lengths, (np.pi / 2, 0.0, -np.pi / 2)):
        T = T @ dh(theta, 0.1, length, alpha)
    target = np.array([0.5, 0.5, 0.4])
    return norm(T[:3, 3] - target) + 0.2 * (T @ np.array([0.1, 0.0, 0.2, 1.0]))[2]


def inverse_kinematics(target, lengths):
    """Damped least squares for an arm in the plane."""
    q = np.array([0.3, 0.5, 0.2])
    for _ in range(60):
        angles = np.cumsum(q)
        tips = np.stack([lengths * np.cos(angles), lengths * np.sin(angles)])
        error = target - tips.sum(axis=1)
        J = np.zeros((2, 3))
        for i in range(3):
            J[0, i] = -tips[1, i:].sum()
            J[1, i] = tips[0, i:].sum()
        q = q + J.T @ np.linalg.solve(J @ J.T + 1e-4 * np.eye(2), error)
    return q[0] - q[2]


def hit_sphere(origin, direction, center, radius):
    """Distance along the ray, or None."""
    oc = origin - center
    b = oc.dot(direction)
    disc = b * b - (oc.dot(oc) - radius * radius)
    if disc < 0:
        return None
    t = -b - np.sqrt(disc)
    return t if t > 1e-4 else None


def ray_trace(centers, radii, light):
    """A few pixels, shaded after Lambert and Phong."""
    light = light / norm(light)
    image = np.zeros((4, 4))
    eye = np.array([0.0, 0.0, -4.0])
    for i, y in enumerate(np.linspace(-0.7, 0.7, 4)):
        for j, x in enumerate(np.linspace(-0.8, 0.8, 4)):
            d = np.array([x, y, 2.0])
            d /= np.linalg.norm(d)
            hits = []
            for c, r in zip(centers, radii):
                t = hit_sphere(eye, d, c, r)
                if t is not None:
                    hits.append((t, c))
            if not hits:
                image[i, j] = 0.05
                continue
            t, c = min(hits, key=lambda h: h[0])
            n = eye + t * d - c
            n = n / norm(n)
            shine = max(0.0, -(d - 2 * d.dot(n) * n).dot(-light))
            image[i, j] = 0.1 + max(0.0, n.dot(light)) + 0.5 * shine**8
    return image.sum()


def sun_elevation(latitude, day, hour):
    """In degrees, by the formulas of a solar almanac."""
    gamma = 2 * pi / 365 * (day - 1 + (hour - 12) / 24)
    declination = (
        0.006918
        - 0.399912 * cos(gamma)
        + 0.070257 * sin(gamma)
        - 0.006758 * cos(2 * gamma)
        + 0.000907 * sin(2 * gamma)
    )
    eqtime = 229.18 * (
        0.000075
        + array([0.001868, -0.032077, -0.014615, -0.040849]).dot(
            [cos(gamma), sin(gamma), cos(2 * gamma), sin(2 * gamma)]
        )
    )
    hour_angle = deg2rad((hour * 60 + eqtime) / 4 - 180)
    phi = deg2rad(latitude)
    s = sin(phi) * sin(declination) + cos(phi) * cos(declination) * cos(hour_angle)
    return np.rad2deg(arcsin(s))


def haversine(route):
    """Length of a route given as rows of latitude and longitude."""
    lat, lon = np.radians(route).T
    a = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * (
        np.sin(np.diff(lon) / 2) ** 2
    )
    return np.sum(2 * 6371.0 * np.arcsin(np.sqrt(a)))


def camera(points, position, focal):
    """Mean distance between projections and where they were seen."""
    forward = np.array([0.0, 0.0, 0.0]) - position
    forward = forward / norm(forward)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right = right / norm(right)
    up = np.cross(right, forward)
    R = np.vstack([right, up, forward])
    cam = (points - position) @ R.T
    if np.any(cam[:, 2] <= 0):
        raise ValueError("a point behind the camera")
    pixels = focal * cam[:, :2] / cam[:, 2:3]
    pixels = pixels * (1 + 0.05 * np.sum(pixels**2, axis=1, keepdims=True))
    seen = np.array([[0.1, 0.3], [-0.2, 0.2], [0.3, -0.1]])
    return np.linalg.norm(pixels - seen, axis=1).mean()


def mesh(vertices, scale):
    """Surface and volume of a tetrahedron."""
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    v = vertices * scale
    a, b, c = (v[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    area = 0.5 * np.sqrt((normals**2).sum(axis=1)).sum()
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
    return area + abs(volume)


def procrustes(P, Q):
    """Root mean square distance of two clouds after the best rotation (Kabsch)."""
    P = P - P.mean(axis=0)
    Q = Q - Q.mean(axis=0)
    U, S, Vt = np.linalg.svd(P.T @ Q)
    sign = np.sign(np.linalg.det(U @ Vt))
    R = U @ np.diag([1.0, 1.0, sign]) @ Vt
    return np.sqrt(((P @ R - Q) ** 2).sum() / len(P))


def bezier(control, t):
    """De Casteljau, on a scratch array, in whole rows; length of the curve's polyline."""
    curve = []
    for s in (0.0, t / 2, t, (1 + t) / 2, 1.0):
        b = control.copy()
        n = len(b)
        for r in range(1, n):
            b[: n - r] = (1 - s) * b[: n - r] + s * b[1 : n - r + 1]
        curve.append(b[0])
    curve = np.array(curve)
    return np.hypot(*np.diff(curve, axis=0).T).sum()


def inertia(masses, positions):
    """Smallest principal moment."""
    com = np.average(positions, axis=0, weights=masses)
    r = positions - com
    I = np.zeros((3, 3))
    for m, x in zip(masses, r):
        I += m * (x @ x * np.eye(3) - np.outer(x, x))
    return np.linalg.eigvalsh(I)[0]


def barycentric(triangle, p, values):
    a, b, c = triangle
    T = np.column_stack([a - c, b - c])
    l = np.linalg.solve(T, p - c)
    weights = np.array([*l, 1 - l.sum()])
    inside = bool((weights >= 0).all())
    return weights @ values if inside else math.nan


POINTS = np.array([[0.1, 0.2, 0.3], [1.0, 0.1, -0.2], [-0.3, 0.9, 0.4], [0.4, -0.5, 1.1]])
FLAT = np.array([[0.0, 0.0], [2.0, 0.3], [2.4, 1.5], [1.1, 2.2], [-0.3, 1.2]])

CASES = [
    ("polygon", turned_polygon, (FLAT, 0.4)),
    ("Euler angles", euler_angles, (0.3, -0.4, 0.9)),
    ("quaternions", quaternions, (np.array([1.0, 0.5, -0.2]), 0.8, np.array([0.3, 0.1, 0.7]))),
    (
        "slerp",
        slerp,
        (np.array([1.0, 0.1, 0.0, 0.2]), np.array([-0.5, 0.5, 0.4, -0.6]), 0.3),
    ),
    ("Rodrigues", rodrigues, (np.array([0.3, -0.5, 0.8]), np.array([1.0, 2.0, 0.5]))),
    ("robot arm", robot_arm, (np.array([0.3, -0.6, 1.1]), [0.5, 0.4, 0.3])),
    ("inverse kinematics", inverse_kinematics, (np.array([1.1, 0.9]), np.array([0.8, 0.6, 0.4]))),
    (
        "ray tracing",
        ray_trace,
        (
            np.array([[0.0, 0.0, 0.5], [1.1, 0.6, 0.0]]),
            np.array([1.0, 0.45]),
            np.array([-1.0, 1.5, -2.0]),
        ),
    ),
    ("elevation of the sun", sun_elevation, (52.5, 172.0, 10.2)),
    ("haversine", haversine, (np.array([[52.5, 13.4], [48.9, 2.35], [41.9, 12.5], [40.4, -3.7]]),)),
    ("camera", camera, (POINTS[:3], np.array([1.0, 1.5, -4.0]), 1.2)),
    ("mesh", mesh, (POINTS, 1.3)),
    ("Kabsch", procrustes, (POINTS, POINTS[:, [1, 2, 0]] * 1.2 + 0.1 * POINTS**2)),
    ("Bezier", bezier, (FLAT[:4], 0.45)),
    ("moments of inertia", inertia, (np.array([1.0, 2.0, 0.5, 1.5]), POINTS)),
    (
        "barycentric",
        barycentric,
        (FLAT[:3], np.array([1.5, 0.5]), np.array([1.0, -2.0, 0.5])),
    ),
]
